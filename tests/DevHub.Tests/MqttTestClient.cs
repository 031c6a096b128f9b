using System.Buffers;
using System.IO.Pipelines;
using System.Net.Security;
using System.Text;
using System.Threading.Channels;
using EdgeDm.DevHub.Identities;
using EdgeDm.Mqtt;
using EdgeDm.Mqtt.IoTHub;

namespace EdgeDm.DevHub.Tests;

/// <summary>A PUBLISH that arrived.</summary>
internal sealed record Arrived(string Topic, string Payload, MqttQoS QoS, ushort PacketId, bool Duplicate)
{
    public HubTopic Hub => HubTopic.Parse(Topic);

    public PropertyBag Bag => PropertyBag.Decode(Hub.Properties);
}

/// <summary>
/// A client that does nothing by itself: sends what the test says, and hands over every packet that arrives. Only PUBLISHes
/// of QoS 1 are acknowledged, and only when asked to.
/// </summary>
internal sealed class MqttTestClient : IAsyncDisposable
{
    private readonly SslStream stream;
    private readonly SemaphoreSlim writing = new(1);
    private readonly Channel<object> packets = Channel.CreateUnbounded<object>();
    private readonly Task reading;
    private ushort lastPacketId;

    private MqttTestClient(SslStream stream, HubIdentity identity)
    {
        this.stream = stream;
        Identity = identity;
        reading = ReadAsync();
    }

    public HubIdentity Identity { get; }

    /// <summary>Acknowledge what arrives at once.</summary>
    public bool AutoAcknowledge { get; set; }

    /// <summary>Completes when the hub has closed the connection.</summary>
    public Task Closed => reading;

    public string Topics => Identity.TopicRoot;

    /// <summary>Connects a module, which must succeed.</summary>
    public static async Task<MqttTestClient> ConnectAsync(
        TestHub hub,
        string module,
        bool clean = true,
        ushort keepAlive = 60,
        MqttWill? will = null
    )
    {
        var (client, code) = await TryConnectAsync(hub, hub.Module(module), clean, keepAlive, will);
        code.ShouldBe(ConnackCode.Accepted);
        return client;
    }

    /// <summary>Connects a device or a module of any device, and tells what came of it.</summary>
    public static async Task<(MqttTestClient Client, ConnackCode Code)> TryConnectAsync(
        TestHub hub,
        HubIdentity id,
        bool clean = true,
        ushort keepAlive = 60,
        MqttWill? will = null
    )
    {
        var client = await OpenAsync(hub, id);
        var connack = await client.SendConnectAsync(
            new(id.ToString(), clean, keepAlive, UserName(hub, id), Encoding.UTF8.GetBytes(hub.Token(id)), will)
        );
        return (client, connack.Code);
    }

    /// <summary>Connects and subscribes to everything a module has.</summary>
    public static async Task<MqttTestClient> SubscribedAsync(TestHub hub, string module, bool autoAcknowledge = true)
    {
        var client = await ConnectAsync(hub, module);
        client.AutoAcknowledge = autoAcknowledge;
        await client.SubscribeAsync(
            HubTopics.TwinResponseFilter,
            HubTopics.DesiredFilter,
            HubTopics.MethodFilter,
            HubTopics.InputsFilter(client.Identity.DeviceId, module)
        );
        return client;
    }

    public static async Task<MqttTestClient> OpenAsync(TestHub hub, HubIdentity id) => new(await hub.OpenAsync(), id);

    public static string UserName(TestHub hub, HubIdentity id) =>
        $"{hub.Options.EffectiveHubHostName}/{id}/?api-version=2020-09-30&DeviceClientType=test";

    public async Task<ConnackPacket> SendConnectAsync(ConnectPacket connect)
    {
        await SendAsync(connect.Write);
        return await NextAsync<ConnackPacket>();
    }

    public Task SubscribeAsync(params string[] filters) => SubscribeAsync(MqttQoS.AtLeastOnce, filters);

    public async Task<SubackPacket> SubscribeAsync(MqttQoS qos, params string[] filters)
    {
        await SendAsync(
            new SubscribePacket(++lastPacketId, [.. filters.Select(f => new TopicSubscription(f, qos))]).Write
        );
        return await NextAsync<SubackPacket>();
    }

