namespace EdgeDm.DevHub.Queues;

/// <summary>One queue: by priority, in the order of arrival within one. Not thread-safe.</summary>
/// <param name="limit">Most bytes.</param>
internal sealed class MessageQueue(long limit)
{
    private readonly SortedDictionary<uint, Queue<QueuedMessage>> byPriority = [];

    /// <summary>Messages that wait.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes that wait.</summary>
    public long Size { get; private set; }

    /// <summary>True when another of this size may wait.</summary>
    public bool HasRoomFor(long size) => Size + size <= limit;

    /// <summary>Adds at the end of its priority.</summary>
    public void Add(QueuedMessage message)
    {
        if (!byPriority.TryGetValue(message.Priority, out var queue))
        {
            byPriority.Add(message.Priority, queue = new());
        }
        queue.Enqueue(message);
        Count++;
        Size += message.Size;
    }

    /// <summary>The next message, which stays; null when there is none. What expired on the way to it goes.</summary>
    public QueuedMessage? Peek(DateTimeOffset now, Action<QueuedMessage> gone)
    {
        if (Count == 0)
        {
            return null;
        }
        foreach (var queue in byPriority.Values)
        {
            while (queue.TryPeek(out var message))
            {
                if (message.Expires is not { } end || end > now)
                {
                    return message;
                }
                gone(Drop(queue));
            }
        }
        return null;
    }

    /// <summary>Drops everything that has expired, wherever it stands.</summary>
    public void DropExpired(DateTimeOffset now, Action<QueuedMessage> gone) => Drop(m => m.Expires <= now, gone);

    /// <summary>Drops everything.</summary>
    public void Clear(Action<QueuedMessage> gone) => Drop(_ => true, gone);

    /// <summary>Removes a message that was the first of its priority. False when it is gone already.</summary>
    public bool Remove(QueuedMessage message)
    {
        if (
            byPriority.TryGetValue(message.Priority, out var queue)
            && queue.TryPeek(out var first)
            && ReferenceEquals(first, message)
        )
        {
            Drop(queue);
            return true;
        }
        return false;
    }

    private void Drop(Func<QueuedMessage, bool> which, Action<QueuedMessage> gone)
    {
        foreach (var queue in byPriority.Values)
        {
            for (var left = queue.Count; left > 0; left--)
            {
                var message = Drop(queue);
                if (which(message))
                {
                    gone(message);
                }
                else
                {
                    Add(message);
                }
            }
        }
    }

    private QueuedMessage Drop(Queue<QueuedMessage> queue)
    {
        var message = queue.Dequeue();
        Count--;
        Size -= message.Size;
        return message;
    }
}
