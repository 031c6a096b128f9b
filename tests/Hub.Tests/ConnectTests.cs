using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using EdgeDm.Mqtt;
using EdgeDm.Mqtt.IoTHub;
using EdgeDm.Testing;

namespace EdgeDm.Hub.Tests;

public sealed class ConnectTests : IAsyncLifetime
{
    private readonly ScriptedHub hub = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => hub.DisposeAsync();

    [Fact]
    public async Task Connect_AsModule_IntroducesItselfByTheHubsNameNotTheGateways()
    {
        var (session, connection) = await hub.ConnectAsync(hub.Options with { ProductInfo = "Edge Dm/1" });
        await using var _ = session;
        var connect = connection.Connect!;
        connect.ClientId.ShouldBe("gateway/Module");
        connect.UserName.ShouldBe(
            "contoso.azure-devices.net/gateway/Module/?api-version=2021-04-12&DeviceClientType=Edge%20Dm%2F1"
        );
        connect.KeepAliveSeconds.ShouldBe((ushort)60);
        connect.CleanSession.ShouldBeFalse();
        session.IsConnected.ShouldBeTrue();
        session.SessionPresent.ShouldBeFalse();
        (session.DeviceId, session.ModuleId).ShouldBe(("gateway", "Module"));
    }

    [Fact]
    public async Task Connect_AsDevice_HasTheDevicesIdAlone()
    {
        var (session, connection) = await hub.ConnectAsync(hub.Options with { ModuleId = null, CleanSession = true });
        await using var _ = session;
        connection.Connect!.ClientId.ShouldBe("gateway");
        connection.Connect.CleanSession.ShouldBeTrue();
        connection.Connect.UserName.ShouldStartWith("contoso.azure-devices.net/gateway/?api-version=");
    }

    [Fact]
    public async Task Connect_WithKey_SendsTokenForTheModuleThatTheKeySigned()
    {
        var time = new FakeTimeProvider(DateTimeOffset.FromUnixTimeSeconds(1_000_000));
        var (session, connection) = await hub.ConnectAsync(hub.Options with { TimeProvider = time });
        await using var _ = session;
        const string Resource = "contoso.azure-devices.net%2Fdevices%2Fgateway%2Fmodules%2FModule";
        var digest = HMACSHA256.HashData(
            Convert.FromBase64String(ScriptedHub.Key),
            Encoding.UTF8.GetBytes($"{Resource}\n1003600")
        );
        Encoding
            .UTF8.GetString(connection.Connect!.Password!.Value.Span)
            .ShouldBe(
                $"SharedAccessSignature sr={Resource}&sig={Uri.EscapeDataString(Convert.ToBase64String(digest))}&se=1003600"
            );
        session.CredentialExpiresOn.ShouldBe(DateTimeOffset.FromUnixTimeSeconds(1_003_600));
    }

    [Fact]
    public async Task Connect_IdsWithSpecialCharacters_AreEncodedInTheTokenOnly()
    {
        var (session, connection) = await hub.ConnectAsync(hub.Options with { DeviceId = "a%b:c", ModuleId = "$m" });
        await using var _ = session;
        connection.Connect!.ClientId.ShouldBe("a%b:c/$m");
        connection.Connect.UserName!.ShouldStartWith("contoso.azure-devices.net/a%b:c/$m/?");
        Encoding
            .UTF8.GetString(connection.Connect.Password!.Value.Span)
            .ShouldContain("%2Fdevices%2Fa%2525b%253Ac%2Fmodules%2F%2524m&");
    }

    [Theory]
    [InlineData(ConnackCode.UnacceptableProtocolVersion, false)]
    [InlineData(ConnackCode.IdentifierRejected, false)]
    [InlineData(ConnackCode.ServerUnavailable, true)]
    [InlineData(ConnackCode.BadUserNameOrPassword, false)]
    [InlineData(ConnackCode.NotAuthorized, true)]
    public async Task Connect_Refused_TellsTheCodeAndCloses(ConnackCode code, bool isTransient)
    {
        var connecting = IoTHubSession.ConnectAsync(hub.Options).AsTask();
        var connection = await hub.AcceptAsync();
        await connection.ExpectAsync<ConnectPacket>();
        await connection.SendAsync(new ConnackPacket(false, code).Write);
        var error = await Should.ThrowAsync<ConnectFailedException>(connecting);
        error.ConnackCode.ShouldBe((byte)code);
        error.IsTransient.ShouldBe(isTransient);
        error.Message.ShouldNotContain("SharedAccessSignature");
        await connection.ExpectAsync(MqttPacketType.Disconnect);
        await connection.ExpectEndAsync();
    }

