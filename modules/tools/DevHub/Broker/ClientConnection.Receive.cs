using System.Buffers;
using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeDm.DevHub.Methods;
using EdgeDm.DevHub.Routing;
using EdgeDm.DevHub.Twins;
using EdgeDm.Mqtt;
using EdgeDm.Mqtt.IoTHub;

namespace EdgeDm.DevHub.Broker;

/// <content>What the client sends, one packet after the other: so PUBACKs come in the order of its PUBLISHes.</content>
internal sealed partial class ClientConnection
{
    // Until DISCONNECT (true) or the end of the stream (false).
    private async Task<bool> ReadAsync(Action heard)
    {
        var input = transport.Transport.Input;
        while (true)
        {
            var result = await input.ReadAsync(closing.Token);
            heard();
            var buffer = result.Buffer;
            while (MqttFrame.TryReadFrame(ref buffer, parts.Options.LargestPacket, out var frame))
            {
                if (frame.Type == MqttPacketType.Disconnect)
                {
                    EmptyPackets.Check(frame);
                    return true;
                }
                await HandleAsync(frame);
            }
            input.AdvanceTo(buffer.Start, buffer.End);
            Flush();
            if (result.IsCompleted) // Cancelled = read again, under other faults than before.
            {
                return false;
            }
        }
    }

    private ValueTask HandleAsync(in MqttFrame frame)
    {
        switch (frame.Type)
        {
            case MqttPacketType.Publish:
                return HandlePublishAsync(PublishPacket.Parse(frame));
            case MqttPacketType.Puback:
                inputs.Acknowledge(PubackPacket.Parse(frame).PacketId);
                break;
            case MqttPacketType.Subscribe:
                return HandleSubscribeAsync(SubscribePacket.Parse(frame));
            case MqttPacketType.Unsubscribe:
                return HandleUnsubscribeAsync(UnsubscribePacket.Parse(frame));
            case MqttPacketType.Pingreq:
                EmptyPackets.Check(frame);
                Send(EmptyPackets.WritePingresp);
                break;
            default:
                throw new MqttProtocolException($"A client must not send {frame.Type} here.");
        }
        return ValueTask.CompletedTask;
    }

    private async ValueTask HandleSubscribeAsync(SubscribePacket packet)
    {
        await SocketThreads.Leave();
        var codes = new List<byte>();
        foreach (var wish in packet.Filters)
        {
            // edgeHub grants what it does not know; IoT Hub does not.
            var known =
                parts.Options.Profile == HubProfile.EdgeHub
                || Subscriptions.KindOf(wish.Filter) != SubscriptionKind.Unknown;
            codes.Add(
                known && Subscriptions.Add(wish.Filter, wish.QoS) is { } granted ? (byte)granted : SubackPacket.Failure
            );
        }
        if (!TryKeepSubscriptions())
        {
            return;
        }
        // Behind SUBACK, so that nothing that is subscribed to comes before it, and in one go with it: whoever has it can be called.
        Add(
            new SubackPacket(packet.PacketId, codes),
            (output, suback) =>
            {
                suback.Write(output);
                AttachIfSubscribed();
            }
        );
        inputs.Pump();
    }

    private void AttachIfSubscribed()
    {
        if (Subscriptions.For(SubscriptionKind.Methods) is not null)
        {
            parts.Methods.Attach(Identity, this);
        }
    }

    private async ValueTask HandleUnsubscribeAsync(UnsubscribePacket packet)
    {
        await SocketThreads.Leave();
        foreach (var filter in packet.Filters)
        {
            Subscriptions.Remove(filter);
        }
        if (!TryKeepSubscriptions())
        {
            return;
        }
        Send(output => UnsubackPacket.Write(output, packet.PacketId));
        if (Subscriptions.For(SubscriptionKind.Methods) is null)
        {
            parts.Methods.Detach(Identity, this);
        }
    }

    private bool TryKeepSubscriptions()
    {
        try
        {
            Subscriptions.Keep();
            return true;
        }
        catch (HubException error)
        {
            OnNotKept(error);
            return false;
        }
    }

