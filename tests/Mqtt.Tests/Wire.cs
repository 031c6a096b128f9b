using System.Buffers;

namespace EdgeDm.Mqtt.Tests;

/// <summary>Bytes to packets and back, and buffers cut into pieces.</summary>
internal static class Wire
{
    public const int Limit = 262_144;

    public static byte[] Bytes(Action<IBufferWriter<byte>> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        write(buffer);
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>The one packet in these bytes.</summary>
    public static MqttFrame Frame(byte[] bytes, int limit = Limit)
    {
        var sequence = new ReadOnlySequence<byte>(bytes);
        MqttFrame.TryReadFrame(ref sequence, limit, out var frame).ShouldBeTrue();
        sequence.IsEmpty.ShouldBeTrue();
        return frame;
    }

    /// <summary>A packet made by hand.</summary>
    public static MqttFrame Frame(MqttPacketType type, byte flags, params byte[] body) =>
        Frame([(byte)(((int)type << 4) | flags), (byte)body.Length, .. body]);

    /// <summary>The same bytes, each in a buffer of its own.</summary>
    public static ReadOnlySequence<byte> OneByOne(byte[] bytes)
    {
        var first = new Segment([]);
        var last = first;
        foreach (var one in bytes)
        {
            last = last.Append([one]);
        }
        return new(first, 0, last, last.Memory.Length);
    }

    /// <summary>The same bytes in two buffers.</summary>
    public static ReadOnlySequence<byte> Cut(byte[] bytes, int at)
    {
        var first = new Segment(bytes[..at]);
        var last = first.Append(bytes[at..]);
        return new(first, 0, last, last.Memory.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(byte[] bytes) => Memory = bytes;

        public Segment Append(byte[] bytes)
        {
            var next = new Segment(bytes) { RunningIndex = RunningIndex + Memory.Length };
            Next = next;
            return next;
        }
    }
}
