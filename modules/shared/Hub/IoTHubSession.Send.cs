using System.Buffers;
using System.Text;
using EdgeDm.Mqtt;
using EdgeDm.Mqtt.IoTHub;

namespace EdgeDm.Hub;

public sealed partial class IoTHubSession
{
    private const int LongestTopic = ushort.MaxValue;

    /// <summary>Fixed header, topic length, packet id: what a message costs besides its topic and its payload.</summary>
    private const int PacketOverhead = 9;

    private readonly SemaphoreSlim window;
    private readonly Dictionary<ushort, Pending> pendingPackets = [];
    private ushort lastPacketId;

    /// <summary>Sends telemetry. Completes when the hub has acknowledged it.</summary>
    /// <exception cref="ArgumentException">It is too large, or has a property named like the hub's own.</exception>
    /// <exception cref="ConnectionLostException">With <c>OutcomeUnknown</c> when it had left.</exception>
    /// <exception cref="TimeoutException">No acknowledgement came in time; the session has ended.</exception>
    public ValueTask SendTelemetryAsync(OutboundMessage message, CancellationToken cancellationToken = default) =>
        SendAsync(message, null, cancellationToken);

    /// <summary>Sends to a module's output, for edgeHub's routes. Completes when the hub has acknowledged it.</summary>
    /// <inheritdoc cref="SendTelemetryAsync"/>
    public ValueTask SendToOutputAsync(
        string outputName,
        OutboundMessage message,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentException.ThrowIfNullOrEmpty(outputName);
        return ModuleId is not null
            ? SendAsync(message, outputName, cancellationToken)
            : throw new InvalidOperationException("A device has no outputs.");
    }

    internal async Task SubscribeFilterAsync(string filter, MqttQoS qos)
    {
        var pending = Write(
            id => new SubscribePacket(id, [new(filter, qos)]).Write(link.Output),
            new Pending(HoldsWindow: false)
        );
        var suback = await WaitForAckAsync(pending, CancellationToken.None);
        if (suback is not { Codes: [var code] } || code == SubackPacket.Failure)
        {
            throw new SubscriptionRefusedException(filter);
        }
    }

    /// <summary>Does nothing when the connection is gone: it has no subscriptions.</summary>
    internal void UnsubscribeFilter(string filter)
    {
        lock (link.Gate)
        {
            if (end is null)
            {
                Write(id => new UnsubscribePacket(id, [filter]).Write(link.Output), new Pending(HoldsWindow: false));
            }
        }
    }

    private ValueTask SendAsync(OutboundMessage message, string? output, CancellationToken cancellationToken)
    {
        var topic = new ArrayBufferWriter<byte>(256);
        Encoding.UTF8.GetBytes(HubTopics.Events(DeviceId, ModuleId), topic);
        var first = true;
        WriteProperty(SystemProperties.OutputName, output);
        WriteProperty(SystemProperties.MessageId, message.MessageId);
        WriteProperty(SystemProperties.CorrelationId, message.CorrelationId);
        WriteProperty(SystemProperties.ContentType, message.ContentType);
        WriteProperty(SystemProperties.ContentEncoding, message.ContentEncoding);
        foreach (var (name, value) in message.Properties ?? new Dictionary<string, string>())
        {
            if (name.Length == 0 || name[0] == '$')
            {
                throw new ArgumentException($"'{name}' is no name for an application property.");
            }
            WriteProperty(name, value);
        }
        return PublishAsync(topic.WrittenMemory, message.Payload, cancellationToken);

        void WriteProperty(string name, string? value)
        {
            if (value is not null)
            {
                PropertyBag.WriteProperty(topic, name, value, ref first);
            }
        }
    }

    private ValueTask PublishAsync(string topic, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken) =>
        PublishAsync(Encoding.UTF8.GetBytes(topic), payload, cancellationToken);

    private async ValueTask PublishAsync(
        ReadOnlyMemory<byte> topic,
        ReadOnlyMemory<byte> payload,
        CancellationToken cancellationToken
    )
    {
        if (topic.Length > LongestTopic || topic.Length + payload.Length + PacketOverhead > options.MaxMessageBytes)
        {
            throw new ArgumentException(
                $"The message has {topic.Length} bytes of topic and {payload.Length} of payload; "
                    + $"the limits are {LongestTopic} and {options.MaxMessageBytes} in all."
            );
        }
        // The place in the window is given back with the acknowledgement, not with the caller's patience.
        await window.WaitAsync(cancellationToken);
        var pending = Write(
            id => PublishPacket.Write(link.Output, topic.Span, payload.Span, MqttQoS.AtLeastOnce, id),
            new Pending(HoldsWindow: true)
        );
        await WaitForAckAsync(pending, cancellationToken);
    }

    /// <summary>Gives the packet an id and writes it, in the order of the calls.</summary>
    private Pending Write(Action<ushort> write, Pending pending)
    {
        lock (link.Gate)
        {
            if (end is not null)
            {
                Release(pending);
                throw EndedError(outcomeUnknown: false);
            }
            do
            {
                lastPacketId = lastPacketId == ushort.MaxValue ? (ushort)1 : (ushort)(lastPacketId + 1);
            } while (pendingPackets.ContainsKey(lastPacketId));
            pendingPackets.Add(lastPacketId, pending);
            write(lastPacketId);
        }
        link.Wake();
        return pending;
    }

    private async ValueTask<SubackPacket?> WaitForAckAsync(Pending pending, CancellationToken cancellationToken)
    {
        try
        {
            return await pending.Done.Task.WaitAsync(options.OperationTimeout, options.TimeProvider, cancellationToken);
        }
        catch (TimeoutException)
        {
            // What the hub has or has not taken is no longer known: this connection is of no more use.
            var error = new TimeoutException(
                $"The hub did not acknowledge within {options.OperationTimeout.TotalSeconds} s."
            );
            TryEnd(SessionEndReason.AckTimeout, error);
            throw error;
        }
    }

    private void OnAcknowledged(ushort packetId, SubackPacket? suback)
    {
        Pending? pending;
        lock (link.Gate)
        {
            pendingPackets.Remove(packetId, out pending);
        }
        if (pending is null && end is not null)
        {
            return; // Failed with the session; the answer to its farewell came late.
        }
        if (pending is null)
        {
            LogDropped(logger, "PUBACK, SUBACK or UNSUBACK", $"packet id {packetId} is not open");
            return;
        }
        pending.Done.TrySetResult(suback);
        Release(pending);
    }

    private void FailPending()
    {
        Pending[] open;
        TaskCompletionSource<TwinReply>[] waiting;
        lock (link.Gate)
        {
            open = [.. pendingPackets.Values];
            pendingPackets.Clear();
            waiting = [.. pendingReplies.Values];
            pendingReplies.Clear();
        }
        foreach (var pending in open)
        {
            pending.Done.TrySetException(EndedError(outcomeUnknown: true));
            _ = pending.Done.Task.Exception; // Its caller may have given up waiting.
            Release(pending);
        }
        foreach (var reply in waiting)
        {
            reply.TrySetException(EndedError(outcomeUnknown: true));
            _ = reply.Task.Exception;
        }
    }

    private void Release(Pending pending)
    {
        if (pending.HoldsWindow)
        {
            window.Release();
        }
    }

    /// <summary>A packet without its acknowledgement.</summary>
    private sealed record Pending(bool HoldsWindow)
    {
        public TaskCompletionSource<SubackPacket?> Done { get; } =
            new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
