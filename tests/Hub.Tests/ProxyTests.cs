using System.Net;
using EdgeDm.Hub.Tests.Servers;
using EdgeDm.Testing;

namespace EdgeDm.Hub.Tests;

public sealed class ProxyTests : IAsyncLifetime
{
    private const string Secret = "pass:wörd";

    private readonly ScriptedHub hub = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => hub.DisposeAsync();

    [Fact]
    public async Task Connect_ByProxy_TunnelsToTheGateway()
    {
        await using var proxy = new TestProxy();
        var (session, connection) = await hub.ConnectAsync(hub.Options with { Proxy = new WebProxy(proxy.Address) });
        await using var _ = session;
        var reading = session.GetTwinAsync();
        await connection.AnswerTwinAsync(200, """{"desired":{"$version":1},"reported":{"$version":1}}""");
        await reading;

        proxy
            .Requests.ShouldHaveSingleItem()
            .ShouldBe($"CONNECT 127.0.0.1:{hub.Port} HTTP/1.1\r\nHost: 127.0.0.1:{hub.Port}\r\n\r\n");
    }

    [Fact]
    public async Task Connect_ByProxy_LeavesTheHubsNameToTheProxy()
    {
        // Nobody but the proxy can resolve it.
        await using var proxy = new TestProxy();
        await using var named = new TlsServer(TestAuthority.Default.Issue("hub.invalid"));
        var connecting = IoTHubSession
            .ConnectAsync(named.Options with { GatewayHostName = "hub.invalid", Proxy = new WebProxy(proxy.Address) })
            .AsTask();
        var (client, tls) = await named.AcceptAsync();
        await using var connection = await TlsServer.WelcomeAsync(client, tls);
        await using var session = await connecting;
        proxy.Requests.ShouldHaveSingleItem().ShouldStartWith($"CONNECT hub.invalid:{named.Port} ");
    }

    [Fact]
    public async Task Connect_CredentialsOfTheProxy_AreShown()
    {
        await using var proxy = new TestProxy { Wanted = $"user:{Secret}" };
        var given = new WebProxy(proxy.Address) { Credentials = new NetworkCredential("user", Secret) };
        var (session, _) = await hub.ConnectAsync(hub.Options with { Proxy = given });
        await session.DisposeAsync();
    }

    [Fact]
    public async Task Connect_CredentialsInTheAddress_AreShown()
    {
        await using var proxy = new TestProxy { Wanted = $"u@ser:{Secret}" };
        var address = new UriBuilder(proxy.Address) { UserName = "u%40ser", Password = Uri.EscapeDataString(Secret) };
        var (session, _) = await hub.ConnectAsync(hub.Options with { Proxy = new WebProxy(address.Uri) });
        await session.DisposeAsync();
    }

