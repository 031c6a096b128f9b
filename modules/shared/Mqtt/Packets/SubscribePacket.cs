using System.Buffers;
using EdgeDm.Mqtt.Internal;

namespace EdgeDm.Mqtt;

/// <summary>Asks for messages (MQTT 3.1.1, 3.8).</summary>
/// <param name="PacketId">1 to 65,535.</param>
/// <param name="Filters">At least one.</param>
public sealed record SubscribePacket(ushort PacketId, IReadOnlyList<TopicSubscription> Filters)
{
    /// <summary>Reads the body of a SUBSCRIBE.</summary>
    public static SubscribePacket Parse(in MqttFrame frame)
    {
        var reader = new BodyReader(frame);
        var id = reader.ReadPacketId();
        var filters = new List<TopicSubscription>();
        while (!reader.AtEnd)
        {
            var filter = reader.ReadText();
            var qos = reader.ReadByte();
            if (!TopicFilter.IsValid(filter) || qos > (byte)MqttQoS.ExactlyOnce)
            {
                throw new MqttProtocolException($"SUBSCRIBE asks for '{filter}' with QoS {qos}.");
            }
            filters.Add(new(filter, (MqttQoS)qos));
        }
        return filters.Count > 0 ? new(id, filters) : throw new MqttProtocolException("SUBSCRIBE has no topic filter.");
    }

    /// <summary>Writes the packet.</summary>
    public void Write(IBufferWriter<byte> output)
    {
        ArgumentOutOfRangeException.ThrowIfZero(PacketId);
        ArgumentOutOfRangeException.ThrowIfZero(Filters.Count);
        var length = 2 + Filters.Sum(f => BodyWriter.TextLength(f.Filter) + 1);
        BodyWriter.WriteHeader(output, MqttPacketType.Subscribe, 0b0010, length);
        BodyWriter.WriteUInt16(output, PacketId);
        foreach (var filter in Filters)
        {
            BodyWriter.WriteText(output, filter.Filter);
            BodyWriter.WriteByte(output, (byte)filter.QoS);
        }
    }
}

/// <summary>One wish in a SUBSCRIBE.</summary>
/// <param name="Filter">A topic, or one with <c>+</c> and <c>#</c>.</param>
/// <param name="QoS">The highest delivery guarantee wanted.</param>
public readonly record struct TopicSubscription(string Filter, MqttQoS QoS);
