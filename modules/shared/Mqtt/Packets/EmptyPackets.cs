using System.Buffers;
using EdgeDm.Mqtt.Internal;

namespace EdgeDm.Mqtt;

/// <summary>The packets without a body: PINGREQ, PINGRESP, DISCONNECT (MQTT 3.1.1, 3.12 to 3.14).</summary>
public static class EmptyPackets
{
    /// <summary>Checks that such a packet has no body.</summary>
    public static void Check(in MqttFrame frame) => new BodyReader(frame).ExpectEnd();

    /// <summary>Writes PINGREQ.</summary>
    public static void WritePingreq(IBufferWriter<byte> output) => Write(output, MqttPacketType.Pingreq);

    /// <summary>Writes PINGRESP.</summary>
    public static void WritePingresp(IBufferWriter<byte> output) => Write(output, MqttPacketType.Pingresp);

    /// <summary>Writes DISCONNECT.</summary>
    public static void WriteDisconnect(IBufferWriter<byte> output) => Write(output, MqttPacketType.Disconnect);

    private static void Write(IBufferWriter<byte> output, MqttPacketType type) =>
        BodyWriter.WriteHeader(output, type, 0, 0);
}
