using EdgeDm.Contracts;

namespace EdgeDm.DeviceManagement.Jobs;

/// <content>The work: one job after the other, each to its end.</content>
internal sealed partial class JobEngine
{
    /// <summary>Works until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await wake.WaitAsync(cancellationToken);
            while (Next() is { } job)
            {
                await RunOneAsync(job, cancellationToken);
            }
        }
    }

    private Job? Next() =>
        jobs
            .Values.Where(j => !JobStatuses.IsTerminal(j.Record.Status))
            .OrderBy(j => j.Record.Status == JobStatuses.Running ? 0 : 1)
            .ThenBy(j => j.Record.Sequence)
            .ThenBy(j => j.Record.CreatedTime)
            .FirstOrDefault();

    /// <summary>Runs a job to its end, or until its record cannot be written; then it rests and is taken up again.</summary>
    private async Task RunOneAsync(Job job, CancellationToken stopping)
    {
        try
        {
            if (TryStart(job))
            {
                await RunToEndAsync(job, stopping);
            }
        }
        catch (IOException error)
        {
            // The disk is full or failing. The record still says where the job is; nothing was acted on without it.
            LogDisk(logger, error, job.Record.JobId);
            job.Stuck(RecordErrors.Of(error, $"Job '{job.Record.JobId}' waits until it can be recorded."));
            await Task.Delay(limits.DiskRetryDelay, time, stopping);
        }
    }

    private async Task RunToEndAsync(Job job, CancellationToken stopping)
    {
        var started = time.GetTimestamp();
        var allowed = TimeSpan.FromSeconds(Math.Max(0, job.Record.RemainingSeconds));
        using var deadline = new CancellationTokenSource(allowed, time);
        using var interruptible = CancellationTokenSource.CreateLinkedTokenSource(
            stopping,
            deadline.Token,
            job.CancelRequested
        );
        try
        {
            var run = new JobRun(job, time, interruptible.Token, stopping);
            var result = await WorkOf(job.Record.Type).RunAsync(run);
            End(job, JobStatuses.Completed, null, result);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            var left = allowed - time.GetElapsedTime(started);
            job.Update(r => r with { RemainingSeconds = Math.Max(0, left.TotalSeconds) });
            throw;
        }
        catch (OperationCanceledException) when (job.Record.CancelRequested)
        {
            End(job, JobStatuses.Cancelled, CancelledError(job), null);
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            End(job, JobStatuses.Failed, TimedOut(job, allowed), null);
        }
        catch (JobFailedException failure)
        {
            // Who has the host cancel its update records that behind it: let that happen first.
            await job.CancelTurn.WaitAsync(stopping);
            job.CancelTurn.Release();
            var isCancelled = failure.Status == JobStatuses.Cancelled && job.Record.CancelRequested;
            End(job, failure.Status, isCancelled ? CancelledError(job) : failure.Error, failure.Result);
        }
        catch (EdgeDmException failure)
        {
            End(job, JobStatuses.Failed, failure.Error, null);
        }
        catch (Exception error) when (error is not OperationCanceledException and not IOException)
        {
            LogBroken(logger, error, job.Record.JobId);
            var what = $"ended by an unexpected {error.GetType().Name}.";
            End(job, JobStatuses.Failed, JobError(job, ErrorRegistry.Internal, what), null);
        }
    }

    private bool TryStart(Job job)
    {
        lock (creating)
        {
            if (JobStatuses.IsTerminal(job.Record.Status))
            {
                return false;
            }
            if (job.Record.Status == JobStatuses.Enqueued)
            {
                job.Update(r => r with { Status = JobStatuses.Running, StartTime = time.GetUtcNow() });
            }
            LogRuns(logger, job.Record.JobId, job.Record.Type, job.Record.Steps.LastOrDefault()?.Name ?? "beginning");
            return true;
        }
    }
}
