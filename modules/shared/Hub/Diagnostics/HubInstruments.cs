using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace EdgeDm.Hub;

/// <summary>
/// What sessions tell of themselves, by the names of OpenTelemetry's messaging conventions. Costs nothing while nobody listens. No payload,
/// no token and no property's value is in any of it.
/// </summary>
/// <remarks>
/// Activities: <c>send</c>, <c>receive</c> (from the arrival in the loop to the acknowledgement), <c>get_twin</c>, <c>update_reported</c>, <c>respond</c>, <c>invoke_method</c>.
/// Instruments: <c>messaging.client.sent.messages</c>, <c>messaging.client.consumed.messages</c> ({message}), <c>messaging.client.operation.duration</c> (s),
/// <c>edgedm.hub.inflight</c> ({message}), <c>edgedm.hub.io.sent</c> and <c>edgedm.hub.io.received</c> (By), <c>edgedm.hub.sessions.ended</c>
/// ({session}, by <c>edgedm.reason</c>).
/// </remarks>
public static class HubInstruments
{
    /// <summary>Name of the <see cref="ActivitySource"/> and of the <see cref="Meter"/>.</summary>
    public const string Name = "EdgeDm.Hub";

    internal static readonly ActivitySource Activities = new(Name);

    private static readonly Meter Meter = new(Name);
    private static readonly Counter<long> SentMessages = Meter.CreateCounter<long>(
        "messaging.client.sent.messages",
        "{message}"
    );
    private static readonly Counter<long> ConsumedMessages = Meter.CreateCounter<long>(
        "messaging.client.consumed.messages",
        "{message}"
    );
    private static readonly Histogram<double> OperationDuration = Meter.CreateHistogram<double>(
        "messaging.client.operation.duration",
        "s"
    );
    private static readonly UpDownCounter<long> Inflight = Meter.CreateUpDownCounter<long>(
        "edgedm.hub.inflight",
        "{message}"
    );
    private static readonly Counter<long> SentBytes = Meter.CreateCounter<long>("edgedm.hub.io.sent", "By");
    private static readonly Counter<long> ReceivedBytes = Meter.CreateCounter<long>("edgedm.hub.io.received", "By");
    private static readonly Counter<long> EndedSessions = Meter.CreateCounter<long>(
        "edgedm.hub.sessions.ended",
        "{session}"
    );

    internal static void Sent(int bytes) => SentBytes.Add(bytes);

    internal static void Received(int bytes) => ReceivedBytes.Add(bytes);

    internal static void Ended(SessionEndReason reason)
    {
        if (EndedSessions.Enabled)
        {
            EndedSessions.Add(1, new KeyValuePair<string, object?>("edgedm.reason", reason.ToString()));
        }
    }

    internal static void InflightChanged(int by) => Inflight.Add(by);

    /// <summary>Somebody listens to operations of this kind.</summary>
    internal static bool IsWatched(HubOperationKind kind) =>
        Activities.HasListeners() || OperationDuration.Enabled || CounterOf(kind) is { Enabled: true };

    /// <summary>
    /// Begins an operation. In an asynchronous method only, which keeps the current activity from leaking to its caller.
    /// </summary>
    /// <param name="session">Whose.</param>
    /// <param name="kind">What it does.</param>
    /// <param name="destination">The output, the input or the method, where there is one.</param>
    internal static HubOperation Begin(IoTHubSession session, HubOperationKind kind, string? destination) =>
        new(session, kind, destination, OperationDuration, CounterOf(kind));

    /// <summary>Does the work as one operation.</summary>
    internal static async ValueTask<T> WatchAsync<T>(
        IoTHubSession session,
        HubOperationKind kind,
        string? destination,
        Func<HubOperation, ValueTask<T>> work
    )
    {
        using var operation = Begin(session, kind, destination);
        try
        {
            return await work(operation);
        }
        catch (Exception error)
        {
            operation.Failed(error);
            throw;
        }
    }

