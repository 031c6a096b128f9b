using System.Net;
using System.Net.WebSockets;
using System.Text;
using EdgeDm.Hub.Tests.Servers;
using EdgeDm.Mqtt;
using EdgeDm.Testing;

namespace EdgeDm.Hub.Tests;

public sealed class WebSocketTests
{
    private const string Twin = """{"desired":{"$version":1},"reported":{"$version":1}}""";

    [Fact]
    public async Task Connect_ByWebSocket_AsksForMqttAtIoTHubsPath()
    {
        await using var hub = new WebSocketServer();
        await using var session = await ConnectAsync(hub);
        hub.Request.ShouldStartWith("GET /$iothub/websocket?iothub-no-client-cert=true HTTP/1.1\r\n");
        hub.Request.ShouldContain("\r\nSec-WebSocket-Protocol: mqtt\r\n");
        hub.Request.ShouldContain("\r\nUpgrade: websocket\r\n");
        hub.Request.ShouldNotContain("SharedAccessSignature");
        session.IsConnected.ShouldBeTrue();
    }

    [Fact]
    public async Task Connect_ByWebSocket_CarriesBothWays()
    {
        await using var hub = new WebSocketServer();
        var welcoming = hub.WelcomeAsync();
        await using var session = await IoTHubSession.ConnectAsync(hub.Options);
        await using var connection = await welcoming;

        var body = new byte[100_000];
        Array.Fill(body, (byte)'x');
        var sending = session.SendTelemetryAsync(new(body)).AsTask();
        (await connection.TakePublishAsync()).Body.Length.ShouldBe(body.Length);
        await sending;
        var reading = session.GetTwinAsync();
        await connection.AnswerTwinAsync(200, Twin);
        (await reading).DesiredVersion.ShouldBe(1);
    }

    [Fact]
    public async Task Receive_PacketsCutAcrossFrames_AreWhole()
    {
        await using var hub = new WebSocketServer();
        var connecting = IoTHubSession.ConnectAsync(hub.Options).AsTask();
        var (client, socket) = await hub.AcceptAsync();
        await using var connection = new ScriptedConnection(
            client,
            WebSocketStream.Create(socket, WebSocketMessageType.Binary)
        );
        await connection.ExpectAsync<ConnectPacket>();
        // MQTT 6: a packet may span frames, and a frame may hold several.
        foreach (var one in (byte[])[0x20, 2, 0, 0])
        {
            await socket.SendAsync(new[] { one }, WebSocketMessageType.Binary, one == 2, CancellationToken.None);
        }
        await connection.GrantAsync(Mqtt.IoTHub.HubTopics.TwinResponseFilter);
        await using var session = await connecting;
    }

    [Fact]
    public async Task Dispose_ByWebSocket_SaysGoodbye()
    {
        await using var hub = new WebSocketServer();
        var welcoming = hub.WelcomeAsync();
        var session = await IoTHubSession.ConnectAsync(hub.Options);
        await using var connection = await welcoming;
        await session.DisposeAsync().AsTask().WaitAsync(ScriptedHub.Patience);
        await connection.ExpectAsync(MqttPacketType.Disconnect);
        (await session.Completion).Reason.ShouldBe(SessionEndReason.Disposed);
    }

