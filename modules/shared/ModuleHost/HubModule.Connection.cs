using System.Globalization;
using System.Text.Json;
using EdgeDm.Hub;
using Microsoft.Extensions.Logging;

namespace EdgeDm.ModuleHost;

public sealed partial class HubModule
{
    private const string SchemaProperty = "schema";
    private const string DroppedProperty = "dropped";
    private const string ContentType = "application/json";
    private const string ContentEncoding = "utf-8";

    /// <summary>One round per token: a connection that ends on purpose is followed by the next at once.</summary>
    private async Task ConnectAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var backoff = HubReconnect.Backoff(options.FirstRetry, options.LongestRetry, random: options.Random);
            await HubReconnect.RunAsync(
                OptionsAsync,
                (session, token) => RunConnectionAsync(session, token),
                attempt => Decide(attempt, backoff(attempt)),
                options.TimeProvider,
                options.LoggerFactory,
                cancellationToken
            );
            LogRenewing(logger);
        }
    }

    private async ValueTask<HubSessionOptions> OptionsAsync(CancellationToken cancellationToken) =>
        await options.OptionsFactory(cancellationToken) with
        {
            ProductInfo = options.ProductInfo,
            TimeProvider = options.TimeProvider,
            LoggerFactory = options.LoggerFactory,
        };

    /// <summary>A refusal is retried as well: operators mend keys, and edgeHub learns of its modules late. A wrong environment stays wrong.</summary>
    private ReconnectDecision Decide(HubAttempt attempt, ReconnectDecision advice)
    {
        LogAttempt(logger, attempt.ConsecutiveFailures, attempt.Error.Message, advice.Delay.TotalSeconds);
        return advice with { Retry = attempt.Cause != FailureCause.Configuration };
    }

    /// <summary>Runs the pumps until the first of them ends; that one's error is the connection's.</summary>
    private async Task RunConnectionAsync(IoTHubSession session, CancellationToken module)
    {
        LogConnected(logger, session.DeviceId, session.ModuleId, session.CredentialExpiresOn);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(module, session.Stopped);
        List<Task> pumps =
        [
            desired.FollowAsync(session, twin => reported.Learn(twin.Reported), over.Token),
            SendAsync(session, over.Token),
            ReportAsync(session, over.Token),
            RenewalAsync(session, over.Token),
        ];
        if (inputs.IsNeeded)
        {
            pumps.Add(inputs.RunAsync(session, over.Token, module));
        }
        if (methods.IsNeeded)
        {
            pumps.Add(methods.RunAsync(session, over.Token));
        }
        SetConnected(true);
        try
        {
            var first = await Task.WhenAny(pumps);
            // When the connection is lost every pump ends, some by cancellation: the session knows why.
            if (first.IsFaulted || module.IsCancellationRequested || session.IsConnected)
            {
                await first;
            }
            else
            {
                await session.GetTwinAsync(module); // Throws what every call throws now.
            }
        }
        finally
        {
            await over.CancelAsync();
            await Task.WhenAll(pumps.Select(Settle));
            reported.Forget();
            SetConnected(false);
            outbox.DropVolatile();
        }
    }

    private async Task SendAsync(IoTHubSession session, CancellationToken cancellationToken)
    {
        while (true)
        {
            var next = await outbox.NextAsync(cancellationToken);
            var dropped = outbox.Dropped;
            var properties = new Dictionary<string, string>(StringComparer.Ordinal)
            {
                [SchemaProperty] = next.Message.Schema,
            };
            if (dropped > 0)
            {
                properties[DroppedProperty] = dropped.ToString(CultureInfo.InvariantCulture);
            }
            var message = new OutboundMessage(
                JsonSerializer.SerializeToUtf8Bytes(next.Message.Body, ModuleHostJson.Default.JsonElement)
            )
            {
                MessageId = next.Message.MessageId,
                ContentType = ContentType,
                ContentEncoding = ContentEncoding,
                Properties = properties,
            };
            try
            {
                await session.SendToOutputAsync(next.Message.Output, message, cancellationToken);
                outbox.Done(next);
                if (dropped > 0)
                {
                    outbox.ToldDropped(dropped);
                }
            }
            catch (ArgumentException error)
            {
                outbox.Refuse(next, error.Message);
            }
        }
    }

    private async Task ReportAsync(IoTHubSession session, CancellationToken cancellationToken)
    {
        var delay = options.FirstRetry;
        while (true)
        {
            await reported.WaitAsync(cancellationToken);
            while (reported.NextPatch() is { } patch)
            {
                try
                {
                    await session.UpdateReportedAsync(patch, ModuleHostJson.Default.JsonObject, cancellationToken);
                    reported.Accepted(patch);
                    delay = options.FirstRetry;
                }
                catch (HubServiceException error) when (!error.IsTransient)
                {
                    LogReportRefused(logger, string.Join(", ", patch.Select(p => p.Key)), error.Message);
                    reported.Refused(patch);
                }
                catch (Exception error) when (error is HubServiceException or TimeoutException && session.IsConnected)
                {
                    LogReportLate(logger, error.Message, delay.TotalSeconds);
                    await Task.Delay(delay, options.TimeProvider, cancellationToken);
                    delay = delay * 2 < options.LongestRetry ? delay * 2 : options.LongestRetry;
                }
            }
        }
    }

    /// <summary>Ends, and with it the connection, ahead of the token.</summary>
    private async Task RenewalAsync(IoTHubSession session, CancellationToken cancellationToken)
    {
        var longest = TimeSpan.FromDays(40); // Timers cannot wait for longer.
        var life = session.CredentialExpiresOn - options.TimeProvider.GetUtcNow() ?? Timeout.InfiniteTimeSpan;
        var wait =
            life < TimeSpan.Zero ? Timeout.InfiniteTimeSpan
            : life * options.RenewAfter < longest ? life * options.RenewAfter
            : longest;
        await Task.Delay(wait, options.TimeProvider, cancellationToken);
    }

    private void SetConnected(bool connected)
    {
        Volatile.Write(ref isConnected, connected);
        ConnectionChanged?.Invoke();
    }

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Connected to the hub as {DeviceId}/{ModuleId}, token until {ExpiresOn:O}"
    )]
    private static partial void LogConnected(
        ILogger logger,
        string deviceId,
        string? moduleId,
        DateTimeOffset? expiresOn
    );

    /// <summary>Each one; the causes are logged by <see cref="HubReconnect"/>, for an operator does not want the same line every 30 s.</summary>
    [LoggerMessage(Level = LogLevel.Debug, Message = "Attempt {Number} failed: {Error} Next in {Seconds:0.0} s")]
    private static partial void LogAttempt(ILogger logger, int number, string error, double seconds);

    [LoggerMessage(Level = LogLevel.Information, Message = "Connecting anew ahead of the token's end")]
    private static partial void LogRenewing(ILogger logger);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "The hub refused the reported properties {Names}: {Error} They are not sent again before they change"
    )]
    private static partial void LogReportRefused(ILogger logger, string names, string error);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The hub did not take reported properties: {Error} Again in {Seconds:0.0} s"
    )]
    private static partial void LogReportLate(ILogger logger, string error, double seconds);
}
