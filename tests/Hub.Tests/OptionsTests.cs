using EdgeDm.Testing;

namespace EdgeDm.Hub.Tests;

/// <summary>What is refused before anything is connected, at its edges; and what the options say on the wire.</summary>
public sealed class OptionsTests
{
    private static readonly HubSessionOptions Good = new()
    {
        HubHostName = "contoso.azure-devices.net",
        DeviceId = "d",
        Credential = HubCredential.FromKey(ScriptedHub.Key),
    };

    public static TheoryData<HubSessionOptions, bool> Edges =>
        new()
        {
            { Good, true },
            { Good with { HubHostName = "" }, false },
            { Good with { HubHostName = "hub/name" }, false },
            { Good with { HubHostName = "hub:8883" }, false },
            { Good with { HubHostName = "127.0.0.1" }, true },
            { Good with { HubHostName = "::1" }, true },
            { Good with { GatewayHostName = "" }, false },
            { Good with { GatewayHostName = "gate way" }, false },
            { Good with { GatewayHostName = "edge_hub" }, true },
            { Good with { DeviceId = "" }, false },
            { Good with { DeviceId = new('d', 128) }, true },
            { Good with { DeviceId = new('d', 129) }, false },
            { Good with { DeviceId = "a/b" }, false },
            { Good with { DeviceId = "a b" }, false },
            { Good with { DeviceId = "ä" }, false },
            { Good with { DeviceId = ".." }, false },
            { Good with { DeviceId = "aZ9-:.+%_#*?!(),=@;$'" }, true },
            { Good with { ModuleId = "" }, false },
            { Good with { ModuleId = new('m', 128) }, true },
            { Good with { ModuleId = new('m', 129) }, false },
            { Good with { ModuleId = "a/b" }, false },
            { Good with { Port = 0 }, false },
            { Good with { Port = 1 }, true },
            { Good with { Port = 65_535 }, true },
            { Good with { Port = 65_536 }, false },
            { Good with { HttpsPort = 0 }, false },
            { Good with { HttpsPort = 65_536 }, false },
            { Good with { KeepAlive = TimeSpan.FromSeconds(0) }, false },
            { Good with { KeepAlive = TimeSpan.FromSeconds(-1) }, false },
            { Good with { KeepAlive = TimeSpan.FromSeconds(1) }, true },
            { Good with { KeepAlive = TimeSpan.FromSeconds(600) }, true },
            { Good with { KeepAlive = TimeSpan.FromSeconds(601) }, false },
            { Good with { ConnectTimeout = TimeSpan.Zero }, false },
            { Good with { ConnectTimeout = TimeSpan.FromDays(1) }, true },
            { Good with { ConnectTimeout = TimeSpan.FromDays(1.1) }, false },
            { Good with { OperationTimeout = Timeout.InfiniteTimeSpan }, true },
            { Good with { OperationTimeout = TimeSpan.Zero }, false },
            { Good with { OperationTimeout = TimeSpan.FromDays(1.1) }, false },
            { Good with { CloseTimeout = TimeSpan.Zero }, true },
            { Good with { CloseTimeout = TimeSpan.FromSeconds(-1) }, false },
            { Good with { MaxInFlight = 0 }, false },
            { Good with { MaxInFlight = 10_000 }, true },
            { Good with { MaxInFlight = 10_001 }, false },
            { Good with { MaxMessageBytes = 255 }, false },
            { Good with { MaxMessageBytes = 256 }, true },
            { Good with { ProductInfo = new('p', 1024) }, true },
            { Good with { ProductInfo = new('p', 1025) }, false },
            { Good with { ModelId = "" }, false },
            { Good with { ModelId = new('m', 2048) }, true },
            { Good with { ModelId = new('m', 2049) }, false },
        };

    [Theory]
    [MemberData(nameof(Edges), DisableDiscoveryEnumeration = true)]
    public void Check_AtTheEdges_TakesAndRefuses(HubSessionOptions options, bool taken) =>
        (Record.Exception(options.Check) is null).ShouldBe(taken, options.ToString());

