using System.Buffers;
using System.Globalization;
using System.Text;
using EdgeDm.Hub.Internal;
using EdgeDm.Mqtt;
using EdgeDm.Mqtt.IoTHub;

namespace EdgeDm.Hub;

public sealed partial class IoTHubSession
{
    private const int LongestTopic = ushort.MaxValue;

    /// <summary>Fixed header, topic length, packet id: what a message costs besides its topic and its payload.</summary>
    private const int PacketOverhead = 9;

    [ThreadStatic]
    private static RentedWriter? topicOfThread;

    private readonly byte[] eventsTopic;

    /// <summary>Sends telemetry. Completes when the hub has acknowledged it.</summary>
    /// <exception cref="ArgumentException">It is too large, or has a property named like the hub's own.</exception>
    /// <exception cref="ConnectionLostException">With <c>OutcomeUnknown</c> when it had left.</exception>
    /// <exception cref="TimeoutException">No acknowledgement came in time; the session has ended.</exception>
    /// <exception cref="ObjectDisposedException">The session was disposed.</exception>
    public ValueTask SendTelemetryAsync(OutboundMessage message, CancellationToken cancellationToken = default) =>
        SendAsync(message, null, cancellationToken);

    /// <summary>Sends to a module's output, for edgeHub's routes. Completes when the hub has acknowledged it.</summary>
    /// <exception cref="InvalidOperationException">This is a device.</exception>
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
        PendingAck pending;
        lock (link.Gate)
        {
            ThrowIfEnded();
            pending = Add(pendingAcks.Begin(holdsWindow: false));
            new SubscribePacket(pending.PacketId, [new(filter, qos)]).Write(link.Output);
        }
        link.Wake();
        var suback = await pending.WaitForSubackAsync(CancellationToken.None);
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
            if (end is not null)
            {
                return;
            }
            var pending = Add(pendingAcks.Begin(holdsWindow: false));
            new UnsubscribePacket(pending.PacketId, [filter]).Write(link.Output);
        }
        link.Wake();
    }

    private ValueTask SendAsync(OutboundMessage message, string? output, CancellationToken cancellationToken) =>
        HubInstruments.IsWatched(HubOperationKind.Send)
            ? HubInstruments.WatchAsync(
                this,
                HubOperationKind.Send,
                output,
                operation =>
                {
                    operation.Describe(message.MessageId, message.Payload.Length);
                    return SendNowAsync(message, output, cancellationToken);
                }
            )
            : SendNowAsync(message, output, cancellationToken);

    private ValueTask SendNowAsync(OutboundMessage message, string? output, CancellationToken cancellationToken)
    {
        // Built outside the gate, and in memory that the next message of this thread uses again.
        var topic = topicOfThread ??= new();
        try
        {
            WriteTopic(topic, message, output);
            return PublishAsync(topic.Written.Span, message.Payload, cancellationToken);
        }
        finally
        {
            topic.Clear();
        }
    }

    private void WriteTopic(RentedWriter topic, OutboundMessage message, string? output)
    {
        topic.Write(eventsTopic);
        var first = true;
        WriteProperty(SystemProperties.OutputName, output);
        WriteProperty(SystemProperties.MessageId, message.MessageId);
        WriteProperty(SystemProperties.CorrelationId, message.CorrelationId);
        WriteProperty(SystemProperties.ContentType, message.ContentType);
        WriteProperty(SystemProperties.ContentEncoding, message.ContentEncoding);
        if (message.HasRare)
        {
            WriteProperty(SystemProperties.UserId, message.UserId);
            WriteProperty(SystemProperties.InterfaceId, message.InterfaceId);
            WriteProperty(SystemProperties.Component, message.ComponentName);
            WriteProperty(SystemProperties.CreationTime, TextOf(message.CreatedOn));
            WriteProperty(SystemProperties.ExpiryTime, TextOf(message.ExpiresOn));
        }
        if (message.Properties is not { } properties)
        {
            return;
        }
        foreach (var (name, value) in properties)
        {
            if (name.Length == 0 || name[0] == '$')
            {
                throw new ArgumentException($"'{name}' is no name for an application property.", nameof(message));
            }
            WriteProperty(name, value);
        }

        void WriteProperty(string name, string? value)
        {
            if (value is not null)
            {
                PropertyBag.WriteProperty(topic, name, value, ref first);
            }
        }

        // The official C# client takes this form only.
        static string? TextOf(DateTimeOffset? time) => time?.UtcDateTime.ToString("O", CultureInfo.InvariantCulture);
    }

    private ValueTask PublishAsync(string topic, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken) =>
        PublishAsync(Encoding.UTF8.GetBytes(topic), payload, cancellationToken);

    private ValueTask PublishAsync(
        ReadOnlySpan<byte> topic,
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
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled(cancellationToken);
        }
        PendingAck pending;
        lock (link.Gate)
        {
            ThrowIfEnded();
            pending = pendingAcks.Begin(holdsWindow: true);
            if (pendingAcks.HasPlace)
            {
                Publish(pending, topic, payload.Span);
            }
            else
            {
                pendingAcks.Park(pending, topic.ToArray(), payload);
            }
        }
        link.Wake();
        return pending.WaitAsync(cancellationToken);
    }

    /// <summary>Under the gate.</summary>
    private void Publish(PendingAck pending, ReadOnlySpan<byte> topic, ReadOnlySpan<byte> payload)
    {
        Add(pending);
        PublishPacket.Write(link.Output, topic, payload, MqttQoS.AtLeastOnce, pending.PacketId);
        HubInstruments.InflightChanged(1);
    }

    /// <summary>Under the gate: it is sent next.</summary>
    private PendingAck Add(PendingAck pending)
    {
        if (!ackTimerRuns)
        {
            ackTimerRuns = true;
            ackTimer.Change(options.OperationTimeout, Timeout.InfiniteTimeSpan);
        }
        pendingAcks.Add(pending, options.TimeProvider.GetTimestamp());
        return pending;
    }

    private void ThrowIfEnded()
    {
        if (end is not null)
        {
            throw EndedError(outcomeUnknown: false);
        }
    }
}
