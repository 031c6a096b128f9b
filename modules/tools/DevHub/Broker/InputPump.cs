using System.Text;
using System.Threading.Channels;
using EdgeDm.DevHub.Routing;
using EdgeDm.Mqtt;
using Microsoft.Extensions.Logging;

namespace EdgeDm.DevHub.Broker;

/// <summary>
/// Delivers to a module's inputs: one message at a time, the next only after this one's PUBACK, as edgeHub does. One not
/// acknowledged in time is sent again as a new packet; one that the connection's end finds unacknowledged stays in the store.
/// </summary>
internal sealed partial class InputPump(
    ClientConnection connection,
    MessageStore store,
    TimeSpan ackTimeout,
    TimeProvider time,
    ILogger logger
)
{
    private readonly Lock gate = new();
    private readonly Channel<bool> subscribed = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite }
    );
    private Delivery? underWay;

    /// <summary>The module may have subscribed.</summary>
    public void Wake() => subscribed.Writer.TryWrite(true);

    /// <summary>True while this packet id waits for its PUBACK.</summary>
    public bool Uses(ushort packetId)
    {
        lock (gate)
        {
            return underWay?.PacketId == packetId;
        }
    }

    /// <summary>The module acknowledged a packet; ids of other packets are ignored.</summary>
    public void Acknowledge(ushort packetId)
    {
        lock (gate)
        {
            if (underWay is { } delivery && delivery.PacketId == packetId)
            {
                // Here and not in the loop: the connection may end before the loop hears of it.
                store.Complete(delivery.Message);
                delivery.Acknowledged.TrySetResult();
                underWay = null;
            }
        }
    }

    /// <summary>Delivers until the connection ends.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            while (connection.Subscriptions.For(SubscriptionKind.Inputs) is null)
            {
                await subscribed.Reader.ReadAsync(cancellationToken);
            }
            var message = await store.NextAsync(connection.Identity.ModuleId!, cancellationToken);
            // It may have unsubscribed while there was nothing to deliver.
            if (connection.Subscriptions.For(SubscriptionKind.Inputs) is { } qos)
            {
                await DeliverAsync(message, qos, cancellationToken);
            }
        }
    }

    private async Task DeliverAsync(QueuedMessage message, MqttQoS qos, CancellationToken cancellationToken)
    {
        var topic = MessageTopic.Write(connection.Identity, message.Endpoint.Input!, message.Message);
        if (Encoding.UTF8.GetByteCount(topic) > MessageTopic.LongestTopic)
        {
            // It would never fit, and stand in the way of all others.
            store.Complete(message);
            LogTooLong(logger, connection.Name, message.Endpoint.Input!, MessageTopic.LongestTopic);
            return;
        }
        if (qos == MqttQoS.AtMostOnce)
        {
            var written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            connection.Publish(topic, message.Message.Body, MqttQoS.AtMostOnce, 0, written);
            await written.Task.WaitAsync(cancellationToken);
            store.Complete(message);
            return;
        }
        var delivery = new Delivery(connection.NextPacketId(), message);
        lock (gate)
        {
            underWay = delivery;
        }
        connection.Publish(topic, message.Message.Body, MqttQoS.AtLeastOnce, delivery.PacketId);
        try
        {
            await delivery.Acknowledged.Task.WaitAsync(ackTimeout, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            LogNotAcknowledged(logger, connection.Name, message.Endpoint.Input!, ackTimeout.TotalSeconds);
        }
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "{Client} did not acknowledge a message to its input '{Input}' within {Seconds} s; sending it again"
    )]
    private static partial void LogNotAcknowledged(ILogger logger, string client, string input, double seconds);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "A message to input '{Input}' of {Client} is dropped: with the hub's stamps its properties are over {Limit} bytes"
    )]
    private static partial void LogTooLong(ILogger logger, string client, string input, int limit);

    private sealed record Delivery(ushort PacketId, QueuedMessage Message)
    {
        public TaskCompletionSource Acknowledged { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
