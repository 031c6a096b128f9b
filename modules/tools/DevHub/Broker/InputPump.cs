using System.Buffers;
using EdgeDm.DevHub.Queues;
using EdgeDm.Mqtt;
using Microsoft.Extensions.Logging;

namespace EdgeDm.DevHub.Broker;

/// <summary>
/// Delivers to a module's inputs, and to a device what comes from the cloud: one message at a time, the next only after this one's PUBACK, as edgeHub does. One not
/// acknowledged in time is sent again as a new packet; one that the connection's end finds unacknowledged stays in the store.
/// It has no task of its own: whoever brings a message, a PUBACK or a subscription delivers the next.
/// </summary>
internal sealed partial class InputPump : IDisposable
{
    [ThreadStatic]
    private static ArrayBufferWriter<byte>? topicOfThread;

    private readonly ClientConnection connection;
    private readonly MessageStore store;
    private readonly TimeSpan ackTimeout;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly SubscriptionKind kind;
    private readonly Lock gate = new();
    private readonly ITimer late;
    private QueuedMessage? underWay;
    private ushort packetId;
    private long sentAt;
    private bool isTimed;
    private bool isOver;

    public InputPump(
        ClientConnection connection,
        MessageStore store,
        TimeSpan ackTimeout,
        TimeProvider time,
        ILogger logger
    )
    {
        this.connection = connection;
        this.store = store;
        this.ackTimeout = ackTimeout;
        this.time = time;
        this.logger = logger;
        kind = connection.Identity.ModuleId is null ? SubscriptionKind.DeviceBound : SubscriptionKind.Inputs;
        late = time.CreateTimer(
            static pump => ((InputPump)pump!).OnLate(),
            this,
            Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan
        );
    }

    /// <summary>Delivers from now on.</summary>
    public void Start()
    {
        store.Listen(connection.Identity, Pump);
        Pump();
    }

    /// <summary>Delivers the next message, if the module wants it and has acknowledged the one before.</summary>
    public void Pump()
    {
        lock (gate)
        {
            while (
                !isOver
                && underWay is null
                && connection.Subscriptions.For(kind) is { } qos
                && store.Peek(connection.Identity) is { } message
            )
            {
                Deliver(message, qos);
            }
        }
        connection.Flush();
    }

    /// <summary>True while this packet id waits for its PUBACK.</summary>
    public bool Uses(ushort id)
    {
        lock (gate)
        {
            return underWay is not null && packetId == id;
        }
    }

    /// <summary>The module acknowledged a packet; ids of other packets are ignored.</summary>
    public void Acknowledge(ushort id)
    {
        lock (gate)
        {
            if (underWay is null || packetId != id)
            {
                return;
            }
            store.Complete(underWay);
            underWay = null;
        }
        Pump();
    }

    /// <summary>The connection ends: what was not acknowledged stays in the store.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            if (isOver)
            {
                return;
            }
            isOver = true;
        }
        store.Listen(connection.Identity, null);
        late.Dispose();
    }

    private void Deliver(QueuedMessage message, MqttQoS qos)
    {
        var topic = topicOfThread ??= new();
        topic.ResetWrittenCount();
        MessageTopic.Write(topic, connection.Identity, message.Queue.Input, message.Message);
        if (topic.WrittenCount > MessageTopic.LongestTopic)
        {
            // It would never fit, and stand in the way of all others.
            store.Complete(message);
            LogTooLong(logger, message.Queue, MessageTopic.LongestTopic);
            return;
        }
        underWay = message;
        if (qos == MqttQoS.AtMostOnce)
        {
            packetId = 0; // Done when it has left, as nothing will be heard of it.
            connection.Publish(topic.WrittenMemory, message.Message.Body, qos, packetId, sent: () => Acknowledge(0));
            return;
        }
        packetId = connection.NextPacketId();
        sentAt = time.GetTimestamp();
        connection.Publish(topic.WrittenMemory, message.Message.Body, qos, packetId);
        if (!isTimed)
        {
            isTimed = true;
            late.Change(ackTimeout, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>One timer for all: it runs while something waits, and fires when that may be late.</summary>
    private void OnLate()
    {
        lock (gate)
        {
            isTimed = false;
            if (isOver || underWay is not { } message || packetId == 0)
            {
                return;
            }
            var waited = time.GetElapsedTime(sentAt);
            if (waited < ackTimeout)
            {
                isTimed = true;
                late.Change(ackTimeout - waited, Timeout.InfiniteTimeSpan);
                return;
            }
            LogNotAcknowledged(logger, message.Queue, ackTimeout.TotalSeconds);
            underWay = null;
        }
        Pump();
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "A message to {Queue} was not acknowledged within {Seconds} s; sending it again"
    )]
    private static partial void LogNotAcknowledged(ILogger logger, QueueName queue, double seconds);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "A message to {Queue} is dropped: with the hub's stamps its properties are over {Limit} bytes"
    )]
    private static partial void LogTooLong(ILogger logger, QueueName queue, int limit);
}
