using EdgeDm.DevHub.Identities;
using EdgeDm.DevHub.Methods;
using EdgeDm.DevHub.Nested;
using EdgeDm.Mqtt;
using EdgeDm.Mqtt.IoTHub;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace EdgeDm.DevHub.Broker;

/// <summary>
/// One client's connection after its CONNECT was accepted: reads its packets in order, writes through one queue, delivers to
/// its inputs. Ends once and for good.
/// </summary>
internal sealed partial class ClientConnection : IMethodTarget, IDisposable
{
    private readonly HubParts parts;
    private readonly ConnectionContext transport;
    private readonly ConnectPacket connect;
    private readonly PacketWriter writer;
    private readonly InputPump inputs;
    private readonly PublishAcks acks;
    private readonly ILogger logger;
    private readonly CancellationTokenSource closing;
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int lastPacketId;
    private string? reason;
    private long lastHeard;

    // Nothing may be sent before CONNACK, though others already find this connection.
    private volatile bool open;

    public ClientConnection(
        HubParts parts,
        ConnectionContext transport,
        ConnectPacket connect,
        HubIdentity identity,
        Subscriptions subscriptions,
        ILogger logger
    )
    {
        this.parts = parts;
        this.transport = transport;
        this.connect = connect;
        this.logger = logger;
        Identity = identity;
        Name = identity.ToString();
        Subscriptions = subscriptions;
        Since = parts.Time.GetUtcNow();
        lastHeard = Since.UtcTicks;
        closing = CancellationTokenSource.CreateLinkedTokenSource(transport.ConnectionClosed);
        writer = new(transport.Transport.Output, parts.Options.LongestSendQueue, OnLost, closing.Token);
        acks = new(Acknowledge, writer.Flush, OnNotKept, parts.Options.LongestSendQueue);
        inputs = new(this, parts.Messages, parts.Options.MessageAckTimeout, parts.Time, logger);
    }

    /// <summary>Who is connected.</summary>
    public HubIdentity Identity { get; }

    /// <summary>The same as text.</summary>
    public string Name { get; }

    /// <summary>By which way an edgeHub speaks for it; null = nobody does.</summary>
    public AuthChain? OnBehalf { get; init; }

    /// <summary>What it wants.</summary>
    public Subscriptions Subscriptions { get; }

    /// <summary>When it was made.</summary>
    public DateTimeOffset Since { get; }

    /// <summary>When the client last sent something.</summary>
    public DateTimeOffset LastHeard => new(Volatile.Read(ref lastHeard), TimeSpan.Zero);

    // IoT Hub has no routes between modules; nor has the gateway any for modules of other devices, which talk to IoT Hub here.
    private bool IsPastRoutes =>
        parts.Options.Profile == HubProfile.IoTHub
        || (Identity.ModuleId is not null && Identity.DeviceId != parts.Identities.DeviceId);

    /// <summary>Completes when the connection has let go of everything. Never fails.</summary>
    public Task Ended => ended.Task;

    /// <summary>Ends the connection from outside, at once and without a packet: MQTT 3.1.1 has none for it.</summary>
    public void Close(string why)
    {
        Interlocked.CompareExchange(ref reason, why, null);
        transport.Abort(new ConnectionAbortedException(why));
        try
        {
            closing.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It has ended already.
        }
    }

