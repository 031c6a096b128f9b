using System.Buffers;
using System.Buffers.Binary;
using EdgeDm.Mqtt;

namespace EdgeDm.DevHub.Faults;

/// <summary>A kind of packet that can be dropped without breaking MQTT.</summary>
internal enum DroppedPackets
{
    /// <summary>The hub's acknowledgements of what clients send: they do not know, and send it again.</summary>
    Acks,

    /// <summary>Clients' acknowledgements of messages that they got: the hub sends those again.</summary>
    ClientAcks,

    /// <summary>Messages to inputs and to devices. The hub sends those of QoS 1 again.</summary>
    Messages,

    /// <summary>Answers to reads of the twin and to reported patches.</summary>
    TwinAnswers,

    /// <summary>Changes of desired properties.</summary>
    DesiredPatches,

    /// <summary>Calls of direct methods: whoever calls gets no answer.</summary>
    MethodCalls,
}

/// <summary>Tells packets apart.</summary>
internal static class DroppedPacketsKinds
{
    /// <summary>The kind of a packet that the hub sends; null = one that is never dropped.</summary>
    public static DroppedPackets? OfSent(in MqttFrame frame) =>
        frame.Type switch
        {
            MqttPacketType.Puback => DroppedPackets.Acks,
            MqttPacketType.Publish => OfTopic(frame.Body),
            _ => null,
        };

    /// <summary>The kind of a packet that a client sends; null = one that is never dropped.</summary>
    public static DroppedPackets? OfReceived(in MqttFrame frame) =>
        frame.Type == MqttPacketType.Puback ? DroppedPackets.ClientAcks : null;

    private static DroppedPackets OfTopic(ReadOnlySequence<byte> publish)
    {
        // Longer than the longest beginning that tells topics apart.
        const int Enough = 64;
        Span<byte> start = stackalloc byte[Enough];
        var known = publish.Slice(0, Math.Min(Enough, publish.Length));
        known.CopyTo(start);
        var length = Math.Min(BinaryPrimitives.ReadUInt16BigEndian(start), (int)known.Length - sizeof(ushort));
        var topic = start.Slice(sizeof(ushort), length);
        return topic.StartsWith("$iothub/twin/res/"u8) ? DroppedPackets.TwinAnswers
            : topic.StartsWith("$iothub/twin/PATCH/"u8) ? DroppedPackets.DesiredPatches
            : topic.StartsWith("$iothub/methods/POST/"u8) ? DroppedPackets.MethodCalls
            : DroppedPackets.Messages;
    }
}
