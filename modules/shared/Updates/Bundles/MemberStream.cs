namespace EdgeDm.Updates;

/// <summary>The part of the source that is one member. Ends where the member ends; never ends early without an error.</summary>
internal sealed class MemberStream(Stream source, long length) : Stream
{
    private const int SkipBuffer = 64 * 1024;
    private long left = length;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length { get; } = length;

    public override long Position
    {
        get => Length - left;
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        var wanted = buffer[..(int)Math.Min(buffer.Length, left)];
        return Count(wanted.Length, wanted.IsEmpty ? 0 : source.Read(wanted));
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var wanted = buffer[..(int)Math.Min(buffer.Length, left)];
        return Count(wanted.Length, wanted.IsEmpty ? 0 : await source.ReadAsync(wanted, cancellationToken));
    }

    /// <summary>Reads what the consumer left over.</summary>
    public async ValueTask SkipAsync(CancellationToken cancellationToken)
    {
        var buffer = left > 0 ? new byte[Math.Min(left, SkipBuffer)] : [];
        while (left > 0)
        {
            _ = await ReadAsync(buffer, cancellationToken);
        }
    }

    public override void Flush() { }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private int Count(int wanted, int got)
    {
        if (wanted > 0 && got == 0)
        {
            throw new EndOfStreamException("The bundle ends in the middle of a file.");
        }
        left -= got;
        return got;
    }
}
