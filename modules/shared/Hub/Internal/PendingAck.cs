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

    /// <summary>What it will send once there is a place for it; null when it was sent.</summary>
    public byte[]? Topic { get; private set; }

    public ReadOnlyMemory<byte> Payload { get; private set; }

    /// <summary>Its sender has given up, or it is done.</summary>
    public bool IsDecided => Volatile.Read(ref isDecided) != 0;

    public void Begin(bool holdsWindow)
    {
        source.Reset();
        HoldsWindow = holdsWindow;
        isDecided = 0;
        holders = 2;
    }

    /// <summary>It waits for a place.</summary>
    public void Park(byte[] topic, ReadOnlyMemory<byte> payload) => (Topic, Payload) = (topic, payload);

    /// <summary>It is sent.</summary>
    public void Sent(ushort packetId, long now)
    {
        (PacketId, SentAt) = (packetId, now);
        (Topic, Payload) = (null, default);
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

    /// <summary>By the table and by the sender, once each.</summary>
    public void LetGo()
    {
        if (Interlocked.Decrement(ref holders) == 0)
        {
            table.TakeBack(this);
        }
    }
}

/// <summary>
/// The packets that wait for an acknowledgement, by packet id, and behind them, in the order of the calls, those that wait for a place in the
/// window. Used under the link's gate, but for <see cref="TakeBack"/>.
/// </summary>
/// <param name="window">Most publishes without an acknowledgement.</param>
internal sealed class PendingAcks(int window)
{
    private readonly Dictionary<ushort, PendingAck> open = [];
    private readonly Queue<PendingAck> parked = new();
    private readonly Lock gate = new();
    private readonly Stack<PendingAck> free = new();
    private ushort lastPacketId;
    private int inWindow;

    public bool IsEmpty => open.Count == 0;

    /// <summary>A publish may leave now; else it is to be parked.</summary>
    public bool HasPlace => inWindow < window && parked.Count == 0;

    /// <summary>A new one, neither sent nor parked.</summary>
    public PendingAck Begin(bool holdsWindow)
    {
        PendingAck? pending;
        lock (gate)
        {
            free.TryPop(out pending);
        }
        pending ??= new(this);
        pending.Begin(holdsWindow);
        return pending;
    }

    /// <summary>It is sent now: gives it the next packet id.</summary>
    public void Add(PendingAck pending, long now)
    {
        do
        {
            lastPacketId = lastPacketId == ushort.MaxValue ? (ushort)1 : (ushort)(lastPacketId + 1);
        } while (open.ContainsKey(lastPacketId));
        inWindow += pending.HoldsWindow ? 1 : 0;
        open.Add(lastPacketId, pending);
        pending.Sent(lastPacketId, now);
    }

    /// <summary>It waits for a place.</summary>
    public void Park(PendingAck pending, byte[] topic, ReadOnlyMemory<byte> payload)
    {
        pending.Park(topic, payload);
        parked.Enqueue(pending);
    }

    /// <summary>The first that waits for a place, when there is one for it; to be added. Those whose senders have given up are passed over.</summary>
    public PendingAck? Unpark()
    {
        while (inWindow < window && parked.TryDequeue(out var next))
        {
            if (!next.IsDecided)
            {
                return next;
            }
            next.LetGo();
        }
        return null;
    }

    public PendingAck? Remove(ushort packetId)
    {
        if (open.Remove(packetId, out var pending))
        {
            inWindow -= pending.HoldsWindow ? 1 : 0;
        }
        return pending;
    }

    /// <summary>Takes out all that were sent and are of this kind.</summary>
    public PendingAck[] RemoveAll(Func<PendingAck, bool> which)
    {
        PendingAck[] found = [.. open.Values.Where(which)];
        foreach (var pending in found)
        {
            Remove(pending.PacketId);
        }
        return found;
    }

    /// <summary>Takes out all that wait for a place.</summary>
    public PendingAck[] RemoveParked()
    {
        var all = parked.ToArray();
        parked.Clear();
        return all;
    }

    /// <summary>When the oldest was sent; there must be one.</summary>
    public long Oldest => open.Values.Min(pending => pending.SentAt);

    /// <summary>From any thread: nobody holds it any more.</summary>
    public void TakeBack(PendingAck pending)
    {
        lock (gate)
        {
            if (free.Count < window)
            {
                free.Push(pending);
            }
        }
    }
}
