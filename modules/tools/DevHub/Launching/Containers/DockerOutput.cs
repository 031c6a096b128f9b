using System.Buffers.Binary;

namespace EdgeDm.DevHub.Launching.Containers;

/// <summary>
/// The two outputs of a container as one stream. Docker sends them in frames: a byte that tells which, three of zero, and the length
/// (Docker Engine API, "Attach to a container", stream format).
/// </summary>
internal sealed class DockerOutput(Stream frames) : Stream
{
    private readonly byte[] header = new byte[8];
    private uint left;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (left == 0)
        {
            if (await frames.ReadAtLeastAsync(header, header.Length, throwOnEndOfStream: false, cancellationToken) < 8)
            {
                return 0;
            }
            left = BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(4));
        }
        var read = await frames.ReadAsync(buffer[..(int)Math.Min(left, (uint)buffer.Length)], cancellationToken);
        left -= (uint)read;
        await SocketThreads.Leave();
        return read;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush() { }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            frames.Dispose();
        }
        base.Dispose(disposing);
    }
}