    [Fact]
    public async Task Connect_WrongOptions_FailsBeforeTheCredentialIsAsked()
    {
        var options = Good with { KeepAlive = TimeSpan.Zero, Credential = HubCredential.FromSigner(new MustNotSign()) };
        await Should.ThrowAsync<ArgumentOutOfRangeException>(() => IoTHubSession.ConnectAsync(options).AsTask());
    }

    [Fact]
    public void Port_NotSet_FollowsTheTransport()
    {
        Good.Port.ShouldBe(8883);
        (Good with { Transport = HubTransport.WebSocket }).Port.ShouldBe(443);
        (Good with { Transport = HubTransport.WebSocket, Port = 8443 }).Port.ShouldBe(8443);
        (Good with { Port = 18883 } with { Transport = HubTransport.WebSocket }).Port.ShouldBe(18883);
        Good.HttpsPort.ShouldBe(443);
    }

    [Fact]
    public void UserName_WithoutProductAndModel_HasHubVersionAndDefaultProduct() =>
        Good.UserName.ShouldBe("contoso.azure-devices.net/d/?api-version=2021-04-12&DeviceClientType=EdgeDm");

    [Fact]
    public void UserName_BehindAGateway_HasTheHubsName() =>
        (Good with { GatewayHostName = "gw" }).UserName.ShouldStartWith("contoso.azure-devices.net/d/?");

    [Fact]
    public void UserName_ProductAndModel_AreEncoded() =>
        (Good with { ModuleId = "m", ProductInfo = "a&b=c/1 ü", ModelId = "dtmi:contoso:T;1" }).UserName.ShouldBe(
            "contoso.azure-devices.net/d/m/?api-version=2021-04-12&DeviceClientType=a%26b%3Dc%2F1%20%C3%BC"
                + "&model-id=dtmi%3Acontoso%3AT%3B1"
        );

    [Fact]
    public void UserName_Ids_AreNotEncoded() =>
        (Good with { DeviceId = "a%b:c", ModuleId = "$m" }).UserName.ShouldStartWith(
            "contoso.azure-devices.net/a%b:c/$m/?"
        );

    [Fact]
    public void Key_NotBase64_IsRefusedAtOnceAndNotTold() =>
        Should
            .Throw<FormatException>(() => HubCredential.FromKey("n0t!base64"))
            .ToString()
            .ShouldNotContain("n0t!base64");

    [Fact]
    public void Token_WithoutExpiry_IsRefusedAtOnceAndNotTold() =>
        Should
            .Throw<FormatException>(() => HubCredential.FromToken("SharedAccessSignature sr=x&sig=secret"))
            .ToString()
            .ShouldNotContain("secret");

    [Theory]
    [InlineData(null, 3600)]
    [InlineData(60, 60)]
    public async Task Token_FromKey_LivesAsLongAsTold(int? seconds, int expected)
    {
        var now = DateTimeOffset.FromUnixTimeSeconds(1_000_000);
        var credential = HubCredential.FromKey(
            ScriptedHub.Key,
            seconds is { } given ? TimeSpan.FromSeconds(given) : null
        );
        var password = await credential.GetAsync(new("h", "d", null, now), TestContext.Current.CancellationToken);
        password!.ExpiresOn.ShouldBe(now.AddSeconds(expected));
        password.Value.ShouldEndWith($"&se={1_000_000 + expected}");
        password.ToString().ShouldNotContain("sig");
    }

    [Fact]
    public async Task Token_OfADevice_IsForTheDevice()
    {
        var password = await Good.ProveAsync(TestContext.Current.CancellationToken);
        password!.Value.ShouldStartWith("SharedAccessSignature sr=contoso.azure-devices.net%2Fdevices%2Fd&sig=");
    }

    [Fact]
    public void Options_Printed_ShowNoSecret() =>
        HubSessionOptions
            .FromConnectionString($"HostName=h;DeviceId=d;SharedAccessKey={ScriptedHub.Key}")
            .ToString()
            .ShouldNotContain(ScriptedHub.Key);

    private sealed class MustNotSign : IHubSigner
    {
        public ValueTask<byte[]> SignAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken) =>
            throw new InvalidOperationException("must not be asked");
    }
}
