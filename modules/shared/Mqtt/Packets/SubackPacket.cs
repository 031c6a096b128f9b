using System.Buffers;
using EdgeDm.Mqtt.Internal;

namespace EdgeDm.Mqtt;

/// <summary>Answers SUBSCRIBE (MQTT 3.1.1, 3.9).</summary>
/// <param name="PacketId">The SUBSCRIBE's id.</param>
/// <param name="Codes">One per filter, in its order: the granted QoS, or <see cref="Failure"/>.</param>
public sealed record SubackPacket(ushort PacketId, IReadOnlyList<byte> Codes)
{
    /// <summary>The server refused the filter.</summary>
    public const byte Failure = 0x80;

    /// <summary>Reads the body of a SUBACK.</summary>
    public static SubackPacket Parse(in MqttFrame frame)
    {
        var reader = new BodyReader(frame);
        var id = reader.ReadPacketId();
        var codes = new List<byte>();
        while (!reader.AtEnd)
        {
            var code = reader.ReadByte();
            if (code is > (byte)MqttQoS.ExactlyOnce and not Failure)
            {
                throw new MqttProtocolException($"SUBACK has the code 0x{code:x2}.");
            }
            codes.Add(code);
        }
        return codes.Count > 0 ? new(id, codes) : throw new MqttProtocolException("SUBACK has no code.");
    }

    /// <summary>Writes the packet.</summary>
    public void Write(IBufferWriter<byte> output)
    {
        ArgumentOutOfRangeException.ThrowIfZero(PacketId);
        BodyWriter.WriteHeader(output, MqttPacketType.Suback, 0, 2 + Codes.Count);
        BodyWriter.WriteUInt16(output, PacketId);
        foreach (var code in Codes)
        {
            BodyWriter.WriteByte(output, code);
        }
    }
}
