using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using EdgeDm.Hub.Internal;
using EdgeDm.Mqtt;
using EdgeDm.Mqtt.IoTHub;

namespace EdgeDm.Hub;

public sealed partial class IoTHubSession
{
    private readonly Dictionary<string, TaskCompletionSource<TwinReply>> pendingReplies = [];
    private readonly DesiredFeed desired;
    private long lastRequestId;

    /// <summary>Asks for the twin.</summary>
    /// <exception cref="HubServiceException">The hub refused, or its answer is no twin.</exception>
    /// <exception cref="TimeoutException">No answer came in time; the session goes on.</exception>
    public ValueTask<TwinSnapshot> GetTwinAsync(CancellationToken cancellationToken = default) =>
        HubInstruments.IsWatched(HubOperationKind.GetTwin)
            ? HubInstruments.WatchAsync(this, HubOperationKind.GetTwin, null, _ => ReadTwinAsync(cancellationToken))
            : ReadTwinAsync(cancellationToken);

    private async ValueTask<TwinSnapshot> ReadTwinAsync(CancellationToken cancellationToken)
    {
        var reply = await AskAsync(HubTopics.TwinGet, default, cancellationToken);
        try
        {
            var twin = JsonElement.Parse(reply.Payload);
            var wanted = twin.GetProperty("desired");
            return new(VersionOf(wanted), wanted, twin.GetProperty("reported"));
        }
        catch (Exception error)
            when (error is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new HubServiceException(reply.Status, $"The hub's twin cannot be read: {Unreadable(error)}.");
        }
    }

    /// <summary>Changes reported properties by a JSON merge patch.</summary>
    /// <returns>The reported part's new version, or null where the hub tells none (edgeHub).</returns>
    /// <exception cref="HubServiceException">The hub refused: 400, 413, 429, 500.</exception>
    /// <exception cref="TimeoutException">No answer came in time; the session goes on.</exception>
    public ValueTask<long?> UpdateReportedAsync(
        ReadOnlyMemory<byte> utf8JsonMergePatch,
        CancellationToken cancellationToken = default
    ) =>
        HubInstruments.IsWatched(HubOperationKind.UpdateReported)
            ? HubInstruments.WatchAsync(
                this,
                HubOperationKind.UpdateReported,
                null,
                _ => PatchReportedAsync(utf8JsonMergePatch, cancellationToken)
            )
            : PatchReportedAsync(utf8JsonMergePatch, cancellationToken);

    private async ValueTask<long?> PatchReportedAsync(
        ReadOnlyMemory<byte> utf8JsonMergePatch,
        CancellationToken cancellationToken
    ) => (await AskAsync(HubTopics.ReportedPatch, utf8JsonMergePatch, cancellationToken)).Version;

    /// <inheritdoc cref="UpdateReportedAsync(ReadOnlyMemory{byte}, CancellationToken)"/>
    public ValueTask<long?> UpdateReportedAsync<T>(
        T patch,
        JsonTypeInfo<T> typeInfo,
        CancellationToken cancellationToken = default
    ) => UpdateReportedAsync(JsonSerializer.SerializeToUtf8Bytes(patch, typeInfo), cancellationToken);

    /// <summary>Changes of desired properties as the hub sends them, which may leave gaps. See <see cref="WatchTwinAsync"/>.</summary>
    public async IAsyncEnumerable<DesiredUpdate> ReadDesiredUpdatesAsync(
        [EnumeratorCancellation] CancellationToken cancellationToken = default
    )
    {
        await using var subscription = await OpenDesiredAsync(cancellationToken);
        await foreach (var update in subscription.WithCancellation(cancellationToken))
        {
            yield return update;
        }
    }

    /// <summary>
    /// The twin without a gap: first the whole, then each change of the desired part in order. What came while the whole was
    /// asked for is compared with its version; where a version is missing, the whole is asked for anew.
    /// </summary>
    public async IAsyncEnumerable<TwinChange> WatchTwinAsync(
        [EnumeratorCancellation] CancellationToken cancellationToken = default
    )
    {
        await using var updates = await OpenDesiredAsync(cancellationToken);
        var full = await GetTwinAsync(cancellationToken);
        var version = full.DesiredVersion;
        yield return new(version, full, null);
        await foreach (var update in updates.WithCancellation(cancellationToken))
        {
            if (update.Version <= version)
            {
                continue; // The whole has it already.
            }
            if (update.Version == version + 1)
            {
                version = update.Version;
                yield return new(version, null, update);
                continue;
            }
            full = await GetTwinAsync(cancellationToken);
            version = full.DesiredVersion;
            yield return new(version, full, null);
        }
    }

