using System.Buffers;
using EdgeDm.Mqtt;

namespace EdgeDm.Hub.Internal;

/// <summary>
/// What was received and not read yet, in one piece. Small while little comes, as large as one packet at most; what a large packet has
/// stretched is given back behind it.
/// </summary>
/// <param name="maxPacketBytes">Most bytes of one packet.</param>
internal sealed class ReceiveBuffer(int maxPacketBytes)
{
    private const int Smallest = 1024;

    /// <summary>More at once would not make the stream faster: TLS hands over at most 16 KB.</summary>
    private const int LargestKept = 16 * 1024;

    private byte[] buffer = new byte[Smallest];
    private int first;
    private int end;

    /// <summary>Where to read to; never empty.</summary>
    public Memory<byte> Free()
    {
        if (first == end)
        {
            first = end = 0;
            if (buffer.Length > LargestKept)
            {
                buffer = new byte[LargestKept];
            }
        }
        if (end == buffer.Length)
        {
            var target = first > 0 ? buffer : new byte[2 * buffer.Length];
            buffer.AsSpan(first, end - first).CopyTo(target);
            (buffer, first, end) = (target, 0, end - first);
        }
        return buffer.AsMemory(end);
    }

    /// <summary>So much was read to <see cref="Free"/>.</summary>
    public void Received(int count)
    {
        end += count;
        if (end == buffer.Length && first == 0 && buffer.Length < LargestKept)
        {
            // It came full: the next read may get more.
            Array.Resize(ref buffer, 2 * buffer.Length);
        }
    }

    /// <summary>The next complete packet. It points into this buffer until the next <see cref="Free"/>.</summary>
    /// <exception cref="MqttProtocolException">The peer broke the protocol.</exception>
    public bool TryRead(out MqttFrame frame)
    {
        var rest = new ReadOnlySequence<byte>(buffer, first, end - first);
        var before = rest.Length;
        if (!MqttFrame.TryReadFrame(ref rest, maxPacketBytes, out frame))
        {
            return false;
        }
        first += (int)(before - rest.Length);
        return true;
    }
}