    /// <summary>Answers CONNECT and serves the client until the connection ends.</summary>
    /// <param name="sessionPresent">For CONNACK.</param>
    /// <param name="tokenEnds">When the client's token is dead, and with it the connection.</param>
    public async Task RunAsync(bool sessionPresent, DateTimeOffset tokenEnds)
    {
        writer.TryAdd(new ConnackPacket(sessionPresent, ConnackCode.Accepted), static (output, p) => p.Write(output));
        open = true;
        AttachIfSubscribed(); // Whoever has CONNACK can be called.
        Flush();
        LogConnected(logger, Name);
        var keepAlive = KeepAliveOf(connect.KeepAliveSeconds);
        using var idle = parts.Time.CreateTimer(
            static c => ((ClientConnection)c!).Close("it was silent for longer than its keep-alive allows"),
            this,
            keepAlive,
            Timeout.InfiniteTimeSpan
        );
        using var token = parts.Time.CreateTimer(
            static c => ((ClientConnection)c!).Close("its token has expired"),
            this,
            WaitFor(tokenEnds),
            Timeout.InfiniteTimeSpan
        );
        inputs.Start();
        var graceful = false;
        try
        {
            graceful = await ReadAsync(() =>
            {
                Volatile.Write(ref lastHeard, parts.Time.GetUtcNow().UtcTicks);
                idle.Change(keepAlive, Timeout.InfiniteTimeSpan);
            });
        }
        catch (MqttProtocolException error)
        {
            reason ??= error.Message;
        }
        catch (Exception error) when (IsEndOfConnection(error))
        {
            // Said below.
        }
        finally
        {
            open = false;
            parts.Methods.Detach(Identity, this);
            inputs.Dispose();
            var written = writer.CompleteAsync();
            await closing.CancelAsync();
            await written;
            reason ??= graceful ? "it said goodbye" : "it closed the socket";
            LogDisconnected(logger, Name, reason);
        }
        if (!graceful)
        {
            await PublishWillAsync();
        }
    }

    /// <summary>The last thing: others may now take the client's place.</summary>
    public void Dispose()
    {
        inputs.Dispose();
        closing.Dispose();
        ended.TrySetResult();
    }

    private TimeSpan KeepAliveOf(ushort seconds)
    {
        const double Tolerance = 1.5; // MQTT 3.1.1, 3.1.2-24
        var longest = parts.Options.LongestKeepAlive;
        var wanted = TimeSpan.FromSeconds(seconds * Tolerance);
        return seconds == 0 || wanted > longest ? longest : wanted;
    }

    private TimeSpan WaitFor(DateTimeOffset end)
    {
        var longest = TimeSpan.FromDays(40); // A timer's limit is a little higher; such a connection does not live.
        var wait = end - parts.Time.GetUtcNow();
        return wait > longest ? Timeout.InfiniteTimeSpan
            : wait < TimeSpan.Zero ? TimeSpan.Zero
            : wait;
    }

    private void OnLost(Exception? error)
    {
        if (error is not null && !IsEndOfConnection(error))
        {
            LogFailed(logger, error, Name);
        }
        if (open)
        {
            Close("it closed the socket");
        }
    }

    private void OnNotKept(HubException error) => Close(error.Message); // Not acknowledged: the client comes again.

    private static bool IsEndOfConnection(Exception error) =>
        error is IOException or OperationCanceledException or ObjectDisposedException;

    private async Task PublishWillAsync()
    {
        if (connect.Will is not { } will)
        {
            return;
        }
        var topic = HubTopic.Parse(will.Topic);
        if (!IsOwnTelemetry(topic))
        {
            LogUnknownTopic(logger, Name, will.Topic);
            return;
        }
        var message =
            parts.Options.Profile == HubProfile.IoTHub
                ? MessageTopic.Read(Identity, topic.Properties + "&iothub-MessageType=Will", will.Payload)
                : MessageTopic.Read(Identity, topic.Properties, will.Payload);
        try
        {
            await TakeAsync(message, CancellationToken.None);
        }
        catch (HubException error)
        {
            LogRefused(logger, Name, error.Message);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Client} connected")]
    private static partial void LogConnected(ILogger logger, string client);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Client} disconnected: {Reason}")]
    private static partial void LogDisconnected(ILogger logger, string client, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "Serving {Client} failed")]
    private static partial void LogFailed(ILogger logger, Exception error, string client);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "{Client} published on '{Topic}', which is no topic of its own; the message is dropped"
    )]
    private static partial void LogUnknownTopic(ILogger logger, string client, string topic);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A message of {Client} is refused: {Reason}")]
    private static partial void LogRefused(ILogger logger, string client, string reason);
}
