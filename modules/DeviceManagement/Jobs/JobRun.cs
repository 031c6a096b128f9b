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

    /// <summary>Runs a step unless it ended before; recorded before and after.</summary>
    public async Task StepAsync(string name, Func<Task> body)
    {
        if (job.Record.Steps.Any(s => s.Name == name && s.EndedAt is not null))
        {
            return;
        }
        interruptible.ThrowIfCancellationRequested();
        job.BeginStep(name, time.GetUtcNow());
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
