using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using EdgeDm.Contracts;

namespace EdgeDm.DeviceManagement.Jobs;

/// <summary>One job at work, as its type sees it.</summary>
/// <param name="job">The job.</param>
/// <param name="time">The clock.</param>
/// <param name="interruptible">Ends with the job's time, its cancellation, or the module.</param>
/// <param name="stopping">Ends with the module only: for steps that the host owns and that cannot be left half-way.</param>
internal sealed class JobRun(Job job, TimeProvider time, CancellationToken interruptible, CancellationToken stopping)
{
    public string JobId => job.Record.JobId;

    public Job Job => job;

    public CancellationToken Interruptible => interruptible;

    public CancellationToken Stopping => stopping;

    public JsonElement Payload => job.Record.Payload;

    public bool IsCancelRequested => job.Record.CancelRequested;

    /// <summary>True when the step began before, in an earlier process perhaps.</summary>
    public bool HasBegun(string step) => job.Record.Steps.Any(s => s.Name == step);

    /// <summary>Runs a step unless it ended before; recorded before and after.</summary>
    /// <param name="name">As operators see it.</param>
    /// <param name="body">The step.</param>
    /// <param name="beginsAnyway">
    /// The host is at it: neither a cancellation nor the end of the job's time keeps the step from beginning.
    /// </param>
    public async Task StepAsync(string name, Func<Task> body, bool beginsAnyway = false)
    {
        if (job.Record.Steps.Any(s => s.Name == name && s.EndedAt is not null))
        {
            return;
        }
        if (!beginsAnyway)
        {
            interruptible.ThrowIfCancellationRequested();
        }
        if (!job.TryBeginStep(name, time.GetUtcNow(), beginsAnyway))
        {
            throw new OperationCanceledException($"Job '{JobId}' was cancelled before step '{name}'.");
        }
        await body();
        job.EndStep(name, time.GetUtcNow());
    }

    /// <summary>What the type kept, or null.</summary>
    public T? State<T>(JsonTypeInfo<T> typeInfo)
        where T : class => job.Record.State?.Deserialize(typeInfo);

    /// <summary>Keeps something for after a restart; on disk when this returns.</summary>
    public void SaveState<T>(T state, JsonTypeInfo<T> typeInfo, string? updateId = null) =>
        job.Update(r =>
            r with
            {
                State = JsonSerializer.SerializeToElement(state, typeInfo),
                UpdateId = updateId ?? r.UpdateId,
            }
        );

    public void Progress(int percent, DownloadBytes? bytes = null) => job.Progress(percent, bytes);

    /// <summary>Shows why the job waits, or that it no longer does.</summary>
    public void Waits(ErrorObject? reason)
    {
        if (job.Record.Error != reason)
        {
            job.Update(r => r with { Error = reason });
        }
    }
}
