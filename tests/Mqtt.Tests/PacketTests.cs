using System.Buffers;
using System.Text;

namespace EdgeDm.Mqtt.Tests;

public sealed class PacketTests
{
    [Fact]
    public void Connect_WithEverything_RoundTrips()
    {
        var sent = new ConnectPacket(
            "gateway/Telemetry",
            CleanSession: false,
            KeepAliveSeconds: 60,
            "hub/gateway/Telemetry/?api-version=2021-04-12",
            "secret"u8.ToArray(),
            new("devices/gateway/messages/events/", new byte[] { 1, 2 }, MqttQoS.AtLeastOnce, Retain: true)
        );
        var read = ConnectPacket.Parse(Wire.Frame(Wire.Bytes(sent.Write)));
        read.ClientId.ShouldBe(sent.ClientId);
        read.CleanSession.ShouldBeFalse();
        read.KeepAliveSeconds.ShouldBe((ushort)60);
        read.UserName.ShouldBe(sent.UserName);
        read.Password!.Value.ToArray().ShouldBe("secret"u8.ToArray());
        read.Will!.Topic.ShouldBe(sent.Will!.Topic);
        read.Will.Payload.ToArray().ShouldBe([1, 2]);
        read.Will.QoS.ShouldBe(MqttQoS.AtLeastOnce);
        read.Will.Retain.ShouldBeTrue();
    }

    [Fact]
    public void Connect_WithNothing_RoundTrips()
    {
        var read = ConnectPacket.Parse(Wire.Frame(Wire.Bytes(new ConnectPacket("", true, 0).Write)));
        read.ShouldBe(new ConnectPacket("", true, 0));
    }

    [Fact]
    public void Connect_AsText_HidesThePassword() =>
        new ConnectPacket("id", true, 0, "user", "secret"u8.ToArray()).ToString().ShouldNotContain("secret");

    [Fact]
    public void Connect_PasswordWithoutUser_IsNotWritten() =>
        Should.Throw<ArgumentException>(() =>
            Wire.Bytes(new ConnectPacket("id", true, 0, null, "secret"u8.ToArray()).Write)
        );

    [Theory]
    [InlineData("MQTT", 5, ConnackCode.UnacceptableProtocolVersion)]
    [InlineData("MQTT", 3, ConnackCode.UnacceptableProtocolVersion)]
    [InlineData("MQIsdp", 3, ConnackCode.UnacceptableProtocolVersion)]
    [InlineData("HTTP", 4, null)]
    public void Connect_OtherProtocol_IsRefused(string name, byte level, ConnackCode? code) =>
        Should
            .Throw<MqttProtocolException>(() => ConnectPacket.Parse(HandMadeConnect(name, level, 0x02)))
            .RefuseWith.ShouldBe(code);

    [Fact]
    public void Connect_EmptyIdWithoutCleanSession_IsRefusedAsIdentifier() =>
        Should
            .Throw<MqttProtocolException>(() => ConnectPacket.Parse(HandMadeConnect("MQTT", 4, 0x00)))
            .RefuseWith.ShouldBe(ConnackCode.IdentifierRejected);

    [Theory]
    [InlineData(0x03)] // reserved bit
    [InlineData(0x0A)] // will QoS without will
    [InlineData(0x22)] // will retain without will
    [InlineData(0x1E)] // will QoS 3
    [InlineData(0x42)] // password without user name
    [InlineData(0x82)] // user name missing
    public void Connect_WrongFlags_Fails(byte flags) =>
        Should.Throw<MqttProtocolException>(() => ConnectPacket.Parse(HandMadeConnect("MQTT", 4, flags)));

    [Fact]
    public void Connect_BytesBehindItsEnd_Fails() =>
        Should.Throw<MqttProtocolException>(() => ConnectPacket.Parse(HandMadeConnect("MQTT", 4, 0x02, 0)));

    [Theory]
    [InlineData(new byte[] { 0xC3, 0x28 })] // broken sequence
    [InlineData(new byte[] { 0xED, 0xA0, 0x80 })] // a surrogate
    [InlineData(new byte[] { 0x61, 0x00 })] // U+0000
    public void Publish_TopicOfWrongText_Fails(byte[] topic) =>
        Should.Throw<MqttProtocolException>(() =>
            PublishPacket.Parse(Wire.Frame(MqttPacketType.Publish, 0, [0, (byte)topic.Length, .. topic]))
        );