    /// <inheritdoc cref="WatchAsync{T}"/>
    internal static async ValueTask WatchAsync(
        IoTHubSession session,
        HubOperationKind kind,
        string? destination,
        Func<HubOperation, ValueTask> work
    ) =>
        await WatchAsync(
            session,
            kind,
            destination,
            async operation =>
            {
                await work(operation);
                return true;
            }
        );

    private static Counter<long>? CounterOf(HubOperationKind kind) =>
        kind.Counts switch
        {
            HubCount.Sent => SentMessages,
            HubCount.Consumed => ConsumedMessages,
            _ => null,
        };
}

/// <summary>What an operation is to OpenTelemetry.</summary>
/// <param name="Name"><c>messaging.operation.name</c>.</param>
/// <param name="Type"><c>messaging.operation.type</c>; null where the conventions have none.</param>
/// <param name="Kind">The activity's.</param>
/// <param name="Counts">Which counter it moves.</param>
internal sealed record HubOperationKind(string Name, string? Type, ActivityKind Kind, HubCount Counts)
{
    public static HubOperationKind Send { get; } = new("send", "send", ActivityKind.Producer, HubCount.Sent);
    public static HubOperationKind Receive { get; } =
        new("receive", "receive", ActivityKind.Consumer, HubCount.Consumed);
    public static HubOperationKind GetTwin { get; } = new("get_twin", null, ActivityKind.Client, HubCount.None);
    public static HubOperationKind UpdateReported { get; } =
        new("update_reported", null, ActivityKind.Client, HubCount.None);
    public static HubOperationKind Respond { get; } = new("respond", null, ActivityKind.Client, HubCount.None);
    public static HubOperationKind InvokeMethod { get; } =
        new("invoke_method", null, ActivityKind.Client, HubCount.None);
}

internal enum HubCount
{
    None,
    Sent,
    Consumed,
}

/// <summary>An operation that someone watches.</summary>
internal sealed class HubOperation : IDisposable
{
    private readonly long began = Stopwatch.GetTimestamp();
    private readonly Activity? activity;
    private readonly Histogram<double> duration;
    private readonly Counter<long>? counter;
    private TagList tags;

    public HubOperation(
        IoTHubSession session,
        HubOperationKind kind,
        string? destination,
        Histogram<double> duration,
        Counter<long>? counter
    )
    {
        (this.duration, this.counter) = (duration, counter);
        tags = new()
        {
            { "messaging.system", "iothub" },
            { "messaging.operation.name", kind.Name },
            { "server.address", session.HubAddress },
        };
        Add("messaging.operation.type", kind.Type);
        Add("messaging.destination.name", destination);
        activity = HubInstruments.Activities.StartActivity(
            destination is null ? kind.Name : $"{kind.Name} {destination}",
            kind.Kind,
            parentContext: default,
            tags
        );
        activity?.SetTag("messaging.client.id", session.ClientId);
    }

    /// <summary>Of the message; not for metrics.</summary>
    public void Describe(string? messageId, int bodyBytes)
    {
        activity?.SetTag("messaging.message.id", messageId);
        activity?.SetTag("messaging.message.body.size", bodyBytes);
    }

    /// <summary>Ends it.</summary>
    public void Dispose()
    {
        duration.Record(Stopwatch.GetElapsedTime(began).TotalSeconds, tags);
        counter?.Add(1, tags);
        activity?.Dispose();
    }

    /// <summary>It threw.</summary>
    public void Failed(Exception error)
    {
        var type = error is HubServiceException { Status: var status }
            ? status.ToString(System.Globalization.CultureInfo.InvariantCulture)
            : error.GetType().FullName;
        Add("error.type", type);
        activity?.SetTag("error.type", type);
        activity?.SetStatus(ActivityStatusCode.Error);
    }

    private void Add(string name, string? value)
    {
        if (value is not null)
        {
            tags.Add(name, value);
        }
    }
}