    /// <summary>Publishes; with QoS 1 returns the packet id.</summary>
    public async Task<ushort> PublishAsync(
        string topic,
        string payload = "",
        MqttQoS qos = MqttQoS.AtLeastOnce,
        bool retain = false,
        bool duplicate = false
    )
    {
        var id = qos == MqttQoS.AtMostOnce ? (ushort)0 : ++lastPacketId;
        await SendAsync(o =>
            PublishPacket.Write(o, topic, Encoding.UTF8.GetBytes(payload), qos, id, retain, duplicate)
        );
        return id;
    }

    /// <summary>Publishes and waits for the PUBACK.</summary>
    public async Task PublishAcknowledgedAsync(string topic, string payload = "", bool retain = false)
    {
        var id = await PublishAsync(topic, payload, retain: retain);
        (await NextAsync<PubackPacket>()).PacketId.ShouldBe(id);
    }

    /// <summary>Sends to an output.</summary>
    public Task OutputAsync(string output, string payload, string bag = "") =>
        PublishAcknowledgedAsync(
            $"{Topics}/messages/events/%24.on={output}{(bag.Length == 0 ? "" : "&" + bag)}",
            payload
        );

    public Task AcknowledgeAsync(Arrived message) => SendAsync(o => PubackPacket.Write(o, message.PacketId));

    public async Task SendAsync(Action<IBufferWriter<byte>> packet)
    {
        var buffer = new ArrayBufferWriter<byte>();
        packet(buffer);
        // The test and the automatic acknowledgement both write.
        await writing.WaitAsync();
        try
        {
            await stream.WriteAsync(buffer.WrittenMemory);
            await stream.FlushAsync();
        }
        finally
        {
            writing.Release();
        }
    }

    /// <summary>The next packet, which must be of this type.</summary>
    public async Task<T> NextAsync<T>()
    {
        var packet = await packets.Reader.ReadAsync().AsTask().WaitAsync(TestHub.Patience);
        return packet.ShouldBeOfType<T>();
    }

    public Task<Arrived> NextMessageAsync() => NextAsync<Arrived>();

    /// <summary>A round trip: whatever the hub sent before has arrived, and was not what the test forbids.</summary>
    public async Task ShouldHaveNothingAsync()
    {
        await SendAsync(EmptyPackets.WritePingreq);
        await NextAsync<Ping>();
    }

    public async Task GoodbyeAsync()
    {
        await SendAsync(EmptyPackets.WriteDisconnect);
        await Closed.WaitAsync(TestHub.Patience);
    }

    /// <summary>Cuts the connection without DISCONNECT.</summary>
    public async ValueTask DisposeAsync()
    {
        await stream.DisposeAsync();
        await reading.WaitAsync(TestHub.Patience);
        writing.Dispose();
    }

    private async Task ReadAsync()
    {
        var reader = PipeReader.Create(stream);
        try
        {
            while (true)
            {
                var result = await reader.ReadAsync();
                var buffer = result.Buffer;
                while (MqttFrame.TryReadFrame(ref buffer, MqttFrame.LargestRemainingLength, out var frame))
                {
                    await TakeAsync(frame);
                }
                reader.AdvanceTo(buffer.Start, buffer.End);
                if (result.IsCompleted)
                {
                    break;
                }
            }
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            // Closed by either side.
        }
        packets.Writer.Complete();
    }

    private async Task TakeAsync(MqttFrame frame)
    {
        object packet = frame.Type switch
        {
            MqttPacketType.Connack => ConnackPacket.Parse(frame),
            MqttPacketType.Suback => SubackPacket.Parse(frame),
            MqttPacketType.Unsuback => UnsubackPacket.Parse(frame),
            MqttPacketType.Puback => PubackPacket.Parse(frame),
            MqttPacketType.Pingresp => new Ping(),
            MqttPacketType.Publish => Arrived(PublishPacket.Parse(frame)),
            _ => throw new InvalidOperationException($"{frame.Type} is not for clients."),
        };
        packets.Writer.TryWrite(packet);
        if (AutoAcknowledge && packet is Arrived { QoS: MqttQoS.AtLeastOnce } message)
        {
            await AcknowledgeAsync(message);
        }
    }

    private static Arrived Arrived(PublishPacket packet) =>
        new(packet.Topic, Encoding.UTF8.GetString(packet.Payload), packet.QoS, packet.PacketId, packet.Duplicate);

    internal sealed record Ping;
}
