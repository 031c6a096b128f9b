using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using EdgeDm.Hub;
using EdgeDm.Mqtt;
using EdgeDm.Mqtt.IoTHub;

namespace EdgeDm.Testing;

/// <summary>A hub on a loopback TLS socket that does nothing by itself: the test says what it answers, and when.</summary>
public sealed class ScriptedHub : IAsyncDisposable
{
    /// <summary>How long it waits for what must come.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>The module's key in <see cref="Options"/>.</summary>
    public const string Key = "c2VjcmV0IGtleSBvZiB0aGUgbW9kdWxl";

    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly TestAuthority authority;
    private readonly List<ScriptedConnection> connections = [];

    /// <summary>Listens.</summary>
    public ScriptedHub(TestAuthority? authority = null)
    {
        this.authority = authority ?? TestAuthority.Default;
        listener.Start();
    }

    /// <summary>Where it listens.</summary>
    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    /// <summary>Options for module <c>gateway/Module</c> of <c>contoso.azure-devices.net</c> behind this hub.</summary>
    public HubSessionOptions Options =>
        new()
        {
            HubHostName = "contoso.azure-devices.net",
            GatewayHostName = "127.0.0.1",
            Port = Port,
            DeviceId = "gateway",
            ModuleId = "Module",
            Credential = HubCredential.FromKey(Key),
            TrustedRoots = TestAuthority.Default.Roots,
        };

    /// <summary>The next connection, after TLS.</summary>
    public async Task<ScriptedConnection> AcceptAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        var client = await listener.AcceptTcpClientAsync(patience.Token);
        client.NoDelay = true;
        var tls = new SslStream(client.GetStream());
        var connection = new ScriptedConnection(client, tls);
        connections.Add(connection);
        await tls.AuthenticateAsServerAsync(
            new SslServerAuthenticationOptions
            {
                ServerCertificateContext = SslStreamCertificateContext.Create(
                    authority.Server,
                    authority.Roots,
                    offline: true
                ),
            },
            patience.Token
        );
        return connection;
    }

    /// <summary>The next connection, up to and including CONNACK and the subscription to twin answers.</summary>
    public async Task<ScriptedConnection> WelcomeAsync()
    {
        var connection = await AcceptAsync();
        connection.Connect = await connection.ExpectAsync<ConnectPacket>();
        await connection.SendAsync(new ConnackPacket(false, ConnackCode.Accepted).Write);
        await connection.GrantAsync(HubTopics.TwinResponseFilter);
        return connection;
    }

    /// <summary>A session and the hub's side of it.</summary>
    public async Task<(IoTHubSession Session, ScriptedConnection Connection)> ConnectAsync(
        HubSessionOptions? options = null
    )
    {
        var welcoming = WelcomeAsync();
        var session = await IoTHubSession.ConnectAsync(options ?? Options).AsTask().WaitAsync(Patience);
        return (session, await welcoming);
    }

    /// <summary>Closes all.</summary>
    public async ValueTask DisposeAsync()
    {
        listener.Dispose();
        foreach (var connection in connections)
        {
            await connection.DisposeAsync();
        }
    }
}

/// <summary>The hub's side of one connection.</summary>
public sealed class ScriptedConnection : IAsyncDisposable
{
    private readonly TcpClient client;
    private readonly Stream stream;
    private readonly PipeReader reader;
    private readonly SemaphoreSlim writing = new(1);

    internal ScriptedConnection(TcpClient client, Stream stream)
    {
        this.client = client;
        this.stream = stream;
        reader = PipeReader.Create(stream, new StreamPipeReaderOptions(leaveOpen: true));
    }

    /// <summary>The client's CONNECT, after <see cref="ScriptedHub.WelcomeAsync"/>.</summary>
    public ConnectPacket? Connect { get; set; }

    /// <summary>The next packet; null at the end of the stream.</summary>
    public async Task<object?> ReadAsync()
    {
        using var patience = new CancellationTokenSource(ScriptedHub.Patience);
        while (true)
        {
            var result = await reader.ReadAsync(patience.Token);
            var rest = result.Buffer;
            if (MqttFrame.TryReadFrame(ref rest, int.MaxValue, out var frame))
            {
                var packet = Parse(frame);
                reader.AdvanceTo(rest.Start);
                return packet;
            }
            reader.AdvanceTo(rest.Start, rest.End);
            if (result.IsCompleted)
            {
                return null;
            }
        }
    }

    /// <summary>The next packet, which must be of this kind.</summary>
    public async Task<T> ExpectAsync<T>() =>
        await ReadAsync() switch
        {
            T wanted => wanted,
            var other => throw new InvalidOperationException(
                $"{typeof(T).Name} should come, but {other ?? "the end"} did."
            ),
        };

