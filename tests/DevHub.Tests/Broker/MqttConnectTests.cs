using System.Net;
using System.Security.Authentication;
using System.Text;
using EdgeDm.DevHub.Identities;
using EdgeDm.Mqtt;
using EdgeDm.Testing;

namespace EdgeDm.DevHub.Tests.Broker;

// Who is let in: TLS, user names, client ids, tokens, and what ends a connection.
public sealed class MqttConnectTests
{
    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task Connect_EitherTlsVersion_Verifies(SslProtocols protocol)
    {
        await using var hub = await TestHub.StartAsync();
        await using var stream = await hub.OpenAsync(protocol);
        stream.SslProtocol.ShouldBe(protocol);
    }

    [Theory]
    [InlineData("any.host/gateway/m/?api-version=2020-09-30&model-id=dtmi%3Aa%3B1")]
    [InlineData("any.host/gateway/m/api-version=1999-01-01-preview")]
    [InlineData("h/gateway/m/?DeviceClientType=x%2Fy&api-version=z&auth-chain=gateway/m;gateway")]
    public async Task Connect_UserNameForms_Accepted(string userName) =>
        (await CodeAsync("gateway/m", userName)).ShouldBe(ConnackCode.Accepted);

    [Theory]
    [InlineData("hub.example/gateway/m/?DeviceClientType=x")]
    [InlineData("hub.example/gateway/m/?api-version=")]
    [InlineData("hub.example/gateway/m")]
    [InlineData("hub.example/gateway/m/more/?api-version=2020-09-30")]
    [InlineData("")]
    public async Task Connect_UserNameUnreadable_ServerUnavailable(string userName) =>
        (await CodeAsync("gateway/m", userName)).ShouldBe(ConnackCode.ServerUnavailable);

    [Theory]
    [InlineData("gateway/other")]
    [InlineData("gateway/M")]
    [InlineData("gateway")]
    public async Task Connect_ClientIdIsAnotherIdentity_NotAuthorized(string clientId) =>
        (await CodeAsync(clientId, "h/gateway/m/?api-version=1")).ShouldBe(ConnackCode.NotAuthorized);

    [Fact]
    public async Task Connect_UnknownModule_NotAuthorized()
    {
        await using var hub = await TestHub.StartAsync();
        var token = SasToken.Make(
            "hub.example/devices/gateway",
            hub.Server.Identities.EnsureModule("m").PrimaryKey,
            DateTimeOffset.MaxValue
        );
        (await CodeAsync(hub, "gateway/nobody", "h/gateway/nobody/?api-version=1", token)).ShouldBe(
            ConnackCode.NotAuthorized
        );
    }

    [Fact]
    public async Task Connect_WithoutPassword_NotAuthorized()
    {
        await using var hub = await TestHub.StartAsync();
        (await CodeAsync(hub, "gateway/m", "h/gateway/m/?api-version=1", null)).ShouldBe(ConnackCode.NotAuthorized);
    }

    [Fact]
    public async Task Connect_TokenOfAnotherModule_NotAuthorized()
    {
        await using var hub = await TestHub.StartAsync();
        hub.Module("m");
        var token = hub.Token(hub.Module("other"));
        (await CodeAsync(hub, "gateway/m", "h/gateway/m/?api-version=1", token)).ShouldBe(ConnackCode.NotAuthorized);
    }

    [Fact]
    public async Task Connect_DeviceItself_Accepted()
    {
        await using var hub = await TestHub.StartAsync();
        var token = hub.Token(new("gateway"));
        (await CodeAsync(hub, "gateway", "h/gateway/?api-version=1", token)).ShouldBe(ConnackCode.Accepted);
    }

    [Fact]
    public async Task Connect_OtherPacketFirst_Closes()
    {
        await using var hub = await TestHub.StartAsync();
        await using var client = await MqttTestClient.OpenAsync(hub, new("gateway", "m"));
        await client.SendAsync(EmptyPackets.WritePingreq);
        await client.Closed.WaitAsync(TestHub.Patience);
    }

    [Fact]
    public async Task Connect_Twice_Closes()
    {
        await using var hub = await TestHub.StartAsync();
        await using var client = await MqttTestClient.ConnectAsync(hub, "m");
        await client.SendAsync(new ConnectPacket("gateway/m", true, 0).Write);
        await client.Closed.WaitAsync(TestHub.Patience);
    }

