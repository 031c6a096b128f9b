using System.Collections.Immutable;
using System.Text.Json.Serialization;
using EdgeDm.Contracts;
using EdgeDm.HostAccess.Updates.Handlers;

namespace EdgeDm.HostAccess.Updates;

/// <summary>
/// One update on disk: all that is needed to go on after a crash, a reboot or a power cut. Changed only through
/// <see cref="UpdateJournal"/>, before and after whatever happens to the host.
/// </summary>
/// <param name="CommandId">The submission's id.</param>
/// <param name="ContentDigest">Of manifest and signature: tells a repeat from a conflict.</param>
/// <param name="UpdateId">JSON text of the update id.</param>
/// <param name="AcceptedAt">UTC.</param>
/// <param name="Steps">One per instruction step.</param>
internal sealed record UpdateRecord(
    string CommandId,
    string ContentDigest,
    string UpdateId,
    DateTimeOffset AcceptedAt,
    ImmutableArray<StepRecord> Steps
)
{
    /// <summary>The signed manifest's text; null once terminal.</summary>
    public string? UpdateManifest { get; init; }

    /// <summary>Its JWS; null once terminal.</summary>
    public string? UpdateManifestSignature { get; init; }

    /// <summary>When its manifest was made; null when it does not say, and in records of version 0.2.</summary>
    public DateTimeOffset? ManifestCreated { get; init; }

    /// <summary>One of <see cref="HostUpdateState"/>.</summary>
    public string State { get; init; } = HostUpdateState.Accepted;

    /// <summary>Grows with every change; a restart of HostAccess takes back what was told of progress alone.</summary>
    public long Revision { get; init; } = 1;

    /// <summary>Place in the order of submissions, which the times do not tell: the clock may be set. 0 in records of version 0.1.</summary>
    public long Sequence { get; init; }

    /// <summary>0 to 100.</summary>
    public int Percent { get; init; }

    /// <summary>Somebody wants it to end; it will, before it changes anything.</summary>
    public bool CancelRequested { get; init; }

    /// <summary>A step began to change the host: from here on it cannot be cancelled.</summary>
    public bool Changing { get; init; }

    /// <summary>A step asked for a reboot after the other steps.</summary>
    public bool RebootDeferred { get; init; }

    /// <summary>The host instance that was asked to reboot; not null while <see cref="HostUpdateState.Rebooting"/>.</summary>
    public string? RebootFrom { get; init; }

    /// <summary>How often the host was asked in vain.</summary>
    public int RebootAttempts { get; init; }

    /// <summary>The trial under the health gate; not null from <see cref="HostUpdateState.Verifying"/> on.</summary>
    public TrialRecord? Trial { get; init; }

    /// <summary>What the health gate still misses.</summary>
    public ImmutableArray<string> HealthMissing { get; init; } = [];

    /// <summary>The gate found the host healthy: from here on nothing is rolled back any more.</summary>
    public bool CommitDecided { get; init; }

    /// <summary>Reboots that rolling back took so far.</summary>
    public int RollbackBoots { get; init; }

    /// <summary>Why it ended badly, or why it is rolled back.</summary>
    public ErrorObject? Error { get; init; }

    /// <summary>When it became terminal, UTC.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    [JsonIgnore]
    public bool IsTerminal => HostUpdateState.IsTerminal(State);

    /// <summary>The record with this step changed.</summary>
    public UpdateRecord WithStep(int index, Func<StepRecord, StepRecord> change) =>
        this with
        {
            Steps = Steps.SetItem(index, change(Steps[index])),
        };

    /// <summary>As it is told.</summary>
    public UpdateStatus ToStatus(string instanceId, DateTimeOffset? deadline) =>
        new(
            CommandId,
            Revision,
            State,
            UpdateId,
            instanceId,
            Percent,
            [.. Steps.Select(step => step.ToStatus())],
            Error,
            State == HostUpdateState.Verifying && deadline is { } until ? new(until, HealthMissing) : null
        );
}

/// <summary>A step on disk.</summary>
/// <param name="Index">From 0.</param>
/// <param name="Handler">For example <c>microsoft/script:1</c>.</param>
internal sealed record StepRecord(int Index, string Handler)
{
    /// <summary>See <see cref="StepStates"/>.</summary>
    public string State { get; init; } = StepStates.Waiting;

    /// <summary>The action that runs or is next.</summary>
    public StepAction Action { get; init; } = StepAction.IsInstalled;

    /// <summary>How far that action is, 0 to 100; on disk as of the last change before.</summary>
    public int ActionPercent { get; init; }

    /// <summary>The host instance in which it began to change the host; null before.</summary>
    public string? ChangedIn { get; init; }

    public int? ResultCode { get; init; }

    public int? ExtendedResultCode { get; init; }

    public string? ResultDetails { get; init; }

    public DateTimeOffset? StartedAt { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>0 to 100 over its actions, of which installing takes the most.</summary>
    [JsonIgnore]
    public int Percent
    {
        get
        {
            ReadOnlySpan<int> begins = [0, 5, 25, 90, 100];
            var begin = begins[(int)Action];
            return State is StepStates.Succeeded or StepStates.Skipped ? 100
                : Action == StepAction.Done ? begin
                : begin + (begins[(int)Action + 1] - begin) * ActionPercent / 100;
        }
    }

    public UpdateStepStatus ToStatus() =>
        new(
            Index,
            Handler,
            State,
            ResultCode,
            ExtendedResultCode,
            ResultDetails,
            StartedAt,
            EndedAt,
            State == StepStates.Waiting ? null : Percent
        );
}

/// <summary>Words of a step's state, see <see cref="UpdateStepStatus"/>.</summary>
internal static class StepStates
{
    public const string Waiting = "waiting";
    public const string Running = "running";
    public const string Succeeded = "succeeded";
    public const string Skipped = "skipped";
    public const string Failed = "failed";
    public const string Restored = "restored";
}

/// <summary>An update on trial.</summary>
/// <param name="InstanceId">The host instance that is on trial.</param>
/// <param name="StartedUptime">The host's uptime when its time began to run.</param>
/// <param name="Instances">Host instances that were on trial, this one included.</param>
internal sealed record TrialRecord(string InstanceId, TimeSpan StartedUptime, int Instances);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true
)]
[JsonSerializable(typeof(UpdateRecord))]
[JsonSerializable(typeof(InstalledList))]
internal sealed partial class UpdateRecordJson : JsonSerializerContext;
