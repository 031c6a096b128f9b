using System.Buffers;
using EdgeDm.Mqtt.Internal;

namespace EdgeDm.Mqtt;

/// <summary>Takes subscriptions back (MQTT 3.1.1, 3.10).</summary>
/// <param name="PacketId">1 to 65,535.</param>
/// <param name="Filters">At least one, spelt as when subscribed.</param>
public sealed record UnsubscribePacket(ushort PacketId, IReadOnlyList<string> Filters)
{
    /// <summary>Reads the body of an UNSUBSCRIBE.</summary>
    public static UnsubscribePacket Parse(in MqttFrame frame)
    {
        var reader = new BodyReader(frame);
        var id = reader.ReadPacketId();
        var filters = new List<string>();
        while (!reader.AtEnd)
        {
            var filter = reader.ReadText();
            filters.Add(
                TopicFilter.IsValid(filter)
                    ? filter
                    : throw new MqttProtocolException($"UNSUBSCRIBE has the filter '{filter}'.")
            );
        }
        return filters.Count > 0
            ? new(id, filters)
            : throw new MqttProtocolException("UNSUBSCRIBE has no topic filter.");
    }

    /// <summary>Writes the packet.</summary>
    public void Write(IBufferWriter<byte> output)
    {
        ArgumentOutOfRangeException.ThrowIfZero(PacketId);
        ArgumentOutOfRangeException.ThrowIfZero(Filters.Count);
        BodyWriter.WriteHeader(output, MqttPacketType.Unsubscribe, 0b0010, 2 + Filters.Sum(BodyWriter.TextLength));
        BodyWriter.WriteUInt16(output, PacketId);
        foreach (var filter in Filters)
        {
            BodyWriter.WriteText(output, filter);
        }
    }
}

/// <summary>Answers UNSUBSCRIBE (MQTT 3.1.1, 3.11).</summary>
/// <param name="PacketId">The UNSUBSCRIBE's id.</param>
public readonly record struct UnsubackPacket(ushort PacketId)
{
    /// <summary>Reads the body of an UNSUBACK.</summary>
    public static UnsubackPacket Parse(in MqttFrame frame)
    {
        var reader = new BodyReader(frame);
        var id = reader.ReadPacketId();
        reader.ExpectEnd();
        return new(id);
    }

    /// <summary>Writes the packet.</summary>
    public static void Write(IBufferWriter<byte> output, ushort packetId) =>
        BodyWriter.WriteIdOnly(output, MqttPacketType.Unsuback, packetId);
}
