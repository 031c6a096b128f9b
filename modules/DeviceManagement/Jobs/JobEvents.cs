using System.Collections.Concurrent;
using System.Text.Json;
using EdgeDm.Contracts;
using EdgeDm.ModuleHost;
using Microsoft.Extensions.Logging;

namespace EdgeDm.DeviceManagement.Jobs;

/// <summary>
/// Output <c>events</c>: one message for each status of a job. The record of the job says which status was told last, so a kill loses
/// none; a repeat after a crash carries the same <c>$.mid</c> and the same content. What cannot be written now (a full disk) is told
/// later, and does not stop the job that it tells of.
/// </summary>
internal sealed partial class JobEvents : IDisposable
{
    private readonly IModuleHub hub;
    private readonly JobEngine engine;
    private readonly TimeSpan retryDelay;
    private readonly ILogger logger;
    private readonly ConcurrentDictionary<string, bool> late = new(StringComparer.Ordinal);
    private readonly ITimer timer;

    /// <param name="hub">Where they go.</param>
    /// <param name="engine">Whose jobs.</param>
    /// <param name="retryDelay">How long an event rests that could not be written.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">The log.</param>
    public JobEvents(
        IModuleHub hub,
        JobEngine engine,
        TimeSpan retryDelay,
        TimeProvider time,
        ILogger<JobEvents> logger
    )
    {
        this.hub = hub;
        this.engine = engine;
        this.retryDelay = retryDelay;
        this.logger = logger;
        timer = time.CreateTimer(_ => TellLate(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

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

    public void Dispose()
    {
        engine.Changed -= Tell;
        timer.Dispose();
    }

    private void TellLate()
    {
        foreach (var jobId in late.Keys)
        {
            late.TryRemove(jobId, out _);
            if (engine.Find(jobId) is { } job)
            {
                Tell(job.ToDocument());
            }
        }
    }

    private void Tell(JobDocument job)
    {
        if (engine.Find(job.JobId) is not { } known || known.Record.ToldStatus == job.Status)
        {
            return;
        }
        try
        {
            Post(job);
            known.Update(r => r with { ToldStatus = job.Status });
        }
        catch (IOException error)
        {
            LogLate(logger, error, job.JobId, job.Status);
            late[job.JobId] = true;
            timer.Change(retryDelay, Timeout.InfiniteTimeSpan);
        }
    }

    private void Post(JobDocument job)
    {
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
    }

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "Event of job {JobId} ({Status}) cannot be kept and is told later"
    )]
    private static partial void LogLate(ILogger logger, Exception error, string jobId, string status);
}
