namespace EdgeDm.DevHub.Routing;

/// <summary>A message that waits for its receiver.</summary>
/// <param name="Endpoint">Whom it is for.</param>
/// <param name="Message">What.</param>
/// <param name="Priority">Of the route that it took; 0 is first.</param>
/// <param name="Sequence">Order of arrival, over all endpoints.</param>
/// <param name="Expires">When it is dropped; null = never.</param>
public sealed record QueuedMessage(
    RouteEndpoint Endpoint,
    HubMessage Message,
    uint Priority,
    long Sequence,
    DateTimeOffset? Expires
);

/// <summary>What waits for one input of one module: by priority, in the order of arrival within one. Not thread-safe.</summary>
/// <param name="limit">Most bytes.</param>
internal sealed class EndpointQueue(long limit)
{
    private readonly SortedDictionary<uint, Queue<QueuedMessage>> byPriority = [];

    /// <summary>Messages that wait.</summary>
    public int Count => byPriority.Values.Sum(q => q.Count);

    /// <summary>Bytes that wait.</summary>
    public long Size { get; private set; }

    /// <summary>Adds at the end of its priority, unless the queue is full.</summary>
    public bool TryAdd(QueuedMessage message)
    {
        if (Size + message.Message.Size > limit)
        {
            return false;
        }
        if (!byPriority.TryGetValue(message.Priority, out var queue))
        {
            byPriority.Add(message.Priority, queue = new());
        }
        queue.Enqueue(message);
        Size += message.Message.Size;
        return true;
    }

    /// <summary>The next message, which stays; null when there is none. Drops what expired on the way to it.</summary>
    public QueuedMessage? Peek(DateTimeOffset now)
    {
        foreach (var queue in byPriority.Values)
        {
            while (queue.TryPeek(out var message))
            {
                if (message.Expires is not { } end || end > now)
                {
                    return message;
                }
                Drop(queue);
            }
        }
        return null;
    }

    /// <summary>Drops everything that has expired, wherever it stands.</summary>
    public void DropExpired(DateTimeOffset now)
    {
        foreach (var queue in byPriority.Values)
        {
            for (var left = queue.Count; left > 0; left--)
            {
                var message = queue.Dequeue();
                if (message.Expires <= now)
                {
                    Size -= message.Message.Size;
                }
                else
                {
                    queue.Enqueue(message);
                }
            }
        }
    }

    /// <summary>Removes a message that was the first of its priority. No error when it is gone.</summary>
    public void Remove(QueuedMessage message)
    {
        if (
            byPriority.TryGetValue(message.Priority, out var queue)
            && queue.TryPeek(out var first)
            && ReferenceEquals(first, message)
        )
        {
            Drop(queue);
        }
    }

    private void Drop(Queue<QueuedMessage> queue) => Size -= queue.Dequeue().Message.Size;
}
