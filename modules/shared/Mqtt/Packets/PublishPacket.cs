using System.Buffers;
using System.Text;
using EdgeDm.Mqtt.Internal;

namespace EdgeDm.Mqtt;

/// <summary>A message (MQTT 3.1.1, 3.3).</summary>
/// <param name="Topic">Not empty, no wildcards.</param>
/// <param name="Payload">Points into the receive buffer: copy what outlives it.</param>
/// <param name="QoS">Delivery guarantee.</param>
/// <param name="PacketId">0 with QoS 0, else 1 to 65,535.</param>
/// <param name="Retain">To be kept for new subscribers.</param>
/// <param name="Duplicate">Sent before and not acknowledged.</param>
public readonly record struct PublishPacket(
    string Topic,
    ReadOnlySequence<byte> Payload,
    MqttQoS QoS,
    ushort PacketId,
    bool Retain,
    bool Duplicate
)
{
    internal const byte RetainFlag = 0x01;
    internal const byte QoSMask = 0x06;
    internal const byte DuplicateFlag = 0x08;

    /// <summary>Reads the body of a PUBLISH.</summary>
    public static PublishPacket Parse(in MqttFrame frame)
    {
        var view = PublishView.Parse(frame);
        return new(
            Encoding.UTF8.GetString(view.Topic),
            view.Payload,
            view.QoS,
            view.PacketId,
            view.Retain,
            view.Duplicate
        );
    }

    /// <summary>Writes a PUBLISH. The caller has checked the topic.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="topic">UTF-8, 1 to 65,535 bytes, without wildcards.</param>
    /// <param name="payload">Any bytes.</param>
    /// <param name="qos">Delivery guarantee.</param>
    /// <param name="packetId">0 with QoS 0, else 1 to 65,535.</param>
    /// <param name="retain">To be kept for new subscribers.</param>
    /// <param name="duplicate">Sent before and not acknowledged.</param>
    public static void Write(
        IBufferWriter<byte> output,
        ReadOnlySpan<byte> topic,
        ReadOnlySpan<byte> payload,
        MqttQoS qos,
        ushort packetId,
        bool retain = false,
        bool duplicate = false
    )
    {
        if (topic.IsEmpty || packetId == 0 != (qos == MqttQoS.AtMostOnce))
        {
            throw new ArgumentException("A PUBLISH needs a topic, and a packet id exactly when its QoS is not 0.");
        }
        var flags = ((int)qos << 1) | (retain ? RetainFlag : 0) | (duplicate ? DuplicateFlag : 0);
        BodyWriter.WriteHeader(
            output,
            MqttPacketType.Publish,
            (byte)flags,
            LengthOf(topic.Length, payload.Length, qos)
        );
        BodyWriter.WriteBytes(output, topic);
        if (qos != MqttQoS.AtMostOnce)
        {
            BodyWriter.WriteUInt16(output, packetId);
        }
        output.Write(payload);
    }

    /// <summary>Writes a PUBLISH with its topic as text.</summary>
    public static void Write(
        IBufferWriter<byte> output,
        string topic,
        ReadOnlySpan<byte> payload,
        MqttQoS qos,
        ushort packetId,
        bool retain = false,
        bool duplicate = false
    )
    {
        const int OnStack = 512;
        var count = Encoding.UTF8.GetByteCount(topic);
        byte[]? rented = null;
        var bytes = count <= OnStack ? stackalloc byte[OnStack] : (rented = ArrayPool<byte>.Shared.Rent(count));
        try
        {
            Encoding.UTF8.GetBytes(topic, bytes);
            Write(output, bytes[..count], payload, qos, packetId, retain, duplicate);
        }
        finally
        {
            if (rented is not null)
            {
                ArrayPool<byte>.Shared.Return(rented);
            }
        }
    }

    /// <summary>Bytes of the body: what counts against a receiver's packet limit, less at most 5 bytes of header.</summary>
    public static int LengthOf(int topicBytes, int payloadBytes, MqttQoS qos) =>
        checked(BodyWriter.BytesLength(topicBytes) + (qos == MqttQoS.AtMostOnce ? 0 : 2) + payloadBytes);
}
