using System.Collections.Concurrent;
using System.Text.Json;
using EdgeDm.Contracts;
using EdgeDm.ModuleHost;

namespace EdgeDm.DeviceManagement.Jobs;

/// <summary>Output <c>events</c>: one message for each status of a job. A repeat after a crash carries the same <c>$.mid</c>.</summary>
internal sealed class JobEvents(IModuleHub hub, TimeProvider time)
{
    private readonly ConcurrentDictionary<string, string> told = new(StringComparer.Ordinal);

    /// <summary>Tells from now on; jobs that ended before are not told again.</summary>
    public void Follow(JobEngine engine)
    {
        foreach (var job in engine.Query(new(MaxCount: int.MaxValue)).Jobs)
        {
            told[job.JobId] = job.Status;
        }
        engine.Changed += Tell;
    }

    private void Tell(JobDocument job)
    {
        if (told.TryGetValue(job.JobId, out var status) && status == job.Status)
        {
            return;
        }
        told[job.JobId] = job.Status;
        var message = new JobEvent(job.JobId, job.Type, job.Status, time.GetUtcNow(), job.Error);
        hub.Post(
            Routes.Events,
            Schemas.JobEvent,
            JsonSerializer.SerializeToUtf8Bytes(message, ContractsJson.Default.JobEvent),
            $"{job.JobId}-{job.Status}"
        );
        if (JobStatuses.IsTerminal(job.Status))
        {
            told.TryRemove(job.JobId, out _);
        }
    }
}
