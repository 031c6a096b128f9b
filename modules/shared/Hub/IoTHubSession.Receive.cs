using System.Buffers;
using System.Text;
using System.Text.Json;
using EdgeDm.Hub.Internal;
using EdgeDm.Mqtt;
using EdgeDm.Mqtt.IoTHub;
using Microsoft.Extensions.Logging;

namespace EdgeDm.Hub;

public sealed partial class IoTHubSession
{
    /// <summary>More names than this are not kept: a hub that makes them up must not fill the memory.</summary>
    private const int MostKnownInputs = 64;

    private readonly AckQueue acks = new();
    private readonly byte[] messagesTopic;
    private readonly List<(byte[] Utf8, string Name)> knownInputs = [];

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
                    session.OnPublish(PublishView.Parse(frame));
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

        public void OnAllRead() => session.TellAcknowledged();

        public void OnEnded(SessionEndReason reason, Exception? error) => session.TryEnd(reason, error);
    }

    private void OnPublish(in PublishView packet)
    {
        if (packet.QoS == MqttQoS.ExactlyOnce)
        {
            throw new MqttProtocolException("QoS 2 was never subscribed to.");
        }
        uint? place = null;
        if (packet.QoS == MqttQoS.AtLeastOnce)
        {
            lock (link.Gate)
            {
                place = acks.Add(packet.PacketId);
            }
        }
        if (packet.Topic.StartsWith(messagesTopic))
        {
            OnMessage(packet, packet.Topic[messagesTopic.Length..], place);
            return;
        }
        OnRequest(HubTopic.Parse(Encoding.UTF8.GetString(packet.Topic)), packet);
        if (place is { } done)
        {
            Acknowledge(done); // These are not done by a handler: they are answered, or told anew.
        }
    }

    /// <param name="packet">A message at an input, or from the cloud.</param>
    /// <param name="topic">What follows its kind: <c>{input}[/{bag}]</c>, or the bag alone.</param>
    /// <param name="place">In the queue of acknowledgements.</param>
    private void OnMessage(in PublishView packet, ReadOnlySpan<byte> topic, uint? place)
    {
        var input = "";
        if (ModuleId is not null)
        {
            var slash = topic.IndexOf((byte)'/');
            input = InputName(slash < 0 ? topic : topic[..slash]);
            topic = slash < 0 ? default : topic[(slash + 1)..];
        }
        TakeOrEnd(messages.TryAdd(new(this, input, topic, packet.Payload, packet.Duplicate, place)), "messages");
    }

    private void OnRequest(in HubTopic topic, in PublishView packet)
    {
        switch (topic.Kind)
        {
            case HubTopicKind.TwinResponse:
                OnTwinResponse(topic, packet.Payload.ToArray());
                break;
            case HubTopicKind.DesiredPatch:
                OnDesiredPatch(topic, packet.Payload.ToArray());
                break;
            case HubTopicKind.MethodRequest:
                var now = options.TimeProvider.GetTimestamp();
                TakeOrEnd(
                    methods.TryAdd(new(topic.Name, topic.RequestId, packet.Payload.ToArray(), now)),
                    "method calls"
                );
                break;
            default:
                LogDropped(logger, Encoding.UTF8.GetString(packet.Topic), "the topic is unknown");
                break;
        }
    }

    /// <summary>An input's name, without making it anew for each message.</summary>
    private string InputName(ReadOnlySpan<byte> utf8)
    {
        foreach (var (known, name) in knownInputs)
        {
            if (utf8.SequenceEqual(known))
            {
                return name;
            }
        }
        var made = Encoding.UTF8.GetString(utf8);
        if (knownInputs.Count < MostKnownInputs)
        {
            knownInputs.Add((utf8.ToArray(), made));
        }
        return made;
    }

    private void OnDesiredPatch(in HubTopic topic, byte[] payload)
    {
        try
        {
            var patch = JsonElement.Parse(payload);
            var version =
                topic.Version
                ?? (patch.TryGetProperty("$version", out var inside) ? inside.GetInt64() : throw new FormatException());
            TakeOrEnd(desired.TryAdd(new(version, patch)), "desired patches");
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or FormatException)
        {
            LogDropped(logger, HubTopics.DesiredFilter, Unreadable(error));
        }
    }

    /// <summary>What is wrong with a body, without its words, which <see cref="JsonException"/>'s message may quote.</summary>
    private static string Unreadable(Exception error) =>
        error is JsonException { LineNumber: { } line, BytePositionInLine: { } column }
            ? $"its body is no JSON (line {line + 1}, byte {column + 1})"
            : "its body has not the form that it should have";

    /// <summary>False when the connection is gone.</summary>
    internal bool Acknowledge(uint place)
    {
        lock (link.Gate)
        {
            if (end is not null)
            {
                return false;
            }
            if (!acks.Done(place, link.Output))
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