    [Fact]
    public async Task Connect_NeverSent_ClosesInTime()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var hub = await TestHub.StartAsync(o => o with { ConnectTimeout = TimeSpan.FromSeconds(7) }, time);
        await using var client = await MqttTestClient.OpenAsync(hub, new("gateway", "m"));
        await time.WaitForTimerAsync(TimeSpan.FromSeconds(7));
        time.Advance(TimeSpan.FromSeconds(7));
        await client.Closed.WaitAsync(TestHub.Patience);
    }

    [Fact]
    public async Task Connect_TokenExpires_ClosesAfterTheSkew()
    {
        var time = new FakeTimeProvider(DateTimeOffset.FromUnixTimeSeconds(1_800_000_000));
        await using var hub = await TestHub.StartAsync(time: time);
        await using var client = await MqttTestClient.ConnectAsync(hub, "m", keepAlive: 0);
        var longest = hub.Options.LongestKeepAlive;
        for (var passed = TimeSpan.Zero; passed < TimeSpan.FromMinutes(64); passed += longest / 2)
        {
            // Alive until then: an answered ping pushes the keep-alive on.
            await client.ShouldHaveNothingAsync();
            time.Advance(longest / 2);
        }
        await client.Closed.WaitAsync(TestHub.Patience);
    }

    [Theory]
    [InlineData(10, 15)] // 1.5 times
    [InlineData(0, 600)] // edgeHub's longest
    [InlineData(1000, 600)]
    public async Task KeepAlive_SilentClient_Closed(ushort keepAlive, int seconds)
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var hub = await TestHub.StartAsync(time: time);
        await using var client = await MqttTestClient.ConnectAsync(hub, "m", keepAlive: keepAlive);
        await client.ShouldHaveNothingAsync();
        time.Advance(TimeSpan.FromSeconds(seconds - 1));
        await client.ShouldHaveNothingAsync();
        time.Advance(TimeSpan.FromSeconds(seconds));
        await client.Closed.WaitAsync(TestHub.Patience);
    }

    [Fact]
    public async Task Connect_SecondWithTheSameIdentity_ClosesTheFirstAndStays()
    {
        await using var hub = await TestHub.StartAsync();
        await using var first = await MqttTestClient.ConnectAsync(hub, "m");
        await using var second = await MqttTestClient.ConnectAsync(hub, "m");
        await first.Closed.WaitAsync(TestHub.Patience);
        await second.ShouldHaveNothingAsync();
        hub.Server.Connected.ShouldBe([second.Identity]);
    }

    [Fact]
    public async Task Connect_ManyAtOnceWithTheSameIdentity_OneSurvives()
    {
        await using var hub = await TestHub.StartAsync();
        var clients = await Task.WhenAll(
            Enumerable.Range(0, 8).Select(_ => MqttTestClient.OpenAsync(hub, hub.Module("m")))
        );
        var password = Encoding.UTF8.GetBytes(hub.Token(hub.Module("m")));
        await Task.WhenAll(
            clients.Select(c =>
                c.SendAsync(new ConnectPacket("gateway/m", true, 60, "h/gateway/m/?api-version=1", password).Write)
            )
        );
        var closed = 0;
        while (closed < clients.Length - 1)
        {
            var open = clients.Where(c => !c.Closed.IsCompleted).Select(c => c.Closed).ToArray();
            if (open.Length > 1)
            {
                await Task.WhenAny(open).WaitAsync(TestHub.Patience);
            }
            closed = clients.Count(c => c.Closed.IsCompleted);
        }
        var last = clients.Single(c => !c.Closed.IsCompleted);
        (await last.NextAsync<ConnackPacket>()).Code.ShouldBe(ConnackCode.Accepted);
        await last.ShouldHaveNothingAsync();
        foreach (var client in clients)
        {
            await client.DisposeAsync();
        }
    }

    [Fact]
    public async Task Dispose_ConnectedClient_ClosesItWithoutItsWill()
    {
        var hub = await TestHub.StartAsync();
        await using var client = await MqttTestClient.ConnectAsync(hub, "m");
        await hub.DisposeAsync();
        await client.Closed.WaitAsync(TestHub.Patience);
    }

    [Fact]
    public async Task Start_TwoInstances_SideBySide()
    {
        await using var one = await TestHub.StartAsync();
        await using var two = await TestHub.StartAsync(o => o with { Address = IPAddress.Parse("127.0.0.2") });
        one.Server.Address.ShouldNotBe(two.Server.Address);
        await using var client = await MqttTestClient.ConnectAsync(one, "m");
        two.Server.Connected.ShouldBeEmpty();
    }

    private static async Task<ConnackCode> CodeAsync(string clientId, string userName)
    {
        await using var hub = await TestHub.StartAsync();
        return await CodeAsync(hub, clientId, userName, hub.Token(hub.Module("m")));
    }

    private static async Task<ConnackCode> CodeAsync(TestHub hub, string clientId, string userName, string? token)
    {
        await using var client = await MqttTestClient.OpenAsync(hub, new("gateway", "m"));
        var password = token is null ? (ReadOnlyMemory<byte>?)null : Encoding.UTF8.GetBytes(token);
        var connack = await client.SendConnectAsync(new(clientId, true, 60, userName, password));
        if (connack.Code != ConnackCode.Accepted)
        {
            await client.Closed.WaitAsync(TestHub.Patience);
        }
        return connack.Code;
    }
}
