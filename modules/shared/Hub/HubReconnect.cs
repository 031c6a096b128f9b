namespace EdgeDm.Hub;

/// <summary>Runs a body once per connection. Uses nothing but the session's public members; the caller chooses the policy.</summary>
public static class HubReconnect
{
    /// <summary>
    /// Connects, runs <paramref name="body"/>, and after a hub error asks <paramref name="policy"/> whether and when to try again.
    /// Returns when the body returns. Any error that is not the hub's comes out at once.
    /// </summary>
    /// <param name="optionsFactory">Called for each attempt: a token and a trust bundle may have changed.</param>
    /// <param name="body">Gets the session, which is disposed behind it, and <paramref name="cancellationToken"/>.</param>
    /// <param name="policy">Decides after each failure. <see cref="Backoff"/> makes one.</param>
    /// <param name="time">The clock of the delays; null = the system's.</param>
    /// <param name="cancellationToken">Ends it with <see cref="OperationCanceledException"/>.</param>
    public static async Task RunAsync(
        Func<CancellationToken, ValueTask<HubSessionOptions>> optionsFactory,
        Func<IoTHubSession, CancellationToken, Task> body,
        Func<HubAttempt, ReconnectDecision> policy,
        TimeProvider? time = null,
        CancellationToken cancellationToken = default
    )
    {
        time ??= TimeProvider.System;
        var failures = 0;
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            long? connectedAt = null;
            DateTimeOffset? expires = null;
            try
            {
                var options = await optionsFactory(cancellationToken);
                await using var session = await IoTHubSession.ConnectAsync(options, cancellationToken);
                connectedAt = time.GetTimestamp();
                expires = session.CredentialExpiresOn;
                await body(session, cancellationToken);
                return;
            }
            catch (Exception error) when (error is HubException or TimeoutException)
            {
                cancellationToken.ThrowIfCancellationRequested();
                failures++;
                var uptime = connectedAt is { } since ? time.GetElapsedTime(since) : TimeSpan.Zero;
                var decision = policy(new(failures, error, uptime, expires));
                if (!decision.Retry)
                {
                    throw;
                }
                await Task.Delay(decision.Delay, time, cancellationToken);
            }
        }
    }

    /// <summary>
    /// Exponential back-off with full jitter: a random share of <paramref name="first"/>, doubled with each failure up to
    /// <paramref name="max"/>. Starts over after a session that lasted. Stops when trying again cannot help: a wrong environment,
    /// CONNACK 1, 2, 4. Keeps count: make one for each <see cref="RunAsync"/>.
    /// </summary>
    /// <param name="first">The first delay at most.</param>
    /// <param name="max">Any delay at most.</param>
    /// <param name="resetAfter">Uptime after which the count starts over; null = 60 s.</param>
    /// <param name="random">Source of the jitter; null = the shared one.</param>
    public static Func<HubAttempt, ReconnectDecision> Backoff(
        TimeSpan first,
        TimeSpan max,
        TimeSpan? resetAfter = null,
        Random? random = null
    )
    {
        const int MostDoublings = 30;
        var lasting = resetAfter ?? TimeSpan.FromSeconds(60);
        var source = random ?? Random.Shared;
        var forgiven = 0;
        return attempt =>
        {
            if (attempt.LastUptime >= lasting)
            {
                forgiven = attempt.ConsecutiveFailures - 1;
            }
            var doublings = Math.Min(attempt.ConsecutiveFailures - forgiven - 1, MostDoublings);
            var most = Math.Min(max.TotalMilliseconds, first.TotalMilliseconds * Math.Pow(2, doublings));
            var delay = TimeSpan.FromMilliseconds(source.NextDouble() * most);
            return new(attempt.Error is not HubException { IsTransient: false }, delay);
        };
    }
}

/// <summary>A connection that failed or ended.</summary>
/// <param name="ConsecutiveFailures">Counts from 1.</param>
/// <param name="Error">Why.</param>
/// <param name="LastUptime">How long the connection had been up; zero when it did not come about.</param>
/// <param name="CredentialExpiresOn">When its token expires or expired.</param>
public readonly record struct HubAttempt(
    int ConsecutiveFailures,
    Exception Error,
    TimeSpan LastUptime,
    DateTimeOffset? CredentialExpiresOn
);

/// <summary>What to do after a failure.</summary>
/// <param name="Retry">False: the error comes out of <see cref="HubReconnect.RunAsync"/>.</param>
/// <param name="Delay">Before the next attempt.</param>
public readonly record struct ReconnectDecision(bool Retry, TimeSpan Delay);
