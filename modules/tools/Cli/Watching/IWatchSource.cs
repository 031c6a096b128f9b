namespace EdgeDm.Cli;

/// <summary>Where a watched job's state comes from.</summary>
internal interface IWatchSource
{
    /// <summary>
    /// Looks once. Null = the gateway has not taken it up yet. Throws a transient <see cref="ServiceException"/> when nobody
    /// could be asked.
    /// </summary>
    Task<WatchState?> ReadAsync(CancellationToken cancellationToken);
}

/// <summary>One job by its id, from the gateway itself.</summary>
internal sealed class JobSource(HubTarget target, string jobId) : IWatchSource
{
    public async Task<WatchState?> ReadAsync(CancellationToken cancellationToken) =>
        WatchState.Of(await target.GetJobAsync(jobId, cancellationToken));
}
