using System.Text.Json;

namespace EdgeDm.DeviceManagement.Jobs;

/// <summary>What a job type does. One per type; the engine owns records, order, time and cancellation.</summary>
internal interface IJobWork
{
    /// <summary>One of the six job types.</summary>
    string Type { get; }

    /// <summary>How long a job may take when its request says nothing.</summary>
    TimeSpan DefaultTimeout { get; }

    /// <summary>Throws an <see cref="Contracts.EdgeDmException"/> when the payload cannot be worked on.</summary>
    void Validate(JsonElement payload);

    /// <summary>What makes two payloads the same work, so that a repeat is told from a conflict.</summary>
    string IdentityOf(JsonElement payload) => $"{Type}\n{ContentDigest.Canonical(payload)}";

    /// <summary>
    /// Does the work, or goes on with it: steps that ended before a restart are skipped by <see cref="JobRun.StepAsync"/>.
    /// Returns the job's result, or null.
    /// </summary>
    Task<JsonElement?> RunAsync(JobRun run);

    /// <summary>
    /// Asked while the job runs, before its cancellation is recorded, and again when its step changes meanwhile. Throws
    /// <c>jobNotCancellable</c> when it is too late.
    /// </summary>
    Task BeforeCancelAsync(Job job, CancellationToken cancellationToken);
}
