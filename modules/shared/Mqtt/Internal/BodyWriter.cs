using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace EdgeDm.Mqtt.Internal;

/// <summary>Writes the parts of a packet. Allocates nothing.</summary>
internal static class BodyWriter
{
    public const int LongestText = ushort.MaxValue;

    public static void WriteHeader(IBufferWriter<byte> output, MqttPacketType type, byte flags, int remainingLength)
    {
        if (remainingLength > MqttFrame.LargestRemainingLength)
        {
            throw new ArgumentException($"{remainingLength} bytes do not fit into one MQTT packet.");
        }
        var span = output.GetSpan(5);
        span[0] = (byte)(((int)type << 4) | flags);
        var used = 1;
        do
        {
            var digit = (byte)(remainingLength & 0x7F);
            remainingLength >>= 7;
            span[used++] = remainingLength > 0 ? (byte)(digit | 0x80) : digit;
        } while (remainingLength > 0);
        output.Advance(used);
    }

    public static void WriteByte(IBufferWriter<byte> output, byte value)
    {
        output.GetSpan(1)[0] = value;
        output.Advance(1);
    }

    public static void WriteUInt16(IBufferWriter<byte> output, ushort value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(output.GetSpan(2), value);
        output.Advance(2);
    }

    public static void WriteText(IBufferWriter<byte> output, string text)
    {
        var length = TextLength(text);
        WriteUInt16(output, (ushort)(length - 2));
        Encoding.UTF8.GetBytes(text, output);
    }

    public static void WriteBytes(IBufferWriter<byte> output, ReadOnlySpan<byte> bytes)
    {
        _ = BytesLength(bytes.Length);
        WriteUInt16(output, (ushort)bytes.Length);
        output.Write(bytes);
    }

    /// <summary>Bytes of a text with its length field.</summary>
    public static int TextLength(string text) => BytesLength(Encoding.UTF8.GetByteCount(text));

    /// <summary>Bytes of a binary field with its length field.</summary>
    public static int BytesLength(int count) =>
        count <= LongestText
            ? count + 2
            : throw new ArgumentException($"A field of {count} bytes is over MQTT's limit of {LongestText}.");

    /// <summary>A packet whose body is a packet id alone.</summary>
    public static void WriteIdOnly(IBufferWriter<byte> output, MqttPacketType type, ushort packetId)
    {
        if (packetId == 0)
        {
            throw new ArgumentException($"{type} must not have packet id 0.");
        }
        var span = output.GetSpan(4);
        span[0] = (byte)((int)type << 4);
        span[1] = 2;
        BinaryPrimitives.WriteUInt16BigEndian(span[2..], packetId);
        output.Advance(4);
    }
}
