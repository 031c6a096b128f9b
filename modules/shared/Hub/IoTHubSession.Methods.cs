using System.Runtime.CompilerServices;
using System.Text;
using EdgeDm.Hub.Internal;
using EdgeDm.Mqtt;
using EdgeDm.Mqtt.IoTHub;
using Microsoft.Extensions.Logging;

namespace EdgeDm.Hub;

public sealed partial class IoTHubSession
{
    /// <summary>IoT Hub's limit of a method's payload, either way.</summary>
    public const int MaxMethodPayloadBytes = 128 * 1024;

    /// <summary>
    /// A call that has waited for a reader so long is dropped: its caller has been told that it failed, by IoT Hub's own limit unless it asked for
    /// another, and must not see it done later.
    /// </summary>
    public static readonly TimeSpan UnreadMethodLifetime = TimeSpan.FromSeconds(30);

    private readonly MethodFeed methods;

    /// <summary>Direct method calls as they come. Answer each by <see cref="RespondAsync"/>. One reader.</summary>
    public async IAsyncEnumerable<DirectMethodRequest> ReadMethodRequestsAsync(
        [EnumeratorCancellation] CancellationToken cancellationToken = default
    )
    {
        await using var subscription = await OpenMethodsAsync(cancellationToken);
        await foreach (var request in subscription.WithCancellation(cancellationToken))
        {
            yield return request;
        }
    }

    /// <summary>Answers a call, once.</summary>
    /// <exception cref="InvalidOperationException">It has been answered.</exception>
    /// <exception cref="ArgumentException">The payload is over <see cref="MaxMethodPayloadBytes"/>, or the status is 0.</exception>
    public ValueTask RespondAsync(
        DirectMethodRequest request,
        int status,
        ReadOnlyMemory<byte> utf8Json = default,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentOutOfRangeException.ThrowIfZero(status); // The official Node client takes 0 for a missing one.
        if (utf8Json.Length > MaxMethodPayloadBytes)
        {
            throw new ArgumentException(
                $"The answer has {utf8Json.Length} bytes; the limit is {MaxMethodPayloadBytes}."
            );
        }
        if (!request.TryAnswer())
        {
            throw new InvalidOperationException($"The call of '{request.Name}' has been answered.");
        }
        var topic = HubTopics.MethodResponse(status, request.RequestId);
        return HubInstruments.IsWatched(HubOperationKind.Respond)
            ? HubInstruments.WatchAsync(
                this,
                HubOperationKind.Respond,
                request.Name,
                _ => PublishAsync(topic, utf8Json, cancellationToken)
            )
            : PublishAsync(topic, utf8Json, cancellationToken);
    }

