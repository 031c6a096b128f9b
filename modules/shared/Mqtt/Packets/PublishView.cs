using System.Buffers;
using EdgeDm.Mqtt.Internal;

namespace EdgeDm.Mqtt;

/// <summary>A PUBLISH where it lies in the receive buffer, without a copy of anything: for whoever gets many of them.</summary>
public readonly ref struct PublishView
{
    /// <summary>Valid UTF-8, not empty, no wildcards.</summary>
    public ReadOnlySpan<byte> Topic { get; private init; }

    /// <summary>Points into the receive buffer: copy what outlives it.</summary>
    public ReadOnlySequence<byte> Payload { get; private init; }

    /// <summary>Delivery guarantee.</summary>
    public MqttQoS QoS { get; private init; }

    /// <summary>0 with QoS 0, else 1 to 65,535.</summary>
    public ushort PacketId { get; private init; }

    /// <summary>To be kept for new subscribers.</summary>
    public bool Retain { get; private init; }

    /// <summary>Sent before and not acknowledged.</summary>
    public bool Duplicate { get; private init; }

    /// <summary>Reads the body of a PUBLISH.</summary>
    /// <exception cref="MqttProtocolException">It is none that MQTT 3.1.1 knows.</exception>
    public static PublishView Parse(in MqttFrame frame)
    {
        var qos = (MqttQoS)((frame.Flags & PublishPacket.QoSMask) >> 1);
        var duplicate = (frame.Flags & PublishPacket.DuplicateFlag) != 0;
        if (qos > MqttQoS.ExactlyOnce || (duplicate && qos == MqttQoS.AtMostOnce))
        {
            throw new MqttProtocolException($"PUBLISH has the flags {frame.Flags}.");
        }
        var reader = new BodyReader(frame);
        var topic = reader.ReadUtf8();
        if (topic.IsEmpty || topic.IndexOfAny((byte)'+', (byte)'#') >= 0)
        {
            throw new MqttProtocolException("PUBLISH has an empty topic or one with wildcards.");
        }
        var packetId = qos == MqttQoS.AtMostOnce ? (ushort)0 : reader.ReadPacketId();
        return new()
        {
            Topic = topic,
            Payload = reader.ReadRest(),
            QoS = qos,
            PacketId = packetId,
            Retain = (frame.Flags & PublishPacket.RetainFlag) != 0,
            Duplicate = duplicate,
        };
    }
}
