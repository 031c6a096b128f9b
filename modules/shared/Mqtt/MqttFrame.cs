using System.Buffers;

namespace EdgeDm.Mqtt;

/// <summary>One MQTT control packet, cut out of the stream: fixed header taken apart, body not looked at yet.</summary>
/// <param name="Type">Control packet type.</param>
/// <param name="Flags">The fixed header's low four bits, already checked for <paramref name="Type"/>.</param>
/// <param name="Body">Variable header and payload. Points into the buffer that was read from.</param>
public readonly record struct MqttFrame(MqttPacketType Type, byte Flags, ReadOnlySequence<byte> Body)
{
    /// <summary>The largest packet that the four length bytes can tell (MQTT 3.1.1, 2.2.3).</summary>
    public const int LargestRemainingLength = 268_435_455;

    /// <summary>
    /// Takes the next packet off the front of <paramref name="buffer"/>. False when it has not arrived completely; the
    /// buffer is then untouched. Fails as soon as the header shows that the packet is malformed or too large.
    /// </summary>
    /// <param name="buffer">What was received; on success it begins behind the packet.</param>
    /// <param name="maxPacketSize">Most bytes of one packet, header included.</param>
    /// <param name="frame">The packet.</param>
    /// <exception cref="MqttProtocolException">The peer broke the protocol: close the connection.</exception>
    public static bool TryReadFrame(ref ReadOnlySequence<byte> buffer, int maxPacketSize, out MqttFrame frame)
    {
        frame = default;
        var reader = new SequenceReader<byte>(buffer);
        if (!reader.TryRead(out var first))
        {
            return false;
        }
        var type = (MqttPacketType)(first >> 4);
        var flags = (byte)(first & 0x0F);
        CheckFlags(type, flags);
        if (!TryReadRemainingLength(ref reader, out var length))
        {
            return false;
        }
        if (reader.Consumed + length > maxPacketSize)
        {
            throw new MqttProtocolException(
                $"A {type} packet of {reader.Consumed + length} bytes is over the limit of {maxPacketSize}."
            );
        }
        if (reader.Remaining < length)
        {
            return false;
        }
        frame = new(type, flags, reader.UnreadSequence.Slice(0, length));
        buffer = buffer.Slice(reader.Consumed + length);
        return true;
    }

    private static bool TryReadRemainingLength(ref SequenceReader<byte> reader, out int length)
    {
        const int MostLengthBytes = 4;
        length = 0;
        for (var index = 0; index < MostLengthBytes; index++)
        {
            if (!reader.TryRead(out var next))
            {
                return false;
            }
            length |= (next & 0x7F) << (7 * index);
            if ((next & 0x80) == 0)
            {
                return true;
            }
        }
        throw new MqttProtocolException("The remaining length has more than four bytes.");
    }

    private static void CheckFlags(MqttPacketType type, byte flags)
    {
        // MQTT 3.1.1, table 2.2; a receiver must close the connection on any other value (2.2.2-2).
        var wanted = type switch
        {
            MqttPacketType.Publish => flags,
            MqttPacketType.Pubrel or MqttPacketType.Subscribe or MqttPacketType.Unsubscribe => (byte)0b0010,
            >= MqttPacketType.Connect and <= MqttPacketType.Disconnect => (byte)0,
            _ => throw new MqttProtocolException($"Packet type {(int)type} is reserved."),
        };
        if (flags != wanted)
        {
            throw new MqttProtocolException($"{type} has the reserved flags {flags} instead of {wanted}.");
        }
    }
}

/// <summary>Control packet types (MQTT 3.1.1, table 2.1).</summary>
public enum MqttPacketType
{
    None = 0,
    Connect = 1,
    Connack = 2,
    Publish = 3,
    Puback = 4,
    Pubrec = 5,
    Pubrel = 6,
    Pubcomp = 7,
    Subscribe = 8,
    Suback = 9,
    Unsubscribe = 10,
    Unsuback = 11,
    Pingreq = 12,
    Pingresp = 13,
    Disconnect = 14,
}

/// <summary>Delivery guarantee. 2 is understood on the wire and used by no one here: IoT Hub closes on it.</summary>
public enum MqttQoS
{
    AtMostOnce = 0,
    AtLeastOnce = 1,
    ExactlyOnce = 2,
}
