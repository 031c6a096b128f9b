using System.Buffers;
using EdgeDm.Mqtt.Internal;

namespace EdgeDm.Mqtt;

/// <summary>Acknowledges a PUBLISH of QoS 1 (MQTT 3.1.1, 3.4).</summary>
/// <param name="PacketId">The PUBLISH's id.</param>
public readonly record struct PubackPacket(ushort PacketId)
{
    /// <summary>Reads the body of a PUBACK.</summary>
    public static PubackPacket Parse(in MqttFrame frame)
    {
        var reader = new BodyReader(frame);
        var id = reader.ReadPacketId();
        reader.ExpectEnd();
        return new(id);
    }

    /// <summary>Writes the packet.</summary>
    public static void Write(IBufferWriter<byte> output, ushort packetId) =>
        BodyWriter.WriteIdOnly(output, MqttPacketType.Puback, packetId);
}