    [Fact]
    public async Task HalfOpen_ByWebSocket_EndsAtTheKeepAliveWithoutWaitingForAGoodbye()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var hub = new WebSocketServer();
        var welcoming = hub.WelcomeAsync();
        await using var session = await IoTHubSession.ConnectAsync(hub.Options with { TimeProvider = time });
        await using var connection = await welcoming;
        time.Advance(TimeSpan.FromSeconds(30));
        time.Advance(TimeSpan.FromSeconds(30));
        time.Advance(TimeSpan.FromSeconds(30));
        // The timer's callback has closed already: the fake clock calls it.
        session.IsConnected.ShouldBeFalse();
        (await session.Completion).Reason.ShouldBe(SessionEndReason.KeepAliveTimeout);
    }

    [Fact]
    public async Task Lost_ByWebSocket_EndsTheSession()
    {
        await using var hub = new WebSocketServer();
        var welcoming = hub.WelcomeAsync();
        await using var session = await IoTHubSession.ConnectAsync(hub.Options);
        (await welcoming).Drop();
        (await session.Completion.WaitAsync(ScriptedHub.Patience)).Reason.ShouldNotBe(SessionEndReason.Disposed);
    }

    [Fact]
    public async Task Closed_ByTheHubsWebSocket_IsClosedByPeer()
    {
        await using var hub = new WebSocketServer();
        var accepting = hub.AcceptAsync();
        var connecting = IoTHubSession.ConnectAsync(hub.Options).AsTask();
        var (client, socket) = await accepting;
        await using var connection = await TlsServer.WelcomeAsync(
            client,
            WebSocketStream.Create(socket, WebSocketMessageType.Binary)
        );
        await using var session = await connecting;
        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
        (await session.Completion.WaitAsync(ScriptedHub.Patience)).Reason.ShouldBe(SessionEndReason.ClosedByPeer);
    }

    [Theory]
    [InlineData("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "403")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "200")]
    [InlineData("HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1/\r\nContent-Length: 0\r\n\r\n", "302")]
    [InlineData("garbage\r\n\r\n", "WebSocket")]
    public async Task Connect_NoUpgrade_Fails(string answer, string told)
    {
        await using var hub = new WebSocketServer { Answer = answer };
        var accepting = hub.AcceptAsync();
        var error = await FailAsync(hub.Options);
        error.Message.ShouldContain(told);
        error.Message.ShouldContain("took no WebSocket");
        var (client, _) = await accepting;
        client.Client.Poll(ScriptedHub.Patience, System.Net.Sockets.SelectMode.SelectRead).ShouldBeTrue(); // It closed.
    }

    [Theory]
    [InlineData(null, "does not speak 'mqtt'")]
    [InlineData("amqp", "took no WebSocket")]
    public async Task Connect_OtherSubProtocol_Fails(string? spoken, string told)
    {
        await using var hub = new WebSocketServer { SubProtocol = spoken };
        _ = hub.AcceptAsync();
        var error = await FailAsync(hub.Options);
        error.Message.ShouldContain(told);
        error.IsTransient.ShouldBeTrue();
    }

    [Fact]
    public async Task Connect_HeadersAboveTheirLimit_Fails()
    {
        await using var hub = new WebSocketServer
        {
            Answer = $"HTTP/1.1 101 Switching Protocols\r\nX: {new string('x', 17 * 1024)}\r\n\r\n",
        };
        _ = hub.AcceptAsync();
        await FailAsync(hub.Options);
    }

    [Fact]
    public async Task Connect_WithClientCertificate_ShowsItAndSaysNothingOfItsLack()
    {
        using var certificate = TestAuthority.Default.Issue("gateway");
        await using var hub = new WebSocketServer(new TlsServer { AsksForCertificate = true });
        var welcoming = hub.WelcomeAsync();
        await using var session = await IoTHubSession.ConnectAsync(
            hub.Options with
            {
                Credential = HubCredential.FromCertificate(certificate),
            }
        );
        await using var connection = await welcoming;
        hub.Request.ShouldStartWith("GET /$iothub/websocket HTTP/1.1\r\n");
        connection.Connect!.Password.ShouldBeNull();
    }

    [Fact]
    public async Task Connect_ServerOfAnotherAuthority_IsNotTrusted()
    {
        await using var hub = new WebSocketServer(new TlsServer(new TestAuthority("another root").Server));
        _ = hub.AcceptAsync();
        (
            await FailAsync(hub.Options)
        ).InnerException.ShouldBeOfType<System.Security.Authentication.AuthenticationException>();
    }

    [Fact]
    public async Task Connect_ByProxy_Tunnels()
    {
        await using var proxy = new TestProxy();
        await using var hub = new WebSocketServer();
        var welcoming = hub.WelcomeAsync();
        await using var session = await IoTHubSession.ConnectAsync(
            hub.Options with
            {
                Proxy = new WebProxy(proxy.Address),
            }
        );
        await using var connection = await welcoming;
        proxy.Requests.ShouldHaveSingleItem().ShouldStartWith("CONNECT 127.0.0.1:");
    }

    [Fact]
    public async Task Connect_SilentInTheUpgrade_EndsAtTheTimeout()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var server = new TlsServer();
        var connecting = FailAsync(server.Options with { Transport = HubTransport.WebSocket, TimeProvider = time });
        var (_, tls) = await server.AcceptAsync();
        await tls.ReadExactlyAsync(new byte[4]);
        time.Advance(TimeSpan.FromSeconds(20));
        (await connecting.WaitAsync(ScriptedHub.Patience)).Message.ShouldContain("within 20 s");
    }

    [Fact]
    public async Task Plain_WithoutTls_CarriesMqtt()
    {
        await using var server = new TlsServer();
        var connecting = IoTHubSession.ConnectAsync(server.Options with { Transport = HubTransport.Plain }).AsTask();
        var client = await server.AcceptTcpAsync();
        await using var connection = await TlsServer.WelcomeAsync(client, client.GetStream());
        await using var session = await connecting;
        Encoding.UTF8.GetString(connection.Connect!.Password!.Value.Span).ShouldStartWith("SharedAccessSignature");
    }

    [Fact]
    public void Plain_IsNothingThatAnApplicationCanName() =>
        typeof(HubTransport).GetProperties().Select(p => p.Name).ShouldBe(["Tcp", "WebSocket"], ignoreOrder: true);

    private static async Task<IoTHubSession> ConnectAsync(WebSocketServer hub)
    {
        var welcoming = hub.WelcomeAsync();
        var session = await IoTHubSession.ConnectAsync(hub.Options);
        await welcoming;
        return session;
    }

    private static Task<ConnectFailedException> FailAsync(HubSessionOptions options) =>
        Should.ThrowAsync<ConnectFailedException>(IoTHubSession.ConnectAsync(options).AsTask());
}
