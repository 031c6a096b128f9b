namespace EdgeDm.DevHub.Routing;

/// <summary>A message that went <c>$upstream</c>.</summary>
/// <param name="Sequence">Counts from 1 since the hub started.</param>
/// <param name="Enqueued">When the hub took it.</param>
/// <param name="Message">What.</param>
public sealed record UpstreamMessage(long Sequence, DateTimeOffset Enqueued, HubMessage Message);

/// <summary>
/// The newest messages that went <c>$upstream</c>, for tests and people to read. Stands in for the cloud's Event Hub
/// endpoint. Safe for use by many threads.
/// </summary>
/// <param name="capacity">Messages kept.</param>
/// <param name="time">For the enqueued time.</param>
public sealed class UpstreamLog(int capacity, TimeProvider time)
{
    private readonly Lock gate = new();
    private readonly Queue<UpstreamMessage> kept = new();
    private TaskCompletionSource arrival = NewArrival();
    private long last;

    /// <summary>Told of each message before its sender hears that it was taken; set once, before the hub serves.</summary>
    public Action<HubMessage>? Taking { get; set; }

    /// <summary>Keeps a message, and forgets the oldest when there are too many.</summary>
    public void Add(HubMessage message)
    {
        Taking?.Invoke(message);
        TaskCompletionSource told;
        lock (gate)
        {
            kept.Enqueue(new(++last, time.GetUtcNow(), message));
            if (kept.Count > capacity)
            {
                kept.Dequeue();
            }
            told = arrival;
            arrival = NewArrival();
        }
        told.TrySetResult();
    }

    /// <summary>What came after that sequence number. A number never given (the hub was restarted) counts as 0.</summary>
    public IReadOnlyList<UpstreamMessage> After(long sequence)
    {
        lock (gate)
        {
            return [.. kept.Where(m => sequence > last || m.Sequence > sequence)];
        }
    }

    /// <summary>As <see cref="After"/>, but waits for the first message; empty when none came in time.</summary>
    public async Task<IReadOnlyList<UpstreamMessage>> WaitAsync(
        long sequence,
        TimeSpan wait,
        CancellationToken cancellationToken
    )
    {
        using var limit = new CancellationTokenSource(wait, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        while (true)
        {
            Task next;
            lock (gate)
            {
                next = arrival.Task;
            }
            if (After(sequence) is { Count: > 0 } found)
            {
                return found;
            }
            try
            {
                await next.WaitAsync(both.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                return [];
            }
        }
    }

    private static TaskCompletionSource NewArrival() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
