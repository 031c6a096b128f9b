using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeDm.Mqtt;
using EdgeDm.Mqtt.IoTHub;

namespace EdgeDm.DevHub.Broker;

/// <content>What the hub sends of its own accord, from any thread.</content>
internal sealed partial class ClientConnection
{
    /// <summary>Tells changed desired properties, if the client wants them.</summary>
    public void SendDesired(JsonObject changed, long version)
    {
        if (Subscriptions.For(SubscriptionKind.DesiredPatches) is { } qos)
        {
            var patch = changed.DeepClone().AsObject();
            patch["$version"] = version;
            Publish(HubTopics.DesiredPatch(version), BytesOf(patch), qos);
        }
    }

    /// <inheritdoc/>
    public void SendMethod(string method, string requestId, ReadOnlyMemory<byte> payload)
    {
        if (Subscriptions.For(SubscriptionKind.Methods) is { } qos)
        {
            Publish(HubTopics.MethodRequest(method, requestId), payload, qos);
        }
    }

    /// <summary>Publishes; the client's PUBACK is not waited for.</summary>
    public void Publish(string topic, ReadOnlyMemory<byte> payload, MqttQoS qos)
    {
        Publish(Encoding.UTF8.GetBytes(topic), payload, qos, qos == MqttQoS.AtMostOnce ? (ushort)0 : NextPacketId());
        Flush();
    }

    /// <summary>Publishes with a given packet id; <see cref="Flush"/> sends it.</summary>
    /// <param name="topic">Where to, as UTF-8. Copied before this returns, as the payload is.</param>
    /// <param name="payload">What.</param>
    /// <param name="qos">How.</param>
    /// <param name="packetId">0 for QoS 0.</param>
    /// <param name="sent">Called when it has left.</param>
    public void Publish(
        ReadOnlyMemory<byte> topic,
        ReadOnlyMemory<byte> payload,
        MqttQoS qos,
        ushort packetId,
        Action? sent = null
    ) =>
        Add(
            (topic, payload, qos, packetId),
            static (output, p) => PublishPacket.Write(output, p.topic.Span, p.payload.Span, p.qos, p.packetId),
            sent
        );

    /// <summary>Sends what was published.</summary>
    public void Flush() => writer.Flush();

    /// <summary>A packet id that no message to an input holds. Those of other messages are forgotten at once.</summary>
    public ushort NextPacketId()
    {
        while (true)
        {
            var id = (ushort)Interlocked.Increment(ref lastPacketId);
            if (id != 0 && !inputs.Uses(id))
            {
                return id;
            }
        }
    }

    private void SendTwinResponse(string requestId, int status, JsonObject? body, long? version = null)
    {
        if (Subscriptions.For(SubscriptionKind.TwinResponses) is { } qos)
        {
            Publish(HubTopics.TwinResponse(status, requestId, version), body is null ? default : BytesOf(body), qos);
        }
    }

    private void Send(Action<IBufferWriter<byte>> packet)
    {
        Add(packet, static (output, packet) => packet(output));
        Flush();
    }

    private void Acknowledge(ushort packetId) => Add(packetId, PubackPacket.Write);

    private void Add<T>(T packet, Action<IBufferWriter<byte>, T> write, Action? sent = null)
    {
        if (open && !writer.TryAdd(packet, write, sent))
        {
            Close("it does not read what it is sent");
        }
    }

    private static byte[] BytesOf(JsonObject json)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var target = new Utf8JsonWriter(buffer))
        {
            json.WriteTo(target);
        }
        return buffer.WrittenSpan.ToArray();
    }
}
