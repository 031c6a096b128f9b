namespace EdgeDm.Cli;

/// <summary>
/// Follows a job to its end. The gateway restarts in the middle of an update, so "not there" is no failure until it has
/// lasted too long.
/// </summary>
internal sealed class JobWatcher(IWatchSource source, IWatchView view, WatchLimits limits, TimeProvider time)
{
    private long? awaySince;

    /// <summary>Returns the job's last state.</summary>
    /// <exception cref="CliException">It did not end in time, or nobody could be asked for too long.</exception>
    public async Task<WatchState> RunAsync(CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        while (true)
        {
            if (await LookAsync(cancellationToken) is { IsTerminal: true } end)
            {
                return end;
            }
            if (time.GetElapsedTime(start) > limits.Timeout)
            {
                throw new CliException(
                    ExitCodes.TimedOut,
                    $"Not ended within {limits.Timeout.TotalSeconds:0} s. It goes on; watch it again with 'edgedm job watch'."
                );
            }
            await Task.Delay(limits.Interval, time, cancellationToken);
        }
    }

    private async Task<WatchState?> LookAsync(CancellationToken cancellationToken)
    {
        try
        {
            var state = await source.ReadAsync(cancellationToken);
            if (state?.Away is { } reason && !state.IsTerminal)
            {
                NoteAway(reason, null);
            }
            else if (awaySince is not null)
            {
                awaySince = null;
                view.Back();
            }
            if (state is null)
            {
                view.Waiting();
            }
            else
            {
                view.Show(state);
            }
            return state;
        }
        catch (ServiceException error) when (error.IsTransient)
        {
            NoteAway(error.Message, error);
            return null;
        }
    }

    private void NoteAway(string reason, ServiceException? error)
    {
        if (awaySince is not { } since)
        {
            awaySince = time.GetTimestamp();
            view.Away(reason);
        }
        else if (time.GetElapsedTime(since) > limits.Away)
        {
            throw new CliException(
                error?.ExitCode ?? ExitCodes.NotReachable,
                $"Away for more than {limits.Away.TotalSeconds:0} s: {reason}",
                inner: error
            );
        }
    }
}

/// <summary>How long to watch.</summary>
/// <param name="Interval">Between two looks.</param>
/// <param name="Timeout">For the job to end.</param>
/// <param name="Away">For hub or gateway to come back.</param>
internal sealed record WatchLimits(TimeSpan Interval, TimeSpan Timeout, TimeSpan Away);
