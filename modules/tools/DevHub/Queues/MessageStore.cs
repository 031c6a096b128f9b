using EdgeDm.DevHub.Identities;
using EdgeDm.DevHub.Routing;

namespace EdgeDm.DevHub.Queues;

/// <summary>
/// The messages that wait for their receivers, whether those are connected or not. A message leaves when its receiver has
/// acknowledged it or its time is over; with a journal it outlives the hub's process. Safe for use by many threads.
/// </summary>
public sealed class MessageStore : IDisposable
{
    private readonly long largestQueue;
    private readonly MessageJournal? journal;
    private readonly TimeProvider time;
    private readonly Action<QueuedMessage> gone;
    private readonly Lock gate = new();
    private readonly Dictionary<HubIdentity, Receiver> receivers = [];
    private long lastSequence;
    private long? storeLimit;

    /// <summary>Takes up what an earlier process left in the journal.</summary>
    /// <param name="largestQueue">Most bytes for one input.</param>
    /// <param name="journal">Where messages are kept, and theirs from here on; null = in memory only.</param>
    /// <param name="time">For expiry.</param>
    internal MessageStore(long largestQueue, MessageJournal? journal, TimeProvider time)
    {
        this.largestQueue = largestQueue;
        this.journal = journal;
        this.time = time;
        gone = message => journal?.Remove(message.Sequence);
        foreach (var message in journal?.TakeFound() ?? [])
        {
            QueueOf(message.Queue).Add(message);
            lastSequence = Math.Max(lastSequence, message.Sequence);
        }
    }

    /// <summary>
    /// Bytes of messages to inputs; while more wait, none is taken (<c>storeLimits.maxSizeBytes</c>). As edgeHub looks before it adds, the last may go beyond.
    /// Null = no such limit.
    /// </summary>
    public long? StoreLimit
    {
        set
        {
            lock (gate)
            {
                storeLimit = value;
            }
        }
    }

    /// <summary>Takes a message into its queue. Completes when it is accepted: with a journal, when it is on disk.</summary>
    /// <exception cref="HubException"><see cref="HubError.IotHubQuotaExceeded"/>: the queue or the disk is full.</exception>
    public ValueTask EnqueueAsync(
        QueueName name,
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
        Task? kept;
        Action? arrived;
        lock (gate)
        {
            var now = time.GetUtcNow();
            var queue = QueueOf(name);
            var queued = new QueuedMessage(name, message, priority, lastSequence + 1, now + timeToLive);
            if (!queue.HasRoomFor(queued.Size))
            {
                queue.DropExpired(now, gone);
                if (!queue.HasRoomFor(queued.Size))
                {
                    return ValueTask.FromException(
                        new HubException(
                            HubError.IotHubQuotaExceeded,
                            $"{queue.Size} bytes wait at {name}; with this message it would be over {largestQueue}."
                        )
                    );
                }
            }
            if (
                name.Input is not null
                && storeLimit is { } most
                && InputBytes(now, most) is var waiting
                && waiting > most
            )
            {
                return ValueTask.FromException(
                    new HubException(
                        HubError.IotHubQuotaExceeded,
                        $"{waiting} bytes wait for modules, more than storeLimits.maxSizeBytes ({most}) of $edgeHub: nothing is taken until some have left or expired."
                    )
                );
            }
            lastSequence = queued.Sequence;
            // It may be delivered before it is on disk: its sender, who was not told, comes again then, as anybody may.
            queue.Add(queued);
            kept = journal?.Add(queued);
            arrived = receivers[name.Receiver].Arrived;
        }
        arrived?.Invoke();
        return kept is null ? ValueTask.CompletedTask : new(kept);
    }

    /// <summary>Tells of each message that comes for a receiver, on its sender's thread: be quick. One at a time listens; null = nobody.</summary>
    public void Listen(HubIdentity receiver, Action? arrived)
    {
        lock (gate)
        {
            ReceiverOf(receiver).Arrived = arrived;
        }
    }