    private async ValueTask HandlePublishAsync(PublishPacket packet)
    {
        if (packet.QoS == MqttQoS.ExactlyOnce)
        {
            throw new MqttProtocolException("QoS 2 is not supported.");
        }
        var topic = HubTopic.Parse(packet.Topic);
        var body = packet.Payload.ToArray();
        var kept = ValueTask.CompletedTask;
        switch (topic.Kind)
        {
            case HubTopicKind.Telemetry when IsOwnTelemetry(topic):
                kept = Route(packet, topic, body);
                break;
            case HubTopicKind.TwinGet when topic.RequestId.Length > 0:
                await SocketThreads.Leave();
                // Under the store's lock, so that a later change cannot overtake the answer.
                parts.Twins.Read(Identity, twin => SendTwinResponse(topic.RequestId, 200, twin.ForClient()));
                break;
            case HubTopicKind.ReportedPatch:
                await SocketThreads.Leave();
                await HandleReportedAsync(topic.RequestId, body);
                break;
            case HubTopicKind.MethodResponse:
                parts.Methods.Complete(this, topic.RequestId, new MethodAnswer(topic.Status, body));
                break;
            default:
                HandleUnknown(packet.Topic);
                break;
        }
        if (packet.QoS == MqttQoS.AtLeastOnce)
        {
            await acks.AddAsync(kept, packet.PacketId);
        }
        else if (!kept.IsCompletedSuccessfully)
        {
            await KeptAsync(kept);
        }
    }

    private async Task KeptAsync(ValueTask kept)
    {
        try
        {
            await kept;
        }
        catch (HubException error)
        {
            OnNotKept(error);
        }
    }

    private bool IsOwnTelemetry(HubTopic topic) =>
        topic.Kind == HubTopicKind.Telemetry
        && topic.DeviceId == Identity.DeviceId
        && topic.ModuleId == Identity.ModuleId;

    private ValueTask Route(PublishPacket packet, HubTopic topic, byte[] body)
    {
        // The hub keeps no retained messages and drops no duplicates; it tells the receiver.
        var message = (packet.Retain, packet.Duplicate) switch
        {
            (true, true) => MessageTopic.Read(Identity, topic.Properties, body, "mqtt-retain", "mqtt-dup"),
            (true, false) => MessageTopic.Read(Identity, topic.Properties, body, "mqtt-retain"),
            (false, true) => MessageTopic.Read(Identity, topic.Properties, body, "mqtt-dup"),
            _ => MessageTopic.Read(Identity, topic.Properties, body),
        };
        return TakeAsync(message, closing.Token);
    }

    private ValueTask TakeAsync(HubMessage message, CancellationToken cancellationToken)
    {
        if (!IsPastRoutes)
        {
            return parts.Router.RouteAsync(message, cancellationToken);
        }
        parts.Router.SendUpstream(message);
        return ValueTask.CompletedTask;
    }

    private async Task HandleReportedAsync(string requestId, byte[] body)
    {
        long version;
        try
        {
            version = parts.Twins.Report(Identity, TwinLimits.Parse(body)).Reported.Version;
        }
        catch (HubException error)
        {
            Refuse(requestId, error.Status, error.Error, error.Message);
            return;
        }
        catch (JsonException error)
        {
            var status = parts.Options.Profile == HubProfile.EdgeHub ? 500 : 400;
            Refuse(requestId, status, HubError.IotHubFormatError, $"The patch is not a JSON object: {error.Message}");
            return;
        }
        if (requestId.Length > 0)
        {
            SendTwinResponse(requestId, 204, null, parts.Options.Profile == HubProfile.IoTHub ? version : null);
        }
        if (IsPastRoutes)
        {
            return;
        }
        try
        {
            await parts.Router.RouteAsync(MessageTopic.TwinChange(Identity, body), closing.Token);
        }
        catch (HubException error)
        {
            // The twin has it; only who listens to twin changes has not.
            LogRefused(logger, Name, error.Message);
        }
    }

    // Node ignores the status and looks for errorCode.
    private void Refuse(string requestId, int status, HubError error, string message)
    {
        LogRefused(logger, Name, message);
        if (requestId.Length > 0)
        {
            var body = new JsonObject { ["errorCode"] = (int)error, ["message"] = message };
            SendTwinResponse(requestId, status, body);
        }
    }

    private void HandleUnknown(string topic)
    {
        LogUnknownTopic(logger, Name, topic);
        if (parts.Options.Profile == HubProfile.IoTHub || topic.StartsWith("$iothub/twin/", StringComparison.Ordinal))
        {
            throw new MqttProtocolException($"'{topic}' is no topic that a client may publish on.");
        }
    }
}
