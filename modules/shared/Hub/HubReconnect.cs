using EdgeDm.Hub.Internal;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeDm.Hub;

/// <summary>Runs a body once per connection. The caller chooses the policy.</summary>
public static partial class HubReconnect
{
    /// <summary>
    /// Connects, runs <paramref name="body"/>, and after a hub error asks <paramref name="policy"/> whether and when to try again.
    /// Returns when the body returns. Any error that is not the hub's comes out at once. A cause is logged when it differs from
    /// the one before, or when a connection had lasted 10 s in between; never an attempt of a row that fails alike.
    /// </summary>
    /// <param name="optionsFactory">Called for each attempt: a token and a trust bundle may have changed.</param>
    /// <param name="body">Gets the session, which is disposed behind it, and <paramref name="cancellationToken"/>.</param>
    /// <param name="policy">Decides after each failure. <see cref="Backoff"/> makes one.</param>
    /// <param name="time">The clock of the delays; null = the system's.</param>
    /// <param name="loggerFactory">Where causes are logged; null = where the latest options say.</param>
    /// <param name="cancellationToken">Ends it with <see cref="OperationCanceledException"/>.</param>
    public static async Task RunAsync(
        Func<CancellationToken, ValueTask<HubSessionOptions>> optionsFactory,
        Func<IoTHubSession, CancellationToken, Task> body,
        Func<HubAttempt, ReconnectDecision> policy,
        TimeProvider? time = null,
        ILoggerFactory? loggerFactory = null,
        CancellationToken cancellationToken = default
    )
    {
        time ??= TimeProvider.System;
        var history = new FailureHistory();
        var failures = 0;
        FailureCause? logged = null;
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            long? connectedAt = null;
            DateTimeOffset? expires = null;
            HubSessionOptions? options = null;
            try
            {
                options = await optionsFactory(cancellationToken);
                await using var session = await IoTHubSession.ConnectAsync(options, cancellationToken);
                connectedAt = time.GetTimestamp();
                expires = session.CredentialExpiresOn;
                await RunBodyAsync(body, session, cancellationToken);
                return;
            }
            catch (Exception error) when (error is HubException or TimeoutException)
            {
                cancellationToken.ThrowIfCancellationRequested();
                failures++;
                TimeSpan? uptime = connectedAt is { } since ? time.GetElapsedTime(since) : null;
                var cause = history.Tell(error, uptime, expires, time.GetUtcNow());
                var decision = policy(new(failures, error, cause, uptime ?? TimeSpan.Zero, expires));
                if (cause != logged || uptime >= FailureHistory.Soon)
                {
                    Log(loggerFactory ?? options?.LoggerFactory, cause, error, decision);
                    logged = cause;
                }
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
    /// <paramref name="max"/>. Starts over only after a connection that lasted. Keeps count: make one for each <see cref="RunAsync"/>.
    /// <list type="table">
    /// <listheader><term>cause</term><description>decision</description></listheader>
    /// <item><term><see cref="FailureCause.Unreachable"/>, <see cref="FailureCause.TlsRefused"/>, <see cref="FailureCause.HubUnavailable"/>,
    /// <see cref="FailureCause.Lost"/>, <see cref="FailureCause.TimedOut"/>, <see cref="FailureCause.ProtocolError"/>,
    /// <see cref="FailureCause.ReceiverOverrun"/></term><description>again, backing off</description></item>
    /// <item><term><see cref="FailureCause.NotAuthorized"/></term><description>again, backing off, with a new token: edgeHub says it also before it
    /// knows its modules</description></item>
    /// <item><term><see cref="FailureCause.CredentialUnavailable"/>, <see cref="FailureCause.ServiceError"/></term><description>again, backing off,
    /// when the error may pass by itself; else stop</description></item>
    /// <item><term><see cref="FailureCause.TokenExpired"/></term><description>again at once; backing off when it happens twice in a row without a
    /// connection that lasted</description></item>
    /// <item><term><see cref="FailureCause.AnotherClientSuspected"/></term><description>again after half to all of <paramref name="max"/>: the two
    /// would throw each other out for ever</description></item>
    /// <item><term><see cref="FailureCause.ProtocolVersionRefused"/>, <see cref="FailureCause.IdentifierRefused"/>,
    /// <see cref="FailureCause.CredentialRefused"/>, <see cref="FailureCause.Configuration"/></term><description>stop: it stays so until
    /// somebody changes something</description></item>
    /// </list>
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
        FailureCause? before = null;
        return attempt =>
        {
            if (attempt.LastUptime >= lasting)
            {
                forgiven = attempt.ConsecutiveFailures - 1;
                before = null;
            }
            var again = attempt.Cause == before;
            before = attempt.Cause;
            var doublings = Math.Min(attempt.ConsecutiveFailures - forgiven - 1, MostDoublings);
            var most = Math.Min(max.TotalMilliseconds, first.TotalMilliseconds * Math.Pow(2, doublings));
            var share = source.NextDouble();
            var delay = attempt.Cause switch
            {
                FailureCause.TokenExpired when !again => 0,
                FailureCause.AnotherClientSuspected => max.TotalMilliseconds * (1 + share) / 2,
                _ => most * share,
            };
            return new(MayHelp(attempt), TimeSpan.FromMilliseconds(delay));
        };
    }

    /// <summary>A body that waits on <see cref="IoTHubSession.Stopped"/> ends as cancelled, although its session was lost.</summary>
    private static async Task RunBodyAsync(
        Func<IoTHubSession, CancellationToken, Task> body,
        IoTHubSession session,
        CancellationToken cancellationToken
    )
    {
        try
        {
            await body(session, cancellationToken);
        }
        catch (OperationCanceledException)
            when (session.Stopped.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new ConnectionLostException(await session.Completion, outcomeUnknown: false);
        }
    }

    private static bool MayHelp(in HubAttempt attempt) =>
        attempt.Cause switch
        {
            FailureCause.ProtocolVersionRefused => false,
            FailureCause.IdentifierRefused => false,
            FailureCause.CredentialRefused => false,
            FailureCause.Configuration => false,
            FailureCause.CredentialUnavailable or FailureCause.ServiceError => attempt.Error
                is not HubException { IsTransient: false },
            _ => true,
        };

    private static void Log(ILoggerFactory? factory, FailureCause cause, Exception error, in ReconnectDecision decision)
    {
        var logger = (factory ?? NullLoggerFactory.Instance).CreateLogger(typeof(HubReconnect));
        if (!decision.Retry)
        {
            LogGivenUp(logger, cause, error.Message);
        }
        else if (cause == FailureCause.TokenExpired)
        {
            LogRenewed(logger);
        }
        else
        {
            LogLost(logger, cause, error.Message, decision.Delay.TotalSeconds);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "No connection to the hub ({Cause}), and none is tried: {Error}")]
    private static partial void LogGivenUp(ILogger logger, FailureCause cause, string error);

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "The hub closed at the token's end; connecting with a new one"
    )]
    private static partial void LogRenewed(ILogger logger);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "No connection to the hub ({Cause}): {Error} Again in {Seconds:0.0} s; not told again while it stays so"
    )]
    private static partial void LogLost(ILogger logger, FailureCause cause, string error, double seconds);
}

/// <summary>A connection that failed or ended.</summary>
/// <param name="ConsecutiveFailures">Counts from 1.</param>
/// <param name="Error">Why.</param>
/// <param name="Cause">The same in one word, with what the attempts before tell.</param>
/// <param name="LastUptime">How long the connection had been up; zero when it did not come about.</param>
/// <param name="CredentialExpiresOn">When its token expires or expired.</param>
public readonly record struct HubAttempt(
    int ConsecutiveFailures,
    Exception Error,
    FailureCause Cause,
    TimeSpan LastUptime,
    DateTimeOffset? CredentialExpiresOn
);

/// <summary>What to do after a failure.</summary>
/// <param name="Retry">False: the error comes out of <see cref="HubReconnect.RunAsync"/>.</param>
/// <param name="Delay">Before the next attempt.</param>
public readonly record struct ReconnectDecision(bool Retry, TimeSpan Delay);