    /// <summary>The next message for a receiver, whichever queue it waits in; null when there is none. It stays until <see cref="Complete"/>.</summary>
    public QueuedMessage? Peek(HubIdentity receiver)
    {
        lock (gate)
        {
            if (!receivers.TryGetValue(receiver, out var known))
            {
                return null;
            }
            // Priorities order the messages of one queue; between queues the older message goes first.
            var now = time.GetUtcNow();
            QueuedMessage? oldest = null;
            foreach (var queue in known.Queues.Values)
            {
                if (queue.Peek(now, gone) is { } first && (oldest is null || first.Sequence < oldest.Sequence))
                {
                    oldest = first;
                }
            }
            return oldest;
        }
    }

    /// <summary>The receiver has it: forget it.</summary>
    public void Complete(QueuedMessage message)
    {
        lock (gate)
        {
            if (QueueOf(message.Queue).Remove(message))
            {
                gone(message);
            }
        }
    }

    /// <summary>Forgets all that waits in a queue. Returns how many those were.</summary>
    public int Purge(QueueName name)
    {
        lock (gate)
        {
            var queue = QueueOf(name);
            var count = queue.Count;
            queue.Clear(gone);
            return count;
        }
    }

    /// <summary>How many messages wait in a queue.</summary>
    public int Count(QueueName name)
    {
        lock (gate)
        {
            if (!receivers.TryGetValue(name.Receiver, out var known) || known.Queues.Count == 0)
            {
                return 0;
            }
            var queue = QueueOf(name);
            queue.DropExpired(time.GetUtcNow(), gone);
            return queue.Count;
        }
    }

    /// <summary>How many messages wait where. A snapshot.</summary>
    public IReadOnlyDictionary<QueueName, int> Waiting()
    {
        lock (gate)
        {
            var now = time.GetUtcNow();
            var waiting = new Dictionary<QueueName, int>();
            foreach (var (receiver, known) in receivers)
            {
                foreach (var (input, queue) in known.Queues)
                {
                    queue.DropExpired(now, gone);
                    if (queue.Count > 0)
                    {
                        waiting.Add(new(receiver, input.Length == 0 ? null : input), queue.Count);
                    }
                }
            }
            return waiting;
        }
    }

    /// <summary>Ends the journal; what waits stays in it.</summary>
    public void Dispose() => journal?.Dispose();

    /// <summary>Bytes that wait at all inputs; where those are too many, what has expired goes first.</summary>
    private long InputBytes(DateTimeOffset now, long most)
    {
        long bytes = 0;
        foreach (var queue in InputQueues())
        {
            bytes += queue.Size;
        }
        if (bytes <= most)
        {
            return bytes;
        }
        bytes = 0;
        foreach (var queue in InputQueues())
        {
            queue.DropExpired(now, gone);
            bytes += queue.Size;
        }
        return bytes;
    }

    private IEnumerable<MessageQueue> InputQueues()
    {
        foreach (var receiver in receivers.Values)
        {
            foreach (var (input, queue) in receiver.Queues)
            {
                if (input.Length > 0)
                {
                    yield return queue;
                }
            }
        }
    }

    private MessageQueue QueueOf(QueueName name)
    {
        var queues = ReceiverOf(name.Receiver).Queues;
        var input = name.Input ?? "";
        if (!queues.TryGetValue(input, out var queue))
        {
            queues.Add(input, queue = new(largestQueue));
        }
        return queue;
    }

    private Receiver ReceiverOf(HubIdentity id)
    {
        if (!receivers.TryGetValue(id, out var receiver))
        {
            receivers.Add(id, receiver = new());
        }
        return receiver;
    }

    private sealed class Receiver
    {
        /// <summary>By input; "" = from the cloud.</summary>
        public Dictionary<string, MessageQueue> Queues { get; } = new(StringComparer.Ordinal);

        public Action? Arrived { get; set; }
    }
}
