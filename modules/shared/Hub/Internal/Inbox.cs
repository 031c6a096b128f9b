using System.Threading.Tasks.Sources;

namespace EdgeDm.Hub.Internal;

/// <summary>
/// What waits for one reader, in order, bounded. Ends with what it still holds, then with its error. An item leaves only into
/// a reader's hands: a reader that gives up waiting takes nothing with it. Allocates nothing per item.
/// </summary>
internal sealed class Inbox<T>(int capacity) : IValueTaskSource<bool>
{
    private const int Smallest = 4;

    private readonly Lock gate = new();
    private ManualResetValueTaskSourceCore<bool> source = new() { RunContinuationsAsynchronously = true };
    private CancellationTokenRegistration registration;
    private T[] ring = [];
    private int first;
    private int count;
    private bool isWaiting;
    private bool completed;
    private Exception? error;

    /// <summary>False when it is full.</summary>
    public bool TryAdd(T item)
    {
        lock (gate)
        {
            if (count >= capacity)
            {
                return false;
            }
            MakeRoom();
            ring[(first + count) & (ring.Length - 1)] = item;
            count++;
            if (!TakeWaiter())
            {
                return true;
            }
        }
        source.SetResult(true);
        return true;
    }

    /// <summary>Returns an item that was taken and not finished.</summary>
    public void PutBack(T item)
    {
        lock (gate)
        {
            MakeRoom();
            first = (first - 1) & (ring.Length - 1);
            ring[first] = item;
            count++;
            if (!TakeWaiter())
            {
                return;
            }
        }
        source.SetResult(true);
    }

    /// <summary>Nothing more will come.</summary>
    public void Complete(Exception? reason)
    {
        lock (gate)
        {
            if (completed)
            {
                return;
            }
            completed = true;
            error = reason;
            if (!TakeWaiter())
            {
                return;
            }
        }
        source.SetResult(true);
    }

    /// <summary>Takes all that waits.</summary>
    public IReadOnlyList<T> Drain()
    {
        var all = new List<T>();
        while (TryTake(out var item))
        {
            all.Add(item);
        }
        return all;
    }

    /// <summary>Takes the next item, if there is one.</summary>
    public bool TryTake(out T item)
    {
        lock (gate)
        {
            if (count == 0)
            {
                item = default!;
                return false;
            }
            item = ring[first];
            ring[first] = default!;
            first = (first + 1) & (ring.Length - 1);
            count--;
            return true;
        }
    }

    /// <summary>Waits until <see cref="TryTake"/> is worth a try. False is the end; throws what it was completed with.</summary>
    /// <exception cref="InvalidOperationException">Another one waits already.</exception>
    public ValueTask<bool> WaitAsync(CancellationToken cancellationToken)
    {
        short version;
        lock (gate)
        {
            if (count > 0)
            {
                return ValueTask.FromResult(true);
            }
            if (completed)
            {
                return error is null ? ValueTask.FromResult(false) : ValueTask.FromException<bool>(error);
            }
            if (isWaiting)
            {
                throw new InvalidOperationException("A subscription is read by one loop at a time.");
            }
            source.Reset();
            isWaiting = true;
            version = source.Version;
        }
        if (cancellationToken.CanBeCanceled)
        {
            registration = cancellationToken.UnsafeRegister(
                static (inbox, token) => ((Inbox<T>)inbox!).GiveUp(token),
                this
            );
        }
        return new(this, version);
    }

    bool IValueTaskSource<bool>.GetResult(short token)
    {
        // Behind it no call-back of this wait can touch the next one.
        registration.Dispose();
        registration = default;
        source.GetResult(token);
        lock (gate)
        {
            return count > 0 || (error is null ? !completed : throw error);
        }
    }

    ValueTaskSourceStatus IValueTaskSource<bool>.GetStatus(short token) => source.GetStatus(token);

    void IValueTaskSource<bool>.OnCompleted(
        Action<object?> continuation,
        object? state,
        short token,
        ValueTaskSourceOnCompletedFlags flags
    ) => source.OnCompleted(continuation, state, token, flags);

    private void GiveUp(CancellationToken token)
    {
        lock (gate)
        {
            if (!TakeWaiter())
            {
                return;
            }
        }
        source.SetException(new OperationCanceledException(token));
    }

    /// <summary>True: there was one, and it is the caller's to wake, outside the gate.</summary>
    private bool TakeWaiter()
    {
        var was = isWaiting;
        isWaiting = false;
        return was;
    }

    private void MakeRoom()
    {
        if (count < ring.Length)
        {
            return;
        }
        var larger = new T[Math.Max(Smallest, 2 * ring.Length)]; // Powers of two: positions are masked.
        for (var index = 0; index < count; index++)
        {
            larger[index] = ring[(first + index) & (ring.Length - 1)];
        }
        (ring, first) = (larger, 0);
    }
}
