using System.Buffers;
using EdgeDm.Mqtt;

namespace EdgeDm.Hub.Internal;

/// <summary>
/// One stream of MQTT packets: one loop that reads, one that flushes, one timer that keeps it alive. Writers append to a
/// shared buffer under <see cref="Gate"/> and never touch the stream, so small packets leave together.
/// </summary>
internal sealed class MqttLink : IAsyncDisposable
{
    private readonly Stream stream;
    private readonly int maxPacketBytes;
    private readonly TimeSpan keepAlive;
    private readonly TimeProvider time;
    private readonly IMqttLinkOwner owner;
    private readonly AsyncSignal wake = new();

    // Never disposed: it has no timer, and any thread may close at any time.
    private readonly CancellationTokenSource closing = new();
    private readonly ITimer keepAliveTimer;
    private RentedWriter output = new();
    private RentedWriter spare = new();
    private volatile bool isDraining;
    private Task reading = Task.CompletedTask;
    private Task flushing = Task.CompletedTask;
    private long lastReceived;
    private long lastSent;

    public MqttLink(Stream stream, int maxPacketBytes, TimeSpan keepAlive, TimeProvider time, IMqttLinkOwner owner)
    {
        this.stream = stream;
        this.maxPacketBytes = maxPacketBytes;
        this.keepAlive = keepAlive;
        this.time = time;
        this.owner = owner;
        lastReceived = lastSent = time.GetTimestamp();
        keepAliveTimer = time.CreateTimer(
            static link => ((MqttLink)link!).OnKeepAlive(),
            this,
            Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan
        );
    }

    /// <summary>Guards <see cref="Output"/> and everything that must keep the order of what is written to it.</summary>
    public Lock Gate { get; } = new();

    /// <summary>Where packets are written, under <see cref="Gate"/>; then <see cref="Wake"/>.</summary>
    public IBufferWriter<byte> Output => output;

    public void Start()
    {
        reading = Task.Run(ReadAsync, CancellationToken.None);
        flushing = Task.Run(FlushAsync, CancellationToken.None);
        keepAliveTimer.Change(keepAlive / 2, Timeout.InfiniteTimeSpan);
    }

    /// <summary>What was written leaves soon.</summary>
    public void Wake()
    {
        Volatile.Write(ref lastSent, time.GetTimestamp());
        wake.Set();
    }

    /// <summary>Lets what was written leave, within the limit. Nothing may be written afterwards.</summary>
    public async Task DrainAsync(TimeSpan limit)
    {
        isDraining = true;
        wake.Set();
        try
        {
            await flushing.WaitAsync(limit, time, CancellationToken.None);
        }
        catch (TimeoutException)
        {
            // The peer does not take it; the close that follows ends the flusher.
        }
    }

    /// <summary>Closes at once. The loops end soon after.</summary>
    public void Close()
    {
        keepAliveTimer.Dispose();
        closing.Cancel();
        wake.Set();
        stream.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        Close();
        await Task.WhenAll(reading, flushing);
    }

    private async Task ReadAsync()
    {
        var received = new ReceiveBuffer(maxPacketBytes);
        try
        {
            while (true)
            {
                var count = await stream.ReadAsync(received.Free(), closing.Token);
                if (count == 0)
                {
                    owner.OnEnded(SessionEndReason.ClosedByPeer, null);
                    return;
                }
                received.Received(count);
                HubInstruments.Received(count);
                Volatile.Write(ref lastReceived, time.GetTimestamp());
                try
                {
                    while (received.TryRead(out var frame))
                    {
                        owner.OnFrame(frame);
                    }
                }
                finally
                {
                    owner.OnAllRead();
                }
            }
        }
        catch (MqttProtocolException error)
        {
            owner.OnEnded(SessionEndReason.ProtocolError, error);
        }
        catch (Exception error)
        {
            // Whatever it is, a loop must not end in silence: all waiters hang on it.
            owner.OnEnded(SessionEndReason.NetworkError, error);
        }
    }

    private async Task FlushAsync()
    {
        try
        {
            while (true)
            {
                await wake.WaitAsync();
                closing.Token.ThrowIfCancellationRequested();
                var isLast = isDraining; // Read first: all that was written before it leaves now.
                await FlushOnceAsync();
                if (isLast)
                {
                    return;
                }
            }
        }
        catch (Exception error)
        {
            owner.OnEnded(SessionEndReason.NetworkError, error);
        }
    }

    private async ValueTask FlushOnceAsync()
    {
        RentedWriter full;
        lock (Gate)
        {
            (full, output) = (output, spare);
        }
        if (full.Written.Length > 0)
        {
            await stream.WriteAsync(full.Written, closing.Token);
            await stream.FlushAsync(closing.Token);
            HubInstruments.Sent(full.Written.Length);
        }
        full.Clear();
        spare = full;
    }

    private void OnKeepAlive()
    {
        if (closing.IsCancellationRequested)
        {
            return;
        }
        var silence = time.GetElapsedTime(Volatile.Read(ref lastReceived));
        var limit = keepAlive * 1.5;
        if (silence >= limit)
        {
            owner.OnEnded(
                SessionEndReason.KeepAliveTimeout,
                new TimeoutException($"Nothing came from the hub for {silence.TotalSeconds:0.#} s.")
            );
            return;
        }
        if (silence >= keepAlive / 2 || time.GetElapsedTime(Volatile.Read(ref lastSent)) >= keepAlive / 2)
        {
            lock (Gate)
            {
                EmptyPackets.WritePingreq(output);
            }
            Wake();
        }
        var untilLimit = limit - silence;
        keepAliveTimer.Change(untilLimit < keepAlive / 2 ? untilLimit : keepAlive / 2, Timeout.InfiniteTimeSpan);
    }
}

/// <summary>Whom a link tells. Called from its loops: must return at once and never throw.</summary>
internal interface IMqttLinkOwner
{
    /// <summary>A packet came. It points into the receive buffer.</summary>
    void OnFrame(in MqttFrame frame);

    /// <summary>The packets that came together were all told, or one of them was wrong.</summary>
    void OnAllRead();

    /// <summary>The link is of no more use.</summary>
    void OnEnded(SessionEndReason reason, Exception? error);
}
