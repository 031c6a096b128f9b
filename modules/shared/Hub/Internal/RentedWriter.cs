using System.Buffers;

namespace EdgeDm.Hub.Internal;

/// <summary>Grows in rented memory and gives it back when it is emptied: a connection that has nothing to say holds none.</summary>
internal sealed class RentedWriter : IBufferWriter<byte>
{
    private const int Smallest = 1024;

    private byte[] buffer = [];
    private int count;

    /// <summary>What was written since it was emptied.</summary>
    public ReadOnlyMemory<byte> Written => buffer.AsMemory(0, count);

    public void Advance(int count) => this.count += count;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        MakeRoom(sizeHint);
        return buffer.AsMemory(count);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        MakeRoom(sizeHint);
        return buffer.AsSpan(count);
    }

    public void Clear()
    {
        if (buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        buffer = [];
        count = 0;
    }

    private void MakeRoom(int wanted)
    {
        if (buffer.Length - count >= Math.Max(wanted, 1))
        {
            return;
        }
        var larger = ArrayPool<byte>.Shared.Rent(
            Math.Max(checked(count + Math.Max(wanted, 1)), Math.Max(Smallest, 2 * buffer.Length))
        );
        buffer.AsSpan(0, count).CopyTo(larger);
        var written = count;
        Clear();
        (buffer, count) = (larger, written);
    }
}