    [Theory]
    [InlineData(ConnackCode.Accepted, true)]
    [InlineData(ConnackCode.Accepted, false)]
    [InlineData(ConnackCode.NotAuthorized, false)]
    public void Connack_RoundTrips(ConnackCode code, bool present)
    {
        var sent = new ConnackPacket(present, code);
        ConnackPacket.Parse(Wire.Frame(Wire.Bytes(sent.Write))).ShouldBe(sent);
    }

    [Theory]
    [InlineData(0, 6)]
    [InlineData(2, 0)]
    [InlineData(1, 5)]
    public void Connack_ReservedValues_Fail(byte flags, byte code) =>
        Should.Throw<MqttProtocolException>(() =>
            ConnackPacket.Parse(Wire.Frame(MqttPacketType.Connack, 0, flags, code))
        );

    [Theory]
    [InlineData(MqttQoS.AtMostOnce, 0, false, false)]
    [InlineData(MqttQoS.AtLeastOnce, 1, true, true)]
    [InlineData(MqttQoS.ExactlyOnce, 65_535, false, true)]
    public void Publish_RoundTrips(MqttQoS qos, ushort id, bool retain, bool duplicate)
    {
        var bytes = Wire.Bytes(w => PublishPacket.Write(w, "ä/b", "data"u8, qos, id, retain, duplicate));
        var read = PublishPacket.Parse(Wire.Frame(bytes));
        read.Topic.ShouldBe("ä/b");
        read.Payload.ToArray().ShouldBe("data"u8.ToArray());
        (read.QoS, read.PacketId, read.Retain, read.Duplicate).ShouldBe((qos, id, retain, duplicate));
    }

    [Fact]
    public void Publish_LongestTopic_RoundTrips()
    {
        var topic = new string('t', 65_535);
        var bytes = Wire.Bytes(w => PublishPacket.Write(w, topic, [], MqttQoS.AtMostOnce, 0));
        PublishPacket.Parse(Wire.Frame(bytes)).Topic.ShouldBe(topic);
        Should.Throw<ArgumentException>(() =>
            Wire.Bytes(w => PublishPacket.Write(w, topic + "t", [], MqttQoS.AtMostOnce, 0))
        );
    }

    [Theory]
    [InlineData("")]
    [InlineData("a/+")]
    [InlineData("a/#")]
    [InlineData("a#b")]
    public void Publish_TopicEmptyOrWithWildcard_Fails(string topic)
    {
        var text = Encoding.UTF8.GetBytes(topic);
        Should.Throw<MqttProtocolException>(() =>
            PublishPacket.Parse(Wire.Frame(MqttPacketType.Publish, 0, [0, (byte)text.Length, .. text]))
        );
    }

    [Theory]
    [InlineData(0x06)] // QoS 3
    [InlineData(0x08)] // duplicate with QoS 0
    public void Publish_WrongFlags_Fails(byte flags) =>
        Should.Throw<MqttProtocolException>(() =>
            PublishPacket.Parse(Wire.Frame(MqttPacketType.Publish, flags, 0, 1, (byte)'t', 0, 1))
        );

    [Fact]
    public void Publish_PacketIdZero_Fails()
    {
        Should.Throw<MqttProtocolException>(() =>
            PublishPacket.Parse(Wire.Frame(MqttPacketType.Publish, 2, 0, 1, (byte)'t', 0, 0))
        );
        Should.Throw<ArgumentException>(() => Wire.Bytes(w => PublishPacket.Write(w, "t", [], MqttQoS.AtLeastOnce, 0)));
        Should.Throw<ArgumentException>(() => Wire.Bytes(w => PublishPacket.Write(w, "t", [], MqttQoS.AtMostOnce, 1)));
    }

    [Fact]
    public void PublishAndPuback_Written_AllocateNothing()
    {
        var buffer = new ArrayBufferWriter<byte>(65_536);
        var topic = "devices/gateway/modules/Telemetry/messages/events/"u8.ToArray();
        var payload = new byte[128];
        Write(10); // Compiled before it is measured.
        var before = GC.GetAllocatedBytesForCurrentThread();
        Write(100);
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);

