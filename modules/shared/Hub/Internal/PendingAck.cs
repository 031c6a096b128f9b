using System.Threading.Tasks.Sources;
using EdgeDm.Mqtt;

namespace EdgeDm.Hub.Internal;

/// <summary>
/// A packet that waits for its acknowledgement, and the task of its sender. Used again when both the table and the sender have
/// let go of it: a sender who gives up leaves it in the table until the hub answers.
/// </summary>
internal sealed class PendingAck(PendingAcks table) : IValueTaskSource<SubackPacket?>, IValueTaskSource
{
    private ManualResetValueTaskSourceCore<SubackPacket?> source = new() { RunContinuationsAsynchronously = true };
    private CancellationTokenRegistration registration;
    private int isDecided;
    private int holders;

    public ushort PacketId { get; private set; }

    /// <summary>It has a place in the window of unacknowledged publishes.</summary>
    public bool HoldsWindow { get; private set; }

    /// <summary>Time stamp of the session's clock.</summary>
    public long SentAt { get; private set; }

    public void Begin(ushort packetId, bool holdsWindow, long now)
    {
        source.Reset();
        (PacketId, HoldsWindow, SentAt) = (packetId, holdsWindow, now);
        isDecided = 0;
        holders = 2;
    }

    /// <summary>The sender's task; to be awaited once.</summary>
    public ValueTask WaitAsync(CancellationToken cancellationToken)
    {
        Watch(cancellationToken);
        return new(this, source.Version);
    }

    /// <summary>The same with what the hub answered to a SUBSCRIBE.</summary>
    public ValueTask<SubackPacket?> WaitForSubackAsync(CancellationToken cancellationToken)
    {
        Watch(cancellationToken);
        return new(this, source.Version);
    }

    /// <summary>The hub has answered; the table no longer has it.</summary>
    public void Complete(SubackPacket? suback)
    {
        if (Interlocked.Exchange(ref isDecided, 1) == 0)
        {
            source.SetResult(suback);
        }
        LetGo();
    }

    /// <summary>The hub will not answer; the table no longer has it.</summary>
    public void Fail(Exception error)
    {
        if (Interlocked.Exchange(ref isDecided, 1) == 0)
        {
            source.SetException(error);
        }
        LetGo();
    }

    SubackPacket? IValueTaskSource<SubackPacket?>.GetResult(short token) => GetResult(token);

    void IValueTaskSource.GetResult(short token) => GetResult(token);

    public ValueTaskSourceStatus GetStatus(short token) => source.GetStatus(token);

    public void OnCompleted(
        Action<object?> continuation,
        object? state,
        short token,
        ValueTaskSourceOnCompletedFlags flags
    ) => source.OnCompleted(continuation, state, token, flags);

    private SubackPacket? GetResult(short token)
    {
        _ = source.GetStatus(token); // Throws for a task that was awaited before, which must not let go twice.
        // Behind it no call-back of this wait can touch the next one.
        registration.Dispose();
        registration = default;
        try
        {
            return source.GetResult(token);
        }
        finally
        {
            LetGo();
        }
    }

    private void Watch(CancellationToken cancellationToken)
    {
        if (cancellationToken.CanBeCanceled)
        {
            registration = cancellationToken.UnsafeRegister(
                static (pending, token) => ((PendingAck)pending!).GiveUp(token),
                this
            );
        }
    }

    private void GiveUp(CancellationToken token)
    {
        if (Interlocked.Exchange(ref isDecided, 1) == 0)
        {
            source.SetException(new OperationCanceledException(token));
        }
    }

    private void LetGo()
    {
        if (Interlocked.Decrement(ref holders) == 0)
        {
            table.TakeBack(this);
        }
    }
}

/// <summary>The packets that wait for an acknowledgement, by packet id. Used under the link's gate, but for <see cref="TakeBack"/>.</summary>
internal sealed class PendingAcks(int mostKept)
{
    private readonly Dictionary<ushort, PendingAck> open = [];
    private readonly Lock gate = new();
    private readonly Stack<PendingAck> free = new();
    private ushort lastPacketId;

    public bool IsEmpty => open.Count == 0;

    /// <summary>Gives the next packet its id, in the order of the calls.</summary>
    public PendingAck Add(bool holdsWindow, long now)
    {
        do
        {
            lastPacketId = lastPacketId == ushort.MaxValue ? (ushort)1 : (ushort)(lastPacketId + 1);
        } while (open.ContainsKey(lastPacketId));
        PendingAck? pending;
        lock (gate)
        {
            free.TryPop(out pending);
        }
        pending ??= new(this);
        pending.Begin(lastPacketId, holdsWindow, now);
        open.Add(lastPacketId, pending);
        return pending;
    }

    public PendingAck? Remove(ushort packetId)
    {
        open.Remove(packetId, out var pending);
        return pending;
    }

    public PendingAck[] RemoveAll() => RemoveAll(_ => true);

    public PendingAck[] RemoveAll(Func<PendingAck, bool> which)
    {
        PendingAck[] found = [.. open.Values.Where(which)];
        foreach (var pending in found)
        {
            open.Remove(pending.PacketId);
        }
        return found;
    }

    /// <summary>When the oldest was sent; there must be one.</summary>
    public long Oldest => open.Values.Min(pending => pending.SentAt);

    /// <summary>From any thread: nobody holds it any more.</summary>
    public void TakeBack(PendingAck pending)
    {
        lock (gate)
        {
            if (free.Count < mostKept)
            {
                free.Push(pending);
            }
        }
    }
}
