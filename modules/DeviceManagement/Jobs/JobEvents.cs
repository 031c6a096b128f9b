using System.Text.Json;
using EdgeDm.Contracts;
using EdgeDm.ModuleHost;

namespace EdgeDm.DeviceManagement.Jobs;

/// <summary>
/// Output <c>events</c>: one message for each status of a job. The record of the job says which status was told last, so a kill loses
/// none; a repeat after a crash carries the same <c>$.mid</c> and the same content.
/// </summary>
internal sealed class JobEvents(IModuleHub hub, JobEngine engine)
{
    /// <summary>Tells from now on, beginning with what a kill left untold.</summary>
    public void Follow()
    {
        engine.Changed += Tell;
        foreach (var job in engine.Query(new(MaxCount: int.MaxValue)).Jobs)
        {
            // Ended and never told of: kept by version 0.1, which told of its jobs without a note.
            if (!JobStatuses.IsTerminal(job.Status) || engine.Find(job.JobId)?.Record.ToldStatus is not null)
            {
                Tell(job);
            }
        }
    }

    private void Tell(JobDocument job)
    {
        if (engine.Find(job.JobId) is not { } known || known.Record.ToldStatus == job.Status)
        {
            return;
        }
        var since = job.EndTime ?? job.StartTime ?? job.CreatedTime;
        hub.Post(
            Routes.Events,
            Schemas.JobEvent,
            JsonSerializer.SerializeToUtf8Bytes(
                new(job.JobId, job.Type, job.Status, since, job.Error),
                ContractsJson.Default.JobEvent
            ),
            $"{job.JobId}-{job.Status}",
            JobStatuses.IsTerminal(job.Status) ? PostKind.Terminal : PostKind.Normal
        );
        known.Update(r => r with { ToldStatus = job.Status });
    }
}