    /// <summary>The next packet must be this one, without a body.</summary>
    public async Task ExpectAsync(MqttPacketType type)
    {
        var got = await ExpectAsync<MqttPacketType>();
        if (got != type)
        {
            throw new InvalidOperationException($"{type} should come, but {got} did.");
        }
    }

    /// <summary>Nothing more comes: the client has closed.</summary>
    public async Task ExpectEndAsync()
    {
        try
        {
            if (await ReadAsync() is { } packet)
            {
                throw new InvalidOperationException($"The end should come, but {packet} did.");
            }
        }
        catch (IOException)
        {
            // Closed without TLS's goodbye.
        }
    }

    /// <summary>Expects a subscription to this filter and grants it.</summary>
    public async Task GrantAsync(string filter, byte? code = null)
    {
        var subscribe = await ExpectAsync<SubscribePacket>();
        if (subscribe.Filters.Count != 1 || subscribe.Filters[0].Filter != filter)
        {
            throw new InvalidOperationException(
                $"'{filter}' should be subscribed, not '{subscribe.Filters[0].Filter}'."
            );
        }
        await SendAsync(new SubackPacket(subscribe.PacketId, [code ?? (byte)subscribe.Filters[0].QoS]).Write);
    }

    /// <summary>Answers a request of the session's, which proves that it has read all that was sent before.</summary>
    public async Task ProveReadAsync(IoTHubSession session)
    {
        var twin = session.GetTwinAsync().AsTask();
        await AnswerTwinAsync(200, """{"desired":{"$version":1},"reported":{"$version":1}}""");
        await twin.WaitAsync(ScriptedHub.Patience);
    }

    /// <summary>Expects a publish and acknowledges it.</summary>
    public async Task<ReceivedPublish> TakePublishAsync()
    {
        var publish = await ExpectAsync<ReceivedPublish>();
        await SendAsync(w => PubackPacket.Write(w, publish.PacketId));
        return publish;
    }

    /// <summary>Expects a twin request, acknowledges it and answers it.</summary>
    public async Task<ReceivedPublish> AnswerTwinAsync(int status, string body, long? version = null)
    {
        var request = await TakePublishAsync();
        var requestId = HubTopic.Parse(request.Topic).RequestId;
        await PublishAsync(HubTopics.TwinResponse(status, requestId, version), body);
        return request;
    }

    /// <summary>Publishes; packet id 0 = QoS 0.</summary>
    public Task PublishAsync(string topic, string body, ushort packetId = 0) =>
        SendAsync(w =>
            PublishPacket.Write(
                w,
                topic,
                Encoding.UTF8.GetBytes(body),
                packetId == 0 ? MqttQoS.AtMostOnce : MqttQoS.AtLeastOnce,
                packetId
            )
        );

    /// <summary>Publishes to an input of <c>gateway/Module</c> with QoS 1.</summary>
    public Task PublishInputAsync(string input, string body, ushort packetId, string? messageId = null)
    {
        var bag = new PropertyBag { { "$.cdid", "gateway" }, { "$.cmid", "Peer" } };
        bag["$.mid"] = messageId;
        return PublishAsync(HubTopics.Input("gateway", "Module", input, bag), body, packetId);
    }

    /// <summary>Sends a packet.</summary>
    public Task SendAsync(Action<IBufferWriter<byte>> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        write(buffer);
        return SendBytesAsync(buffer.WrittenMemory);
    }

    /// <summary>Sends any bytes.</summary>
    public async Task SendBytesAsync(ReadOnlyMemory<byte> bytes)
    {
        await writing.WaitAsync();
        try
        {
            await stream.WriteAsync(bytes);
            await stream.FlushAsync();
        }
        finally
        {
            writing.Release();
        }
    }

    /// <summary>Closes the socket without a word.</summary>
    public void Drop() => client.Dispose();

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        client.Dispose();
        await stream.DisposeAsync();
    }

    private static object Parse(in MqttFrame frame) =>
        frame.Type switch
        {
            MqttPacketType.Connect => ConnectPacket.Parse(frame),
            MqttPacketType.Publish => Copy(PublishPacket.Parse(frame)),
            MqttPacketType.Puback => PubackPacket.Parse(frame),
            MqttPacketType.Subscribe => SubscribePacket.Parse(frame),
            MqttPacketType.Unsubscribe => UnsubscribePacket.Parse(frame),
            var type => type,
        };

    private static ReceivedPublish Copy(in PublishPacket packet) =>
        new(packet.Topic, Encoding.UTF8.GetString(packet.Payload), packet.QoS, packet.PacketId);
}

/// <summary>A PUBLISH from the client.</summary>
public sealed record ReceivedPublish(string Topic, string Body, MqttQoS QoS, ushort PacketId)
{
    /// <summary>The topic taken apart.</summary>
    public HubTopic Parsed => HubTopic.Parse(Topic);

    /// <summary>The topic's properties.</summary>
    public PropertyBag Properties => PropertyBag.Decode(Parsed.Properties);
}
