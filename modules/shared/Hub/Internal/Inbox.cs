namespace EdgeDm.Hub.Internal;

/// <summary>
/// What waits for one reader, in order, bounded. Ends with what it still holds, then with its error. An item leaves only into
/// a reader's hands: a reader that gives up waiting takes nothing with it.
/// </summary>
internal sealed class Inbox<T>(int capacity)
{
    private readonly Lock gate = new();
    private readonly LinkedList<T> items = [];
    private TaskCompletionSource? waiter;
    private Exception? error;
    private bool completed;

    /// <summary>False when it is full.</summary>
    public bool TryAdd(T item)
    {
        lock (gate)
        {
            if (items.Count >= capacity)
            {
                return false;
            }
            items.AddLast(item);
            Wake();
            return true;
        }
    }

    /// <summary>Returns an item that was taken and not finished.</summary>
    public void PutBack(T item)
    {
        lock (gate)
        {
            items.AddFirst(item);
            Wake();
        }
    }

    /// <summary>Nothing more will come.</summary>
    public void Complete(Exception? reason)
    {
        lock (gate)
        {
            if (!completed)
            {
                completed = true;
                error = reason;
                Wake();
            }
        }
    }

    /// <summary>Takes all that waits.</summary>
    public IReadOnlyList<T> Drain()
    {
        lock (gate)
        {
            T[] all = [.. items];
            items.Clear();
            return all;
        }
    }

    /// <summary>Waits until there is something to take: false = the end.</summary>
    public async ValueTask<(bool Found, T Item)> TakeAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Task wait;
            lock (gate)
            {
                if (items.First is { } first)
                {
                    items.RemoveFirst();
                    return (true, first.Value);
                }
                if (completed)
                {
                    return error is null ? (false, default!) : throw error;
                }
                waiter ??= new(TaskCreationOptions.RunContinuationsAsynchronously);
                wait = waiter.Task;
            }
            await wait.WaitAsync(cancellationToken);
        }
    }

    private void Wake()
    {
        waiter?.TrySetResult();
        waiter = null;
    }
}
