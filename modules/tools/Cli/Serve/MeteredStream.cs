namespace EdgeDm.Cli;

/// <summary>Counts what is sent, and holds all streams together to a rate.</summary>
/// <param name="rate">Bytes per second; 0 = no bound.</param>
/// <param name="time">The clock.</param>
internal sealed class Meter(long rate, TimeProvider time)
{
    private readonly Lock gate = new();
    private readonly long start = time.GetTimestamp();
    private TimeSpan free = TimeSpan.Zero;
    private long sent;

    /// <summary>Bytes sent so far.</summary>
    public long Sent => Interlocked.Read(ref sent);

    /// <summary>Waits for the turn of so many bytes.</summary>
    public Task PaceAsync(int count, CancellationToken cancellationToken)
    {
        if (rate <= 0)
        {
            return Task.CompletedTask;
        }
        TimeSpan wait;
        lock (gate)
        {
            var now = time.GetElapsedTime(start);
            var turn = free > now ? free : now;
            free = turn + TimeSpan.FromSeconds((double)count / rate);
            wait = turn - now;
        }
        return wait > TimeSpan.Zero ? Task.Delay(wait, time, cancellationToken) : Task.CompletedTask;
    }

    /// <summary>So many bytes have been handed to the connection.</summary>
    public void Count(int count) => Interlocked.Add(ref sent, count);
}

/// <summary>A response body under a <see cref="Meter"/>.</summary>
internal sealed class MeteredStream(Stream inner, Meter meter) : Stream
{
    private const int Slice = 64 * 1024;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException("A response body has no length.");

    public override long Position
    {
        get => throw new NotSupportedException("A response body has no position.");
        set => throw new NotSupportedException("A response body has no position.");
    }

    public override async ValueTask WriteAsync(
        ReadOnlyMemory<byte> buffer,
        CancellationToken cancellationToken = default
    )
    {
        while (!buffer.IsEmpty)
        {
            var slice = buffer[..Math.Min(Slice, buffer.Length)];
            await meter.PaceAsync(slice.Length, cancellationToken);
            await inner.WriteAsync(slice, cancellationToken);
            meter.Count(slice.Length);
            buffer = buffer[slice.Length..];
        }
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    public override void Write(byte[] buffer, int offset, int count) =>
        throw new NotSupportedException("A response body is written asynchronously.");

    public override void Flush() => throw new NotSupportedException("A response body is flushed asynchronously.");

    public override int Read(byte[] buffer, int offset, int count) =>
        throw new NotSupportedException("A response body is not read.");

    public override long Seek(long offset, SeekOrigin origin) =>
        throw new NotSupportedException("A response body has no position.");

    public override void SetLength(long value) => throw new NotSupportedException("A response body has no length.");
}