    [Theory]
    [InlineData(null, "wants credentials (407)")]
    [InlineData("other", "wants credentials other than the given ones (407)")]
    public async Task Connect_CredentialsMissingOrWrong_TellsWhatTheProxyTakesAndNoPassword(string? user, string told)
    {
        await using var proxy = new TestProxy { Wanted = $"user:{Secret}" };
        var given = new WebProxy(proxy.Address)
        {
            Credentials = user is null ? null : new NetworkCredential(user, Secret),
        };
        var error = await FailAsync(hub.Options with { Proxy = given });
        error.Message.ShouldContain(told);
        error.Message.ShouldContain("NTLM, Basic");
        error.ToString().ShouldNotContain(Secret);
        error
            .ToString()
            .ShouldNotContain(Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"other:{Secret}")));
    }

    [Theory]
    [InlineData("HTTP/1.1 403 Forb\u0007idden\r\n\r\n", "403 Forb?idden")]
    [InlineData("HTTP/1.0 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", "502 Bad Gateway")]
    [InlineData("HTTP/1.1 407 Who\r\n\r\n", "none that it tells")]
    [InlineData("HTTP/1.1 100 Continue\r\n\r\n", "100 Continue")]
    [InlineData("HTTP/2 200 OK\r\n\r\n", "no HTTP proxy")]
    [InlineData("HTTP/1.1 2000 OK\r\n\r\n", "no HTTP proxy")]
    [InlineData("SSH-2.0-x\r\n\r\n", "no HTTP proxy")]
    [InlineData("\r\n\r\n\r\n", "no HTTP proxy")]
    [InlineData("", "closed the connection without an answer")]
    [InlineData("HTTP/1.1 200 OK\r\n", "closed the connection without an answer")]
    public async Task Connect_ProxyDoesNotTunnel_Says(string answer, string told)
    {
        await using var proxy = new TestProxy { Answer = answer };
        var error = await FailAsync(hub.Options with { Proxy = new WebProxy(proxy.Address) });
        error.Message.ShouldContain(told);
        error.IsTransient.ShouldBeTrue();
    }

    [Theory]
    [InlineData(0, "403")]
    [InlineData(1, "over 16384 bytes")]
    public async Task Connect_AnswerAtItsLimit_IsReadAndAboveIsNot(int above, string told)
    {
        const string Frame = "HTTP/1.1 403 No\r\nX: \r\n\r\n";
        var answer = Frame.Replace("X: ", "X: " + new string('x', 16 * 1024 - Frame.Length + above));
        await using var proxy = new TestProxy { Answer = answer };
        (await FailAsync(hub.Options with { Proxy = new WebProxy(proxy.Address) })).Message.ShouldContain(told);
    }

    [Fact]
    public async Task Connect_ProxySilent_EndsAtTheTimeoutAndCloses()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var proxy = new TestProxy { IsSilent = true };
        var connecting = FailAsync(hub.Options with { Proxy = new WebProxy(proxy.Address), TimeProvider = time });
        await proxy.Asked.Task.WaitAsync(ScriptedHub.Patience);
        time.Advance(TimeSpan.FromSeconds(20));
        (await connecting).Message.ShouldContain("within 20 s");
        await proxy.Closed.Task.WaitAsync(ScriptedHub.Patience);
    }

    [Fact]
    public async Task Connect_ProxyAway_Fails()
    {
        var proxy = new TestProxy();
        var address = proxy.Address;
        await proxy.DisposeAsync();
        (await FailAsync(hub.Options with { Proxy = new WebProxy(address) })).IsTransient.ShouldBeTrue();
    }

    [Fact]
    public async Task Connect_HostOnTheBypassList_GoesDirectly()
    {
        await using var proxy = new TestProxy();
        var given = new WebProxy(proxy.Address) { BypassArrayList = { "127\\.0\\.0\\.1" } };
        var (session, _) = await hub.ConnectAsync(hub.Options with { Proxy = given });
        await session.DisposeAsync();
        proxy.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task Connect_SocksProxy_IsRefusedByName()
    {
        var given = new WebProxy(new Uri($"socks5://user:{Uri.EscapeDataString(Secret)}@127.0.0.1:1"));
        var error = await Should.ThrowAsync<NotSupportedException>(() =>
            IoTHubSession.ConnectAsync(hub.Options with { Proxy = given }).AsTask()
        );
        error.Message.ShouldContain("'socks5'");
        error.ToString().ShouldNotContain("user");
    }

    [Fact]
    public async Task Connect_ProxyBesideCallback_IsRefused()
    {
        var options = hub.Options with { Proxy = new WebProxy("http://p:1"), ConnectCallback = (_, _) => default };
        await Should.ThrowAsync<ArgumentException>(() => IoTHubSession.ConnectAsync(options).AsTask());
    }

    [Fact]
    public async Task InvokeMethod_ByProxy_TunnelsToo()
    {
        await using var proxy = new TestProxy { Wanted = $"user:{Secret}" };
        await using var https = new HttpsServer();
        var given = new WebProxy(proxy.Address) { Credentials = new NetworkCredential("user", Secret) };
        var (session, _) = await hub.ConnectAsync(hub.Options with { Proxy = given, HttpsPort = https.Port });
        await using var __ = session;
        var calling = session.InvokeMethodAsync(new("gateway", "Other"), "m", new()).AsTask();
        var request = await https.TakeAsync();
        await https.AnswerAsync(200, """{"status":200}""");
        await calling;

        request.Headers.ShouldNotContainKey("Proxy-Authorization");
        proxy.Requests.Count.ShouldBe(2);
        proxy.Requests.Last().ShouldStartWith($"CONNECT 127.0.0.1:{https.Port} ");
    }

    [Fact]
    public async Task InvokeMethod_ProxyRefuses_Says()
    {
        await using var proxy = new TestProxy { Answer = "HTTP/1.1 403 Forbidden\r\n\r\n" };
        // MQTT is let past it, HTTPS is not.
        var given = new OnlyFor(443, proxy.Address);
        var (session, _) = await hub.ConnectAsync(hub.Options with { Proxy = given });
        await using var __ = session;
        var error = await Should.ThrowAsync<ConnectFailedException>(() =>
            session.InvokeMethodAsync(new("gateway", "Other"), "m", new()).AsTask()
        );
        error.Message.ShouldContain("403 Forbidden");
        session.IsConnected.ShouldBeTrue();
    }

    private static Task<ConnectFailedException> FailAsync(HubSessionOptions options) =>
        Should.ThrowAsync<ConnectFailedException>(IoTHubSession.ConnectAsync(options).AsTask());

    private sealed class OnlyFor(int port, Uri address) : IWebProxy
    {
        public ICredentials? Credentials { get; set; }

        public Uri? GetProxy(Uri destination) => destination.Port == port ? address : null;

        public bool IsBypassed(Uri host) => host.Port != port;
    }
}
