using EdgeDm.Contracts;

namespace EdgeDm.DeviceManagement.Jobs;

/// <content>Cancellation, which excludes the step that it meets: either the step does not begin, or it is asked about.</content>
internal sealed partial class JobEngine
{
    /// <summary>
    /// Cancels: an enqueued job at once, a running one as soon as its step can be left. A job that has ended stays as it is.
    /// Throws 409 <c>jobNotCancellable</c> once the host has begun to change itself.
    /// </summary>
    /// <param name="jobId">The job.</param>
    /// <param name="cancellationToken">The caller is gone.</param>
    /// <param name="withdrawn">Its desired group was removed or changed.</param>
    public async Task<JobDocument> CancelAsync(
        string jobId,
        CancellationToken cancellationToken,
        bool withdrawn = false
    )
    {
        var job = Known(jobId);
        await job.CancelTurn.WaitAsync(cancellationToken);
        try
        {
            while (!TryCancelEnqueued(job, withdrawn) && !JobStatuses.IsTerminal(job.Record.Status))
            {
                var step = job.Record.Steps.LastOrDefault()?.Name;
                await WorkOf(job.Record.Type).BeforeCancelAsync(job, cancellationToken);
                if (job.TryRequestCancel(step, withdrawn))
                {
                    break;
                }
                // It went on to its next step meanwhile, for which the answer may be another one.
            }
        }
        finally
        {
            job.CancelTurn.Release();
        }
        return job.ToDocument();
    }

    private bool TryCancelEnqueued(Job job, bool withdrawn)
    {
        lock (creating)
        {
            if (job.Record.Status != JobStatuses.Enqueued)
            {
                return false;
            }
            job.TryRequestCancel(step: null, withdrawn);
            End(job, JobStatuses.Cancelled, CancelledError(job), null);
            return true;
        }
    }

    private static ErrorObject CancelledError(Job job) =>
        job.Record.Withdrawn
            ? JobError(job, ErrorRegistry.JobWithdrawn, "was cancelled: the twin asks for it no longer.")
            : JobError(job, ErrorRegistry.JobCancelled, "was cancelled.");
}