    /// <summary>
    /// Answers calls by a handler, several side by side. A handler that throws, or answers too much, is answered with 500 and the
    /// exception's type. Returns when the session is disposed; throws when it is lost. Its handlers have then ended.
    /// </summary>
    /// <param name="handler">Gets a token that fires when the session ends: nobody waits for the answer any more.</param>
    /// <param name="maxConcurrency">Most handlers at a time; further calls wait.</param>
    /// <param name="cancellationToken">Ends the loop.</param>
    public async Task ServeMethodsAsync(
        Func<DirectMethodRequest, CancellationToken, ValueTask<MethodResult>> handler,
        int maxConcurrency = 8,
        CancellationToken cancellationToken = default
    )
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, Stopped);
        using var places = new SemaphoreSlim(maxConcurrency);
        var running = new List<Task>();
        try
        {
            await foreach (var request in ReadMethodRequestsAsync(cancellationToken))
            {
                await places.WaitAsync(cancellationToken);
                running.RemoveAll(task => task.IsCompleted);
                running.Add(Task.Run(() => ServeAsync(request, handler, places, over.Token), CancellationToken.None));
            }
        }
        finally
        {
            await over.CancelAsync();
            await Task.WhenAll(running);
        }
    }

    internal ValueTask<HubSubscription<DirectMethodRequest>> OpenMethodsAsync(CancellationToken cancellationToken) =>
        methods.OpenAsync(cancellationToken);

    private async Task ServeAsync(
        DirectMethodRequest request,
        Func<DirectMethodRequest, CancellationToken, ValueTask<MethodResult>> handler,
        SemaphoreSlim places,
        CancellationToken cancellationToken
    )
    {
        try
        {
            MethodResult result;
            try
            {
                result = await handler(request, cancellationToken);
                if (result.Utf8Json.Length > MaxMethodPayloadBytes || result.Status == 0)
                {
                    throw new InvalidOperationException(
                        $"The handler answered {result.Status} with {result.Utf8Json.Length} bytes."
                    );
                }
            }
            catch (Exception error) when (!cancellationToken.IsCancellationRequested)
            {
                LogHandlerFailed(logger, error, request.Name);
                // The type only: a message could carry what the caller must not see.
                result = new(500, Encoding.UTF8.GetBytes($$"""{"message":"{{error.GetType().Name}}"}"""));
            }
            await RespondAsync(request, result.Status, result.Utf8Json, cancellationToken);
        }
        catch (Exception error)
            when (error is HubException or ObjectDisposedException or TimeoutException
                || cancellationToken.IsCancellationRequested
            )
        {
            LogNotAnswered(logger, request.Name, error.Message);
        }
        finally
        {
            places.Release();
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The handler of method {Name} failed")]
    private static partial void LogHandlerFailed(ILogger logger, Exception error, string name);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Method {Name} could not be answered: {Reason}")]
    private static partial void LogNotAnswered(ILogger logger, string name, string reason);

    /// <summary>Hands method calls to the one reader. Without a reader the newest wait: the callers of the oldest have given up first.</summary>
    private sealed class MethodFeed(IoTHubSession session, int capacity)
    {
        private readonly Lock gate = new();
        private readonly Queue<DirectMethodRequest> unclaimed = new();

        // QoS 0: an answer is the acknowledgement, and an input that waits must not hold back a method's.
        private readonly FeedSubscription subscription = new(session, HubTopics.MethodFilter, MqttQoS.AtMostOnce);
        private Inbox<DirectMethodRequest>? reader;
        private Exception? error;
        private bool completed;

        public async ValueTask<HubSubscription<DirectMethodRequest>> OpenAsync(CancellationToken cancellationToken)
        {
            var inbox = new Inbox<DirectMethodRequest>(capacity);
            lock (gate)
            {
                if (reader is not null)
                {
                    throw new InvalidOperationException("There is a reader of method calls already.");
                }
                reader = inbox;
                while (unclaimed.TryDequeue(out var request))
                {
                    if (session.options.TimeProvider.GetElapsedTime(request.ReceivedAt) < UnreadMethodLifetime)
                    {
                        inbox.TryAdd(request);
                    }
                    else
                    {
                        LogDropped(session.logger, request.Name, "it waited too long for a reader");
                    }
                }
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
                Remove();
                throw;
            }
            return new(
                inbox,
                _ => { },
                _ => true, // A call that a loop was given is in the loop's hands.
                () =>
                {
                    Remove();
                    subscription.Release();
                    return ValueTask.CompletedTask;
                }
            );
        }

        public bool TryAdd(DirectMethodRequest request)
        {
            lock (gate)
            {
                if (reader is not null)
                {
                    return reader.TryAdd(request);
                }
                if (unclaimed.Count == capacity)
                {
                    LogDropped(session.logger, unclaimed.Dequeue().Name, "nobody reads method calls");
                }
                unclaimed.Enqueue(request);
                return true;
            }
        }

        public void Complete(Exception? reason)
        {
            lock (gate)
            {
                completed = true;
                error = reason;
                reader?.Complete(reason);
            }
        }

        private void Remove()
        {
            lock (gate)
            {
                foreach (var request in reader?.Drain() ?? [])
                {
                    unclaimed.Enqueue(request);
                }
                reader = null;
            }
        }
    }
}
