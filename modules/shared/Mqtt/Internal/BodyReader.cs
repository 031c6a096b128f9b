using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace EdgeDm.Mqtt.Internal;

/// <summary>Reads a packet's body. Every short read, wrong text and left-over byte is a protocol error.</summary>
internal ref struct BodyReader(MqttFrame frame)
{
    private readonly MqttPacketType type = frame.Type;
    private SequenceReader<byte> reader = new(frame.Body);

    public readonly bool AtEnd => reader.End;

    public byte ReadByte() => reader.TryRead(out var value) ? value : throw TooShort();

    public ushort ReadUInt16() => reader.TryReadBigEndian(out short value) ? (ushort)value : throw TooShort();

    /// <summary>A packet id; 0 is not allowed (2.3.1-1).</summary>
    public ushort ReadPacketId()
    {
        var id = ReadUInt16();
        return id != 0 ? id : throw new MqttProtocolException($"{type} has packet id 0.");
    }

    /// <summary>A text with its length before it.</summary>
    public string ReadText() => Encoding.UTF8.GetString(ReadUtf8());

    /// <summary>The same where it lies: valid UTF-8 without U+0000 (1.5.3). A copy only when it lies in pieces.</summary>
    public ReadOnlySpan<byte> ReadUtf8()
    {
        var bytes = ReadLengthPrefixed();
        var text = bytes.IsSingleSegment ? bytes.FirstSpan : bytes.ToArray();
        if (!Utf8.IsValid(text))
        {
            throw new MqttProtocolException($"{type} has a text that is not UTF-8.");
        }
        return text.Contains((byte)0) ? throw new MqttProtocolException($"{type} has a text with U+0000.") : text;
    }

    /// <summary>Bytes with their length before them, copied.</summary>
    public byte[] ReadBytes() => ReadLengthPrefixed().ToArray();

    /// <summary>All that is left. Points into the receive buffer.</summary>
    public ReadOnlySequence<byte> ReadRest()
    {
        var rest = reader.UnreadSequence;
        reader.AdvanceToEnd();
        return rest;
    }

    public readonly void ExpectEnd()
    {
        if (!reader.End)
        {
            throw new MqttProtocolException($"{type} has {reader.Remaining} bytes too many.");
        }
    }

    private ReadOnlySequence<byte> ReadLengthPrefixed()
    {
        var length = ReadUInt16();
        return reader.TryReadExact(length, out var bytes) ? bytes : throw TooShort();
    }

    private readonly MqttProtocolException TooShort() => new($"{type} ends in the middle of a field.");
}
