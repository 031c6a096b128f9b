namespace EdgeDm.DevHub.Routing;

/// <summary>
/// The messages that wait for modules, whether those are connected or not. A message leaves when its receiver has
/// acknowledged it or its time is over. In memory: a restart of the hub forgets them. Safe for use by many threads.
/// </summary>
/// <param name="largestQueue">Most bytes for one input.</param>
/// <param name="time">For expiry.</param>
public sealed class MessageStore(long largestQueue, TimeProvider time)
{
    private readonly Lock gate = new();
    private readonly Dictionary<RouteEndpoint, EndpointQueue> queues = [];
    private readonly Dictionary<string, TaskCompletionSource> arrivals = new(StringComparer.Ordinal);
    private long sequence;

    /// <summary>Takes a message into its queue; it is accepted when this returns.</summary>
    /// <exception cref="HubException"><see cref="HubError.QuotaExceeded"/>: the queue is full.</exception>
    public ValueTask EnqueueAsync(
        RouteEndpoint endpoint,
        HubMessage message,
        uint priority,
        TimeSpan? timeToLive,
        CancellationToken cancellationToken
    )
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled(cancellationToken);
        }
        TaskCompletionSource? arrival;
        lock (gate)
        {
            if (!queues.TryGetValue(endpoint, out var queue))
            {
                queues.Add(endpoint, queue = new(largestQueue));
            }
            var queued = new QueuedMessage(endpoint, message, priority, sequence++, time.GetUtcNow() + timeToLive);
            if (!queue.TryAdd(queued))
            {
                queue.DropExpired(time.GetUtcNow());
                if (!queue.TryAdd(queued))
                {
                    return ValueTask.FromException(
                        new HubException(
                            HubError.QuotaExceeded,
                            $"{queue.Size} bytes wait at {endpoint}; with this message it would be over {largestQueue}."
                        )
                    );
                }
            }
            arrivals.Remove(endpoint.ModuleId!, out arrival);
        }
        arrival?.TrySetResult();
        return ValueTask.CompletedTask;
    }

    /// <summary>
    /// The next message for a module, whichever input it is for, as soon as there is one. It stays until
    /// <see cref="Complete"/>: asked again, this gives it again.
    /// </summary>
    public async ValueTask<QueuedMessage> NextAsync(string moduleId, CancellationToken cancellationToken)
    {
        while (true)
        {
            TaskCompletionSource? arrival;
            lock (gate)
            {
                if (Oldest(moduleId) is { } message)
                {
                    return message;
                }
                if (!arrivals.TryGetValue(moduleId, out arrival))
                {
                    arrivals[moduleId] = arrival = new(TaskCreationOptions.RunContinuationsAsynchronously);
                }
            }
            await arrival.Task.WaitAsync(cancellationToken);
        }
    }

    /// <summary>The receiver has it: forget it.</summary>
    public void Complete(QueuedMessage message)
    {
        lock (gate)
        {
            queues[message.Endpoint].Remove(message);
        }
    }

    /// <summary>How many messages wait where. A snapshot.</summary>
    public IReadOnlyDictionary<RouteEndpoint, int> Waiting()
    {
        lock (gate)
        {
            foreach (var queue in queues.Values)
            {
                queue.DropExpired(time.GetUtcNow());
            }
            return queues.Where(q => q.Value.Count > 0).ToDictionary(q => q.Key, q => q.Value.Count);
        }
    }

    // Priorities order the messages of one input; between inputs the older message goes first.
    private QueuedMessage? Oldest(string moduleId)
    {
        var now = time.GetUtcNow();
        QueuedMessage? oldest = null;
        foreach (var (endpoint, queue) in queues)
        {
            if (
                endpoint.ModuleId == moduleId
                && queue.Peek(now) is { } first
                && (oldest is null || first.Sequence < oldest.Sequence)
            )
            {
                oldest = first;
            }
        }
        return oldest;
    }
}