    internal ValueTask<HubSubscription<DesiredUpdate>> OpenDesiredAsync(CancellationToken cancellationToken) =>
        desired.OpenAsync(cancellationToken);

    private async ValueTask<TwinReply> AskAsync(
        Func<string, string> topic,
        ReadOnlyMemory<byte> payload,
        CancellationToken cancellationToken
    )
    {
        var requestId = Interlocked.Increment(ref lastRequestId).ToString("x", CultureInfo.InvariantCulture);
        var waiting = new TaskCompletionSource<TwinReply>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (link.Gate)
        {
            if (end is not null)
            {
                throw EndedError(outcomeUnknown: false);
            }
            pendingReplies.Add(requestId, waiting);
        }
        try
        {
            await PublishAsync(topic(requestId), payload, cancellationToken);
            var reply = await waiting.Task.WaitAsync(options.OperationTimeout, options.TimeProvider, cancellationToken);
            return reply.Status < 300 ? reply : throw Refusal(reply);
        }
        finally
        {
            lock (link.Gate)
            {
                pendingReplies.Remove(requestId);
            }
        }
    }

    private void OnTwinResponse(in HubTopic topic, byte[] payload)
    {
        TaskCompletionSource<TwinReply>? waiting;
        lock (link.Gate)
        {
            pendingReplies.Remove(topic.RequestId, out waiting);
        }
        if (waiting is null)
        {
            LogDropped(logger, HubTopics.TwinResponseFilter, $"nobody waits for request '{topic.RequestId}'");
            return;
        }
        waiting.TrySetResult(new(topic.Status, topic.Version, payload));
    }

    private static HubServiceException Refusal(TwinReply reply)
    {
        var text = "";
        try
        {
            var body = JsonElement.Parse(reply.Payload);
            text =
                body.ValueKind == JsonValueKind.Object
                && body.TryGetProperty("message", out var message)
                && message.ValueKind == JsonValueKind.String
                    ? message.GetString()
                    : "";
        }
        catch (JsonException)
        {
            // No body, or none for us: the status says enough.
        }
        return new(reply.Status, $"The hub answered {reply.Status} to a twin request. {text}".TrimEnd());
    }

    private static long VersionOf(JsonElement part) =>
        part.TryGetProperty("$version", out var version) ? version.GetInt64() : 0;

    private readonly record struct TwinReply(int Status, long? Version, byte[] Payload);

    /// <summary>Hands each desired patch to all readers.</summary>
    private sealed class DesiredFeed(IoTHubSession session, int capacity)
    {
        private readonly Lock gate = new();
        private readonly FeedSubscription subscription = new(session, HubTopics.DesiredFilter, MqttQoS.AtMostOnce);
        private readonly List<Inbox<DesiredUpdate>> readers = [];
        private Exception? error;
        private bool completed;

        public async ValueTask<HubSubscription<DesiredUpdate>> OpenAsync(CancellationToken cancellationToken)
        {
            var inbox = new Inbox<DesiredUpdate>(capacity);
            lock (gate)
            {
                readers.Add(inbox);
                if (completed)
                {
                    inbox.Complete(error);
                }
            }
            try
            {
                await subscription.AcquireAsync(cancellationToken);
            }
            catch
            {
                Remove(inbox);
                throw;
            }
            return new(
                inbox,
                _ => { },
                _ => false, // A change that a loop did not finish is told again.
                () =>
                {
                    Remove(inbox);
                    subscription.Release();
                    return ValueTask.CompletedTask;
                }
            );
        }

        public bool TryAdd(DesiredUpdate update)
        {
            lock (gate)
            {
                return readers.TrueForAll(inbox => inbox.TryAdd(update));
            }
        }

        public void Complete(Exception? reason)
        {
            lock (gate)
            {
                completed = true;
                error = reason;
                foreach (var inbox in readers)
                {
                    inbox.Complete(reason);
                }
            }
        }

        private void Remove(Inbox<DesiredUpdate> inbox)
        {
            lock (gate)
            {
                readers.Remove(inbox);
            }
        }
    }
}