    [Fact]
    public async Task Connect_ClosedBeforeConnack_Fails()
    {
        var connecting = IoTHubSession.ConnectAsync(hub.Options).AsTask();
        var connection = await hub.AcceptAsync();
        await connection.ExpectAsync<ConnectPacket>();
        connection.Drop();
        var error = await Should.ThrowAsync<ConnectFailedException>(connecting);
        error.ConnackCode.ShouldBeNull();
        error.InnerException.ShouldBeOfType<ConnectionLostException>();
    }

    [Fact]
    public async Task Connect_NobodyListens_Fails()
    {
        var options = hub.Options;
        await hub.DisposeAsync();
        var error = await Should.ThrowAsync<ConnectFailedException>(() => IoTHubSession.ConnectAsync(options).AsTask());
        error.IsTransient.ShouldBeTrue();
        error.Message.ShouldContain(options.Port.ToString(CultureInfo.InvariantCulture));
    }

    [Fact]
    public async Task Connect_HubSilentAfterTls_FailsAtTheTimeoutAndCloses()
    {
        var time = new FakeTimeProvider();
        var connecting = IoTHubSession.ConnectAsync(hub.Options with { TimeProvider = time }).AsTask();
        var connection = await hub.AcceptAsync();
        await connection.ExpectAsync<ConnectPacket>();
        time.Advance(TimeSpan.FromSeconds(20));
        (await Should.ThrowAsync<ConnectFailedException>(connecting)).Message.ShouldContain("within 20 s");
        await connection.ExpectAsync(MqttPacketType.Disconnect);
        await connection.ExpectEndAsync();
    }

    [Fact]
    public async Task Connect_Cancelled_ClosesAndSaysSo()
    {
        using var cancel = new CancellationTokenSource();
        var connecting = IoTHubSession.ConnectAsync(hub.Options, cancel.Token).AsTask();
        var connection = await hub.AcceptAsync();
        await connection.ExpectAsync<ConnectPacket>();
        await cancel.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(connecting);
        await connection.ExpectAsync(MqttPacketType.Disconnect);
        await connection.ExpectEndAsync();
    }

    [Fact]
    public async Task Connect_TwinSubscriptionRefused_Fails()
    {
        var connecting = IoTHubSession.ConnectAsync(hub.Options).AsTask();
        var connection = await hub.AcceptAsync();
        await connection.ExpectAsync<ConnectPacket>();
        await connection.SendAsync(new ConnackPacket(true, ConnackCode.Accepted).Write);
        await connection.GrantAsync(HubTopics.TwinResponseFilter, SubackPacket.Failure);
        (
            await Should.ThrowAsync<ConnectFailedException>(connecting)
        ).InnerException.ShouldBeOfType<SubscriptionRefusedException>();
    }

    [Fact]
    public async Task Connect_SessionPresent_IsTold()
    {
        var connecting = IoTHubSession.ConnectAsync(hub.Options).AsTask();
        var connection = await hub.AcceptAsync();
        await connection.ExpectAsync<ConnectPacket>();
        await connection.SendAsync(new ConnackPacket(true, ConnackCode.Accepted).Write);
        await connection.GrantAsync(HubTopics.TwinResponseFilter);
        await using var session = await connecting;
        session.SessionPresent.ShouldBeTrue();
    }

    [Theory]
    [InlineData(new byte[] { 0xD0, 0 })] // PINGRESP before CONNACK
    [InlineData(new byte[] { 0x20, 2, 0, 9 })] // a reserved code
    [InlineData(new byte[] { 0x20, 0xFF, 0xFF, 0xFF, 0xFF })] // garbage length
    [InlineData(new byte[] { 0x48, 0x54, 0x54, 0x50 })] // HTTP
    public async Task Connect_AnswerIsNoConnack_Fails(byte[] answer)
    {
        var connecting = IoTHubSession.ConnectAsync(hub.Options).AsTask();
        var connection = await hub.AcceptAsync();
        await connection.ExpectAsync<ConnectPacket>();
        await connection.SendBytesAsync(answer);
        var error = await Should.ThrowAsync<ConnectFailedException>(connecting);
        error.InnerException.ShouldBeOfType<ConnectionLostException>().Reason.ShouldBe(SessionEndReason.ProtocolError);
    }

