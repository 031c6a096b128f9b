using System.Buffers;
using FsCheck;
using FsCheck.Fluent;

namespace EdgeDm.Mqtt.Tests;

/// <summary>Whatever arrives is read, waited for or refused by <see cref="MqttProtocolException"/>; nothing else happens.</summary>
public sealed class FuzzTests
{
    private const int MostMutants = 20_000;

    private static readonly byte[][] Seeds =
    [
        Wire.Bytes(new ConnectPacket("d/m", false, 60, "user", "pass"u8.ToArray()).Write),
        Wire.Bytes(
            new ConnectPacket("d", true, 0, Will: new("t", "gone"u8.ToArray(), MqttQoS.AtLeastOnce, false)).Write
        ),
        Wire.Bytes(new ConnackPacket(true, ConnackCode.Accepted).Write),
        Wire.Bytes(w => PublishPacket.Write(w, "devices/d/messages/events/", "{}"u8, MqttQoS.AtLeastOnce, 1)),
        Wire.Bytes(w => PubackPacket.Write(w, 1)),
        Wire.Bytes(new SubscribePacket(2, [new("$iothub/twin/res/#", MqttQoS.AtMostOnce)]).Write),
        Wire.Bytes(new SubackPacket(2, [0, 0x80]).Write),
        Wire.Bytes(new UnsubscribePacket(3, ["a/+/b"]).Write),
        Wire.Bytes(w => UnsubackPacket.Write(w, 3)),
        Wire.Bytes(EmptyPackets.WritePingreq),
    ];

    [Fact]
    public void Parse_MutatedPackets_NeverFailsOtherwise()
    {
        var random = new Random(20_240_911);
        for (var round = 0; round < MostMutants; round++)
        {
            var bytes = Seeds[round % Seeds.Length].ToArray();
            for (var change = random.Next(1, 4); change > 0; change--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }
            ParseAll(random.Next(4) == 0 ? bytes[..random.Next(bytes.Length)] : bytes);
        }
    }

    [Fact]
    public void Parse_AnyBytes_NeverFailsOtherwise() =>
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(1_000),
            Prop.ForAll<byte[]>(bytes =>
            {
                ParseAll(bytes);
                return true;
            })
        );

    [Fact]
    public void Publish_AnyTopicAndPayload_RoundTripsInPieces() =>
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(500),
            Prop.ForAll<NonEmptyString, byte[], ushort>(
                (text, payload, id) =>
                {
                    // U+0000 and lone surrogates have no place in MQTT; wildcards none in a topic.
                    var topic = new string([
                        .. text.Get.Where(c => c is not ('\0' or '+' or '#') && !char.IsSurrogate(c)),
                    ]);
                    if (topic.Length == 0)
                    {
                        return true;
                    }
                    var qos = id == 0 ? MqttQoS.AtMostOnce : MqttQoS.AtLeastOnce;
                    var pieces = Wire.OneByOne(Wire.Bytes(w => PublishPacket.Write(w, topic, payload, qos, id)));
                    return MqttFrame.TryReadFrame(ref pieces, Wire.Limit, out var frame)
                        && PublishPacket.Parse(frame) is var read
                        && read.Topic == topic
                        && read.PacketId == id
                        && read.Payload.ToArray().AsSpan().SequenceEqual(payload);
                }
            )
        );

    private static void ParseAll(byte[] bytes)
    {
        var rest = new ReadOnlySequence<byte>(bytes);
        try
        {
            while (MqttFrame.TryReadFrame(ref rest, Wire.Limit, out var frame))
            {
                Parse(frame);
            }
        }
        catch (MqttProtocolException error)
        {
            error.Message.ShouldNotBeEmpty();
        }
    }

    private static void Parse(in MqttFrame frame)
    {
        switch (frame.Type)
        {
            case MqttPacketType.Connect:
                _ = ConnectPacket.Parse(frame);
                break;
            case MqttPacketType.Connack:
                _ = ConnackPacket.Parse(frame);
                break;
            case MqttPacketType.Publish:
                _ = IoTHub.HubTopic.Parse(PublishPacket.Parse(frame).Topic);
                break;
            case MqttPacketType.Puback:
                _ = PubackPacket.Parse(frame);
                break;
            case MqttPacketType.Subscribe:
                _ = SubscribePacket.Parse(frame);
                break;
            case MqttPacketType.Suback:
                _ = SubackPacket.Parse(frame);
                break;
            case MqttPacketType.Unsubscribe:
                _ = UnsubscribePacket.Parse(frame);
                break;
            case MqttPacketType.Unsuback:
                _ = UnsubackPacket.Parse(frame);
                break;
            default:
                EmptyPackets.Check(frame);
                break;
        }
    }
}
