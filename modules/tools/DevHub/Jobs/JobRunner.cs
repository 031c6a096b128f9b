using System.Collections.Concurrent;
using System.Text.Json;
using EdgeDm.DevHub.Identities;
using EdgeDm.DevHub.Queries;
using Microsoft.Extensions.Logging;

namespace EdgeDm.DevHub.Jobs;

/// <summary>
/// Runs jobs: each waits for its time, chooses its devices, and does its work on some of them at once. What it is about to do is on
/// disk before it does it, so that a killed hub's successor goes on: a twin is patched again, a method is not called again.
/// </summary>
/// <param name="store">The jobs.</param>
/// <param name="limits">How fast.</param>
/// <param name="targets">Whom a condition means at this moment.</param>
/// <param name="act">Does a job's work on one device or module.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Told of faults.</param>
internal sealed partial class JobRunner(
    JobStore store,
    JobLimits limits,
    Func<Query, IEnumerable<HubIdentity>> targets,
    JobAction act,
    TimeProvider time,
    ILogger<JobRunner> logger
) : IAsyncDisposable
{
    private readonly CancellationTokenSource stopping = new();
    private readonly ConcurrentDictionary<string, Run> runs = new(StringComparer.Ordinal);

    /// <summary>Goes on with the jobs that the former hub left.</summary>
    public void Resume()
    {
        foreach (var job in store.List().Where(job => !job.IsOver))
        {
            foreach (var device in store.DevicesOf(job.JobId).Where(d => d.Status == DeviceJobStatus.Running))
            {
                store.Save(AfterKill(device));
            }
            Begin(job);
        }
    }

    /// <summary>Takes a job; it survives a kill when this returns.</summary>
    /// <exception cref="HubException">It cannot be taken.</exception>
    public void Add(ScheduledJob job)
    {
        store.Add(job);
        Begin(job);
    }

    /// <summary>Cancels a job. What is under way on a device goes on to its end, what is not is given up.</summary>
    /// <exception cref="HubException">There is no such job, or it is over.</exception>
    public ScheduledJob Cancel(string jobId)
    {
        var known = store.Find(jobId) ?? throw NotFound(jobId);
        var cancelled =
            store.TryChange(jobId, job => job with { Status = JobStatus.Cancelled, End = time.GetUtcNow() })
            ?? throw new HubException(
                HubError.InvalidOperation,
                $"The job '{jobId}' is over: {known.Status.ToString().ToLowerInvariant()}."
            );
        if (runs.TryGetValue(jobId, out var run))
        {
            run.Cancel();
        }
        return cancelled;
    }

    /// <summary>The error of a job that is not there.</summary>
    public static HubException NotFound(string jobId) => new(HubError.JobNotFound, $"There is no job '{jobId}'.");

    /// <summary>Ends what runs; the next hub goes on with it.</summary>
    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await Task.WhenAll(runs.Values.Select(run => run.Task));
        stopping.Dispose();
    }

    private void Begin(ScheduledJob job)
    {
        var run = new Run(stopping.Token);
        runs[job.JobId] = run;
        run.Task = Task.Run(() => RunAsync(job, run), CancellationToken.None);
    }

    private async Task RunAsync(ScheduledJob job, Run run)
    {
        try
        {
            await WaitUntilAsync(job.Start, run.Token);
            if (job.Status != JobStatus.Running)
            {
                Choose(job);
            }
            using var limit = new CancellationTokenSource(Left(job.Deadline), time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, run.Token);
            await WorkAsync(job, either.Token);
            End(job);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The next hub goes on.
        }
        catch (OperationCanceledException)
        {
            End(job);
        }
        catch (HubException error)
        {
            Fail(job, error.Message);
        }
        catch (Exception error)
        {
            LogFailed(logger, error, job.JobId);
            Fail(job, "The dev hub failed; its log tells how.");
        }
        finally
        {
            runs.TryRemove(job.JobId, out _);
            run.Dispose();
        }
    }

    private void Choose(ScheduledJob job)
    {
        var now = time.GetUtcNow();
        foreach (var target in targets(ReadCondition(job.QueryCondition)))
        {
            store.Save(new(job.JobId, job.Type, target.DeviceId, target.ModuleId, DeviceJobStatus.Pending, now, now));
        }
        store.TryChange(job.JobId, j => j with { Status = JobStatus.Running });
    }

    /// <summary>Reads the condition of a job.</summary>
    /// <exception cref="HubException"><see cref="HubError.ArgumentInvalid"/>.</exception>
    public static Query ReadCondition(string condition)
    {
        try
        {
            var query = QueryParser.ParseCondition(condition);
            return query.Source == QuerySource.Jobs
                ? throw new HubException(HubError.ArgumentInvalid, "A job is done on devices or devices.modules.")
                : query;
        }
        catch (QueryException error)
        {
            throw new HubException(HubError.ArgumentInvalid, $"queryCondition: {error.Message}");
        }
    }

    private Task WorkAsync(ScheduledJob job, CancellationToken cancellationToken) =>
        Parallel.ForEachAsync(
            store.DevicesOf(job.JobId).Where(device => device.Status == DeviceJobStatus.Pending),
            new ParallelOptions { MaxDegreeOfParallelism = limits.Parallel, CancellationToken = cancellationToken },
            async (device, _) => await DoAsync(job, device)
        );

    private async Task DoAsync(ScheduledJob job, DeviceJob device)
    {
        var started = Changed(device, DeviceJobStatus.Running) with { Started = time.GetUtcNow() };
        store.Save(started);
        DeviceJob ended;
        try
        {
            ended = Changed(started, DeviceJobStatus.Completed) with
            {
                Outcome = await act(job, device.Id, stopping.Token),
            };
        }
        catch (HubException error)
        {
            ended = Changed(started, DeviceJobStatus.Failed) with
            {
                Error = new(error.Error.ToString(), error.Message),
            };
        }
        store.Save(ended with { Ended = ended.Updated });
    }

    private void End(ScheduledJob job)
    {
        const string Late = "The job ran longer than its maxExecutionTimeInSeconds.";
        var isCancelled = store.Find(job.JobId)?.Status == JobStatus.Cancelled;
        var left = store.DevicesOf(job.JobId).Where(device => device.Status == DeviceJobStatus.Pending).ToList();
        foreach (var device in left)
        {
            var ended = Changed(device, isCancelled ? DeviceJobStatus.Canceled : DeviceJobStatus.Failed);
            store.Save(
                ended with
                {
                    Ended = ended.Updated,
                    Error = isCancelled ? null : new(nameof(HubError.GatewayTimeout), Late),
                }
            );
        }
        if (!isCancelled && left.Count > 0)
        {
            Fail(job, Late);
            return;
        }
        var failed = store.DevicesOf(job.JobId).Any(device => device.Status == DeviceJobStatus.Failed);
        store.TryChange(
            job.JobId,
            j => j with { Status = failed ? JobStatus.Failed : JobStatus.Completed, End = time.GetUtcNow() }
        );
    }

    private void Fail(ScheduledJob job, string reason) =>
        store.TryChange(
            job.JobId,
            j => j with { Status = JobStatus.Failed, End = time.GetUtcNow(), FailureReason = reason }
        );

    private DeviceJob AfterKill(DeviceJob device)
    {
        // A patch is the same twice, a method may not be.
        if (device.Type == JobType.ScheduleUpdateTwin)
        {
            return Changed(device, DeviceJobStatus.Pending);
        }
        var failed = Changed(device, DeviceJobStatus.Failed);
        return failed with
        {
            Ended = failed.Updated,
            Error = new(
                nameof(HubError.ServerError),
                "The hub was restarted while the method was called; it may have run."
            ),
        };
    }

    private DeviceJob Changed(DeviceJob device, DeviceJobStatus status) =>
        device with
        {
            Status = status,
            Updated = time.GetUtcNow(),
        };

    private async Task WaitUntilAsync(DateTimeOffset start, CancellationToken cancellationToken)
    {
        // A timer has a limit.
        var longest = TimeSpan.FromDays(1);
        while (Left(start) is var left && left > TimeSpan.Zero)
        {
            await Task.Delay(left < longest ? left : longest, time, cancellationToken);
        }
    }

    private TimeSpan Left(DateTimeOffset until)
    {
        var left = until - time.GetUtcNow();
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Job {JobId} failed")]
    private static partial void LogFailed(ILogger logger, Exception error, string jobId);

    private sealed class Run(CancellationToken stopping) : IDisposable
    {
        private readonly CancellationTokenSource source = CancellationTokenSource.CreateLinkedTokenSource(stopping);

        public CancellationToken Token => source.Token;

        public Task Task { get; set; } = Task.CompletedTask;

        public void Cancel()
        {
            try
            {
                source.Cancel();
            }
            catch (ObjectDisposedException)
            {
                // It has ended by itself.
            }
        }

        public void Dispose() => source.Dispose();
    }
}

/// <summary>Does a job's work on one device or module.</summary>
/// <returns>What the method answered; null = nothing.</returns>
/// <exception cref="HubException">It failed.</exception>
internal delegate Task<JsonElement?> JobAction(
    ScheduledJob job,
    HubIdentity target,
    CancellationToken cancellationToken
);