    [Fact]
    public async Task Connect_ConnackByteByByte_Works()
    {
        var connecting = IoTHubSession.ConnectAsync(hub.Options).AsTask();
        var connection = await hub.AcceptAsync();
        await connection.ExpectAsync<ConnectPacket>();
        foreach (var one in (byte[])[0x20, 2, 0, 0])
        {
            await connection.SendBytesAsync(new[] { one });
        }
        await connection.GrantAsync(HubTopics.TwinResponseFilter);
        await using var session = await connecting;
    }

    [Fact]
    public async Task Connect_CertificateOfAnotherAuthority_FailsBeforeAnythingIsSaid()
    {
        await using var stranger = new ScriptedHub(new TestAuthority("another root"));
        var accepting = stranger.AcceptAsync();
        var error = await Should.ThrowAsync<ConnectFailedException>(() =>
            IoTHubSession.ConnectAsync(stranger.Options).AsTask()
        );
        error.InnerException.ShouldBeOfType<System.Security.Authentication.AuthenticationException>();
        await Should.ThrowAsync<Exception>(async () => await (await accepting).ExpectAsync<ConnectPacket>());
    }

    [Fact]
    public async Task Connect_CertificateNotYetValid_TellsBothTimesAndMayBeTriedAgain()
    {
        var authority = new TestAuthority("root of tomorrow", begins: TimeSpan.FromDays(1));
        await using var later = new ScriptedHub(authority);
        var accepting = later.AcceptAsync();

        var error = await Should.ThrowAsync<ConnectFailedException>(async () =>
            await IoTHubSession.ConnectAsync(later.Options with { TrustedRoots = authority.Roots })
        );

        error.Message.ShouldContain($"holds from {authority.Server.NotBefore.ToUniversalTime():u}");
        error.Message.ShouldContain("and this clock says");
        error.IsTransient.ShouldBeTrue();
        await Should.ThrowAsync<Exception>(async () => await (await accepting).ExpectAsync<ConnectPacket>());
    }

    [Fact]
    public async Task Connect_CertificateForAnotherName_Fails()
    {
        _ = hub.AcceptAsync();
        // The certificate has 127.0.0.1 and localhost; 127.0.0.2 reaches the same machine under another name.
        var options = hub.Options with
        {
            GatewayHostName = "other.example",
            ConnectCallback = async (_, token) =>
            {
                var client = new System.Net.Sockets.TcpClient();
                await client.ConnectAsync("127.0.0.1", hub.Port, token);
                return client.GetStream();
            },
        };
        var error = await Should.ThrowAsync<ConnectFailedException>(() => IoTHubSession.ConnectAsync(options).AsTask());
        error.InnerException.ShouldBeOfType<System.Security.Authentication.AuthenticationException>();
    }

    [Fact]
    public async Task Connect_ExpiredToken_FailsWithoutTouchingTheNetwork()
    {
        var options = hub.Options with
        {
            Credential = HubCredential.FromToken("SharedAccessSignature sr=x&sig=y&se=1000"),
            ConnectCallback = (_, _) => throw new InvalidOperationException("must not connect"),
        };
        await Should.ThrowAsync<CredentialException>(() => IoTHubSession.ConnectAsync(options).AsTask());
    }

    [Theory]
    [InlineData(0.5)]
    [InlineData(601)]
    public async Task Connect_KeepAliveOutOfRange_IsRefused(double seconds) =>
        await Should.ThrowAsync<ArgumentOutOfRangeException>(() =>
            IoTHubSession.ConnectAsync(hub.Options with { KeepAlive = TimeSpan.FromSeconds(seconds) }).AsTask()
        );

    [Fact]
    public async Task Dispose_SaysGoodbyeAndTwiceIsOnce()
    {
        var (session, connection) = await hub.ConnectAsync();
        await Task.WhenAll(session.DisposeAsync().AsTask(), session.DisposeAsync().AsTask());
        await connection.ExpectAsync(MqttPacketType.Disconnect);
        await connection.ExpectEndAsync();
        (await session.Completion).Reason.ShouldBe(SessionEndReason.Disposed);
        session.IsConnected.ShouldBeFalse();
        session.Stopped.IsCancellationRequested.ShouldBeTrue();
        await Should.ThrowAsync<ObjectDisposedException>(() => session.GetTwinAsync().AsTask());
    }
}
