using System.Buffers;
using System.Text.Json;
using EdgeDm.Hub.Internal;
using EdgeDm.Mqtt;
using EdgeDm.Mqtt.IoTHub;
using Microsoft.Extensions.Logging;

namespace EdgeDm.Hub;

public sealed partial class IoTHubSession
{
    private readonly AckQueue acks = new();

    /// <summary>Runs on the read loop: hands over and returns. No application code, no waiting.</summary>
    private sealed class Receiver(IoTHubSession session) : IMqttLinkOwner
    {
        public void OnFrame(in MqttFrame frame)
        {
            if (!session.connack.Task.IsCompleted && frame.Type != MqttPacketType.Connack)
            {
                throw new MqttProtocolException($"The hub's first packet is {frame.Type}.");
            }
            switch (frame.Type)
            {
                case MqttPacketType.Connack when session.connack.TrySetResult(ConnackPacket.Parse(frame)):
                    break;
                case MqttPacketType.Publish:
                    session.OnPublish(PublishPacket.Parse(frame));
                    break;
                case MqttPacketType.Puback:
                    session.OnAcknowledged(PubackPacket.Parse(frame).PacketId, null);
                    break;
                case MqttPacketType.Suback:
                    var suback = SubackPacket.Parse(frame);
                    session.OnAcknowledged(suback.PacketId, suback);
                    break;
                case MqttPacketType.Unsuback:
                    session.OnAcknowledged(UnsubackPacket.Parse(frame).PacketId, null);
                    break;
                case MqttPacketType.Pingresp:
                    EmptyPackets.Check(frame);
                    break;
                default:
                    throw new MqttProtocolException($"A hub does not send {frame.Type} here.");
            }
        }

        public void OnEnded(SessionEndReason reason, Exception? error) => session.TryEnd(reason, error);
    }

    private void OnPublish(in PublishPacket packet)
    {
        if (packet.QoS == MqttQoS.ExactlyOnce)
        {
            throw new MqttProtocolException("QoS 2 was never subscribed to.");
        }
        AckQueue.Entry? ack = null;
        if (packet.QoS == MqttQoS.AtLeastOnce)
        {
            lock (link.Gate)
            {
                ack = acks.Add(packet.PacketId);
            }
        }
        var topic = HubTopic.Parse(packet.Topic);
        var payload = packet.Payload.ToArray();
        if (topic.Kind == HubTopicKind.Input && inputs is not null)
        {
            var message = new HubMessage(
                topic.Name,
                topic.Properties,
                payload,
                packet.Duplicate,
                () => Acknowledge(ack)
            );
            TakeOrEnd(inputs.TryAdd(message), "input messages");
            return;
        }
        switch (topic.Kind)
        {
            case HubTopicKind.TwinResponse:
                OnTwinResponse(topic, payload);
                break;
            case HubTopicKind.DesiredPatch:
                OnDesiredPatch(topic, payload);
                break;
            case HubTopicKind.MethodRequest:
                TakeOrEnd(methods.TryAdd(new(topic.Name, topic.RequestId, payload)), "method calls");
                break;
            default:
                LogDropped(logger, packet.Topic, "the topic is unknown");
                break;
        }
        Acknowledge(ack); // These are not done by a handler: they are answered, or told anew.
    }

    private void OnDesiredPatch(in HubTopic topic, byte[] payload)
    {
        try
        {
            var patch = JsonElement.Parse(payload);
            var version =
                topic.Version
                ?? (
                    patch.TryGetProperty("$version", out var inside)
                        ? inside.GetInt64()
                        : throw new JsonException("there is no $version")
                );
            TakeOrEnd(desired.TryAdd(new(version, patch)), "desired patches");
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or FormatException)
        {
            LogDropped(logger, HubTopics.DesiredFilter, error.Message);
        }
    }

    /// <summary>False when the connection is gone.</summary>
    private bool Acknowledge(AckQueue.Entry? ack)
    {
        if (ack is null)
        {
            return true; // QoS 0 wants none.
        }
        lock (link.Gate)
        {
            if (end is not null)
            {
                return false;
            }
            if (!acks.Done(ack, link.Output))
            {
                return true; // Waits for an older one.
            }
        }
        link.Wake();
        return true;
    }

    private void TakeOrEnd(bool taken, string what)
    {
        if (!taken)
        {
            // To drop would be silent, to wait would stop acknowledgements and answers as well.
            TryEnd(
                SessionEndReason.ReceiverOverrun,
                new InvalidOperationException($"More {what} came than wait for a reader.")
            );
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "A message on {Topic} was dropped: {Reason}")]
    private static partial void LogDropped(ILogger logger, string topic, string reason);
}
