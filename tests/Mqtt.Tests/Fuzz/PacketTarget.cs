using System.Buffers;
using System.Text;
using EdgeDm.Mqtt.IoTHub;

namespace EdgeDm.Mqtt.Tests.Fuzz;

/// <summary>
/// What must hold for any bytes: they are read, waited for or refused by <see cref="MqttProtocolException"/>; the same however they are cut;
/// what was read is written and read again as the same; and no more memory is taken than a few times the input.
/// </summary>
internal static class PacketTarget
{
    /// <summary>Objects of small packets, an exception, and what this test itself writes down.</summary>
    private const int AllocationBase = 128 * 1024;

    /// <summary>UTF-16 text, its parts, a copy of the payload, and dictionaries' growth.</summary>
    private const int AllocationPerByte = 64;

    public static readonly byte[][] Seeds =
    [
        Wire.Bytes(new ConnectPacket("d/m", false, 60, "user", "pass"u8.ToArray()).Write),
        Wire.Bytes(
            new ConnectPacket("d", true, 0, Will: new("t", "gone"u8.ToArray(), MqttQoS.AtLeastOnce, false)).Write
        ),
        Wire.Bytes(new ConnackPacket(true, ConnackCode.Accepted).Write),
        Publish("devices/d/messages/events/%24.mid=1&a=b%20c", "{}", 1),
        Publish("devices/d/modules/m/inputs/in/%24.cdid=d&%24.cmid=m", "text", 7),
        Publish("devices/d/messages/devicebound/%24.to=%2Fd&%24.exp=2027-01-01T00%3A00%3A00.0000000Z", "c2d", 8),
        Publish("$iothub/twin/res/204/?$rid=1&$version=5", "", 0),
        Publish("$iothub/twin/PATCH/properties/desired/?$version=6", """{"a":1,"$version":6}""", 0),
        Publish("$iothub/methods/POST/reboot/?$rid=7", "{}", 0),
        Wire.Bytes(w => PubackPacket.Write(w, 1)),
        Wire.Bytes(new SubscribePacket(2, [new("$iothub/twin/res/#", MqttQoS.AtMostOnce)]).Write),
        Wire.Bytes(new SubackPacket(2, [0, 0x80]).Write),
        Wire.Bytes(new UnsubscribePacket(3, ["a/+/b"]).Write),
        Wire.Bytes(w => UnsubackPacket.Write(w, 3)),
        Wire.Bytes(EmptyPackets.WritePingreq),
        Wire.Bytes(EmptyPackets.WritePingresp),
        Wire.Bytes(EmptyPackets.WriteDisconnect),
    ];

    /// <summary>Throws what is wrong.</summary>
    /// <param name="bytes">The input.</param>
    /// <param name="cut">Where it is cut in two.</param>
    public static void Try(byte[] bytes, int cut)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var whole = ReadAll(new(bytes));
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        allocated.ShouldBeLessThan(AllocationBase + (AllocationPerByte * bytes.Length));
        ReadAll(Wire.Cut(bytes, cut)).ShouldBe(whole);
    }

    /// <summary>What was read, as text, and how it ended.</summary>
    private static string ReadAll(ReadOnlySequence<byte> rest)
    {
        var read = new StringBuilder();
        try
        {
            while (MqttFrame.TryReadFrame(ref rest, Wire.Limit, out var frame))
            {
                read.AppendLine(Read(frame));
            }
            return read.Append(rest.Length).ToString();
        }
        catch (MqttProtocolException error)
        {
            error.Message.ShouldNotBeEmpty();
            return read.Append(error.Message).ToString();
        }
    }

    private static string Read(in MqttFrame frame)
    {
        switch (frame.Type)
        {
            case MqttPacketType.Connect:
                return Again(frame, ConnectPacket.Parse(frame).Write);
            case MqttPacketType.Connack:
                return Again(frame, ConnackPacket.Parse(frame).Write);
            case MqttPacketType.Publish:
                return ReadPublish(frame);
            case MqttPacketType.Puback:
                var puback = PubackPacket.Parse(frame).PacketId;
                return Again(frame, w => PubackPacket.Write(w, puback));
            case MqttPacketType.Subscribe:
                return Again(frame, SubscribePacket.Parse(frame).Write);
            case MqttPacketType.Suback:
                return Again(frame, SubackPacket.Parse(frame).Write);
            case MqttPacketType.Unsubscribe:
                return Again(frame, UnsubscribePacket.Parse(frame).Write);
            case MqttPacketType.Unsuback:
                var unsuback = UnsubackPacket.Parse(frame).PacketId;
                return Again(frame, w => UnsubackPacket.Write(w, unsuback));
            default:
                EmptyPackets.Check(frame);
                return $"{frame.Type}";
        }
    }

    private static string ReadPublish(in MqttFrame frame)
    {
        var packet = PublishPacket.Parse(frame);
        var payload = packet.Payload.ToArray();
        Again(
            frame,
            w =>
                PublishPacket.Write(
                    w,
                    packet.Topic,
                    payload,
                    packet.QoS,
                    packet.PacketId,
                    packet.Retain,
                    packet.Duplicate
                )
        );
        var topic = HubTopic.Parse(packet.Topic);
        return $"{packet.Topic} {packet.PacketId} {topic} {TryBag(topic.Properties)} {Convert.ToHexString(payload)}";
    }

    /// <summary>A bag is read whatever it says, and what was read is written and read again as the same.</summary>
    private static string TryBag(string text)
    {
        var bag = PropertyBag.Decode(text);
        var encoded = bag.Encode();
        PropertyBag.Decode(encoded).Encode().ShouldBe(encoded);
        return encoded;
    }

    /// <summary>What was read is written as it came: packets have one form, but for needless bytes in the length, which is not in the body.</summary>
    private static string Again(in MqttFrame frame, Action<IBufferWriter<byte>> write)
    {
        var body = Convert.ToHexString(frame.Body.ToArray());
        var written = Wire.Frame(Wire.Bytes(write));
        (written.Type, written.Flags).ShouldBe((frame.Type, frame.Flags));
        Convert.ToHexString(written.Body.ToArray()).ShouldBe(body);
        return $"{frame.Type} {body}";
    }

    private static byte[] Publish(string topic, string body, ushort id) =>
        Wire.Bytes(w =>
            PublishPacket.Write(
                w,
                topic,
                Encoding.UTF8.GetBytes(body),
                id == 0 ? MqttQoS.AtMostOnce : MqttQoS.AtLeastOnce,
                id
            )
        );
}
