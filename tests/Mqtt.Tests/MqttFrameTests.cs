using System.Buffers;

namespace EdgeDm.Mqtt.Tests;

public sealed class MqttFrameTests
{
    private static bool TryRead(byte[] bytes, int limit = Wire.Limit)
    {
        var sequence = new ReadOnlySequence<byte>(bytes);
        var found = MqttFrame.TryReadFrame(ref sequence, limit, out _);
        sequence.Length.ShouldBe(found ? 0 : bytes.Length);
        return found;
    }

    [Fact]
    public void TryReadFrame_OneByteAtATime_FindsPacketAtItsLastByte()
    {
        var packet = Wire.Bytes(w => PublishPacket.Write(w, "a/b", new byte[200], MqttQoS.AtLeastOnce, 7));
        for (var count = 0; count < packet.Length; count++)
        {
            var part = Wire.OneByOne(packet[..count]);
            MqttFrame.TryReadFrame(ref part, Wire.Limit, out _).ShouldBeFalse();
        }
        var whole = Wire.OneByOne([.. packet, 0xC0]);
        MqttFrame.TryReadFrame(ref whole, Wire.Limit, out var frame).ShouldBeTrue();
        whole.Length.ShouldBe(1);
        var publish = PublishPacket.Parse(frame);
        publish.Topic.ShouldBe("a/b");
        publish.PacketId.ShouldBe((ushort)7);
        publish.Payload.Length.ShouldBe(200);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(127)]
    [InlineData(128)]
    [InlineData(16_383)]
    [InlineData(16_384)]
    [InlineData(2_097_151)]
    [InlineData(2_097_152)]
    public void TryReadFrame_AtEdgesOfTheLengthField_ReadsWhatWasWritten(int payload)
    {
        // Topic "t" and its length take three bytes of the body.
        var bytes = Wire.Bytes(w =>
            PublishPacket.Write(w, "t", new byte[Math.Max(0, payload - 3)], MqttQoS.AtMostOnce, 0)
        );
        Wire.Frame(bytes, int.MaxValue).Body.Length.ShouldBe(Math.Max(3, payload));
    }

    [Fact]
    public void TryReadFrame_PacketAtTheLimit_IsRead() => TryRead([0x30, 2, 0, 0], limit: 4).ShouldBeTrue();

    [Fact]
    public void TryReadFrame_PacketOneByteOverTheLimit_FailsBeforeTheBodyArrives() =>
        Should.Throw<MqttProtocolException>(() => TryRead([0x30, 3], limit: 4)).Message.ShouldContain("5 bytes");

    [Fact]
    public void TryReadFrame_LengthOfFiveBytes_Fails() =>
        Should.Throw<MqttProtocolException>(() => TryRead([0x30, 0x80, 0x80, 0x80, 0x80]));

    [Fact]
    public void TryReadFrame_LengthNotComplete_Waits() => TryRead([0x30, 0x80, 0x80, 0x80]).ShouldBeFalse();

    [Theory]
    [InlineData(0x00)]
    [InlineData(0xF0)]
    [InlineData(0x11)] // CONNECT
    [InlineData(0x21)] // CONNACK
    [InlineData(0x42)] // PUBACK
    [InlineData(0x60)] // PUBREL without its bit
    [InlineData(0x80)] // SUBSCRIBE without its bit
    [InlineData(0x83)]
    [InlineData(0x91)]
    [InlineData(0xA0)]
    [InlineData(0xB4)]
    [InlineData(0xC1)]
    [InlineData(0xD8)]
    [InlineData(0xE1)]
    public void TryReadFrame_ReservedTypeOrFlags_FailsAtTheFirstByte(byte first) =>
        Should.Throw<MqttProtocolException>(() => TryRead([first]));

    [Fact]
    public void TryReadFrame_TwoPackets_ReadsThemInTurn()
    {
        var sequence = new ReadOnlySequence<byte>([0xC0, 0, 0x40, 2, 0, 9]);
        MqttFrame.TryReadFrame(ref sequence, Wire.Limit, out var first).ShouldBeTrue();
        MqttFrame.TryReadFrame(ref sequence, Wire.Limit, out var second).ShouldBeTrue();
        MqttFrame.TryReadFrame(ref sequence, Wire.Limit, out _).ShouldBeFalse();
        first.Type.ShouldBe(MqttPacketType.Pingreq);
        PubackPacket.Parse(second).PacketId.ShouldBe((ushort)9);
    }
}