        void Write(int times)
        {
            for (var index = 0; index < times; index++)
            {
                buffer.ResetWrittenCount();
                PublishPacket.Write(buffer, topic, payload, MqttQoS.AtLeastOnce, 1);
                PubackPacket.Write(buffer, 1);
            }
        }
    }

    [Fact]
    public void Puback_RoundTrips() =>
        PubackPacket.Parse(Wire.Frame(Wire.Bytes(w => PubackPacket.Write(w, 513)))).PacketId.ShouldBe((ushort)513);

    [Theory]
    [InlineData(new byte[] { 0, 0 })]
    [InlineData(new byte[] { 1 })]
    [InlineData(new byte[] { 0, 1, 0 })]
    public void PubackAndUnsuback_WrongBody_Fail(byte[] body)
    {
        Should.Throw<MqttProtocolException>(() => PubackPacket.Parse(Wire.Frame(MqttPacketType.Puback, 0, body)));
        Should.Throw<MqttProtocolException>(() => UnsubackPacket.Parse(Wire.Frame(MqttPacketType.Unsuback, 0, body)));
    }

    [Fact]
    public void Subscribe_RoundTrips()
    {
        var sent = new SubscribePacket(3, [new("a/#", MqttQoS.AtLeastOnce), new("b", MqttQoS.AtMostOnce)]);
        var read = SubscribePacket.Parse(Wire.Frame(Wire.Bytes(sent.Write)));
        read.PacketId.ShouldBe((ushort)3);
        read.Filters.ShouldBe(sent.Filters);
    }

    [Theory]
    [InlineData(new byte[] { 0, 1 })] // no filter
    [InlineData(new byte[] { 0, 0, 0, 1, 97, 0 })] // packet id 0
    [InlineData(new byte[] { 0, 1, 0, 1, 97, 3 })] // QoS 3
    [InlineData(new byte[] { 0, 1, 0, 1, 97, 0x81 })] // reserved bits
    [InlineData(new byte[] { 0, 1, 0, 1, 97 })] // no QoS
    [InlineData(new byte[] { 0, 1, 0, 0, 0 })] // empty filter
    [InlineData(new byte[] { 0, 1, 0, 2, 97, 35, 0 })] // a#
    public void Subscribe_WrongBody_Fails(byte[] body) =>
        Should.Throw<MqttProtocolException>(() => SubscribePacket.Parse(Wire.Frame(MqttPacketType.Subscribe, 2, body)));

    [Fact]
    public void Suback_RoundTrips()
    {
        var read = SubackPacket.Parse(Wire.Frame(Wire.Bytes(new SubackPacket(4, [0, 1, 2, 0x80]).Write)));
        read.PacketId.ShouldBe((ushort)4);
        read.Codes.ShouldBe([0, 1, 2, SubackPacket.Failure]);
    }

    [Theory]
    [InlineData(new byte[] { 0, 1 })]
    [InlineData(new byte[] { 0, 1, 3 })]
    [InlineData(new byte[] { 0, 1, 0x81 })]
    public void Suback_WrongBody_Fails(byte[] body) =>
        Should.Throw<MqttProtocolException>(() => SubackPacket.Parse(Wire.Frame(MqttPacketType.Suback, 0, body)));

    [Fact]
    public void Unsubscribe_RoundTrips()
    {
        var read = UnsubscribePacket.Parse(Wire.Frame(Wire.Bytes(new UnsubscribePacket(5, ["a", "b/+"]).Write)));
        read.PacketId.ShouldBe((ushort)5);
        read.Filters.ShouldBe(["a", "b/+"]);
        UnsubackPacket.Parse(Wire.Frame(Wire.Bytes(w => UnsubackPacket.Write(w, 5)))).PacketId.ShouldBe((ushort)5);
    }

    [Theory]
    [InlineData(new byte[] { 0, 1 })]
    [InlineData(new byte[] { 0, 1, 0, 0 })]
    [InlineData(new byte[] { 0, 1, 0, 5, 97 })]
    public void Unsubscribe_WrongBody_Fails(byte[] body) =>
        Should.Throw<MqttProtocolException>(() =>
            UnsubscribePacket.Parse(Wire.Frame(MqttPacketType.Unsubscribe, 2, body))
        );

    [Fact]
    public void EmptyPackets_AreTwoBytes()
    {
        Wire.Bytes(EmptyPackets.WritePingreq).ShouldBe([0xC0, 0]);
        Wire.Bytes(EmptyPackets.WritePingresp).ShouldBe([0xD0, 0]);
        Wire.Bytes(EmptyPackets.WriteDisconnect).ShouldBe([0xE0, 0]);
        EmptyPackets.Check(Wire.Frame([0xC0, 0]));
        Should.Throw<MqttProtocolException>(() => EmptyPackets.Check(Wire.Frame(MqttPacketType.Pingreq, 0, 1)));
    }

    private static MqttFrame HandMadeConnect(string name, byte level, byte flags, params byte[] more) =>
        Wire.Frame(
            MqttPacketType.Connect,
            0,
            [0, (byte)name.Length, .. Encoding.ASCII.GetBytes(name), level, flags, 0, 10, 0, 0, .. more]
        );
}
