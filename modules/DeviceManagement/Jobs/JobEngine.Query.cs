using EdgeDm.Contracts;

namespace EdgeDm.DeviceManagement.Jobs;

/// <summary>What may be asked of the jobs. Their order goes by number: the clock may have been set between two of them.</summary>
internal sealed partial class JobEngine
{
    /// <summary>The job, or null.</summary>
    public Job? Find(string jobId) => jobs.GetValueOrDefault(jobId);

    /// <summary>The newest job for this work, whoever asked for it and how it ended, unless it was withdrawn; or null.</summary>
    /// <param name="identity">As <see cref="IJobWork.IdentityOf"/> gives it.</param>
    public Job? FindSame(string identity)
    {
        var digest = ContentDigest.Of(identity);
        return jobs
            .Values.Where(j => j.Record.ContentDigest == digest && !j.Record.Withdrawn)
            .OrderBy(j => j.Record.Sequence)
            .ThenBy(j => j.Record.CreatedTime)
            .LastOrDefault();
    }

    /// <summary>Jobs of a type that wait or run. A snapshot.</summary>
    public IReadOnlyList<Job> Live(string type) =>
        [.. jobs.Values.Where(j => j.Record.Type == type && !JobStatuses.IsTerminal(j.Record.Status))];

    /// <summary>The job. Throws 404 <c>jobNotFound</c>.</summary>
    public JobDocument Get(string jobId) => Known(jobId).ToDocument();

    /// <summary>Jobs that match, newest first.</summary>
    public JobList Query(QueryJobsRequest query) =>
        new([
            .. jobs
                .Values.OrderByDescending(j => j.Record.Sequence)
                .ThenByDescending(j => j.Record.CreatedTime)
                .Select(j => j.ToDocument())
                .Where(j =>
                    (query.Type is null || j.Type == query.Type) && (query.Status is null || j.Status == query.Status)
                )
                .Take(query.MaxCount ?? limits.DefaultQueryCount),
        ]);

    /// <summary>The job of this type that ended last, or null.</summary>
    public JobDocument? LastEnded(string type) =>
        jobs
            .Values.Where(j => j.Record.Type == type && JobStatuses.IsTerminal(j.Record.Status))
            .OrderBy(j => j.Record.EndSequence)
            .ThenBy(j => j.Record.EndTime)
            .LastOrDefault()
            ?.ToDocument();
}
