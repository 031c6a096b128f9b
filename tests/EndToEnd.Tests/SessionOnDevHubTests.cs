using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeDm.DevHub;
using EdgeDm.DevHub.Certificates;
using EdgeDm.Hub;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeDm.EndToEnd.Tests;

/// <summary>Our session against our dev hub, both real, over TLS on loopback.</summary>
public sealed class SessionOnDevHubTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("hub");
    private DevCertificateAuthority authority = null!;
    private DevHubServer hub = null!;

    public async ValueTask InitializeAsync()
    {
        authority = DevCertificateAuthority.Open(
            Path.Combine(folder.FullName, "ca"),
            ServerNames.ForDevHub(),
            TimeProvider.System,
            NullLogger.Instance
        );
        hub = await StartAsync(0, 0);
        hub.ApplyManifest(
            JsonNode
                .Parse(
                    """
                    {
                      "$edgeAgent": {"properties.desired": {"modules": {"Sender": {}, "Receiver": {}}}},
                      "$edgeHub": {"properties.desired": {"schemaVersion": "1.1", "routes": {
                        "r": "FROM /messages/modules/Sender/outputs/out INTO BrokeredEndpoint(\"/modules/Receiver/inputs/in\")",
                        "u": {"route": "FROM /messages/modules/Sender/outputs/up INTO $upstream"}
                      }}}
                    }
                    """
                )!
                .AsObject()
        );
    }

    public async ValueTask DisposeAsync()
    {
        await hub.DisposeAsync();
        authority.Dispose();
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Output_Routed_ArrivesWithPropertiesAndTheSendersStamp()
    {
        await using var sender = await ConnectAsync("Sender");
        await using var receiver = await ConnectAsync("Receiver");
        await using var inputs = await receiver.SubscribeAsync(HubChannel.Inputs);

        await sender.SendToOutputAsync(
            "out",
            new(Encoding.UTF8.GetBytes("""{"a":1}"""))
            {
                MessageId = "m/1 +&=ü",
                ContentType = "application/json",
                ContentEncoding = "utf-8",
                Properties = new Dictionary<string, string> { ["schema"] = "edgedm.test.v1", ["q"] = "a=b&c/d%20" },
            }
        );
        var message = await FirstAsync(inputs);

        Encoding.UTF8.GetString(message.Payload.Span).ShouldBe("""{"a":1}""");
        message.InputName.ShouldBe("in");
        message.MessageId.ShouldBe("m/1 +&=ü");
        message["schema"].ShouldBe("edgedm.test.v1");
        message["q"].ShouldBe("a=b&c/d%20");
        message.ConnectionDeviceId.ShouldBe("gateway");
        message.ConnectionModuleId.ShouldBe("Sender");
    }

    [Fact]
    public async Task Output_BeforeTheReceiverIsThere_WaitsForIt()
    {
        await using var sender = await ConnectAsync("Sender");
        await sender.SendToOutputAsync("out", new(new byte[] { 7 }));

        await using var receiver = await ConnectAsync("Receiver");
        await using var inputs = await receiver.SubscribeAsync(HubChannel.Inputs);

        (await FirstAsync(inputs)).Payload.ToArray().ShouldBe([7]);
    }

    [Fact]
    public async Task Input_NotAcknowledged_ComesAgainOnTheNextConnection()
    {
        await using var sender = await ConnectAsync("Sender");
        await sender.SendToOutputAsync("out", new(new byte[] { 7 }));
        await using (var first = await ConnectAsync("Receiver"))
        {
            await using var inputs = await first.SubscribeAsync(HubChannel.Inputs);
            await FirstAsync(inputs);
        }

        await using var second = await ConnectAsync("Receiver");
        await using var again = await second.SubscribeAsync(HubChannel.Inputs);

        (await FirstAsync(again)).Payload.ToArray().ShouldBe([7]);
    }

    [Fact]
    public async Task Upstream_Message_IsKept()
    {
        await using var sender = await ConnectAsync("Sender");

        await sender.SendToOutputAsync("up", new(new byte[] { 1 }));

        hub.Upstream.After(0).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Twin_WatchedWhileItChanges_ComesWholeThenAsPatches()
    {
        await using var session = await ConnectAsync("Receiver");
        await using var changes = session.WatchTwinAsync().GetAsyncEnumerator();
        (await changes.MoveNextAsync().AsTask().WaitAsync(Patience)).ShouldBeTrue();
        var full = changes.Current.Full!;

        hub.Twins.Write(new("gateway", "Receiver"), new(null, JsonNode.Parse("""{"a":{"b":2}}""")!.AsObject()));
        (await changes.MoveNextAsync().AsTask().WaitAsync(Patience)).ShouldBeTrue();

        var update = changes.Current.Update!;
        update.Version.ShouldBe(full.DesiredVersion + 1);
        update.Patch.GetProperty("a").GetProperty("b").GetInt32().ShouldBe(2);
    }

    [Fact]
    public async Task Reported_Patched_StandsInTheTwinWithoutWhatWasNulled()
    {
        await using var session = await ConnectAsync("Receiver");
        await session.UpdateReportedAsync(Encoding.UTF8.GetBytes("""{"x":1,"y":{"z":2}}"""));

        await session.UpdateReportedAsync(Encoding.UTF8.GetBytes("""{"x":null,"y":{"w":3}}"""));
        var twin = await session.GetTwinAsync();

        twin.Reported.TryGetProperty("x", out _).ShouldBeFalse();
        twin.Reported.GetProperty("y").GetProperty("z").GetInt32().ShouldBe(2);
        twin.Reported.GetProperty("y").GetProperty("w").GetInt32().ShouldBe(3);
    }

    [Fact]
    public async Task Reported_AgainstTheLimits_IsRefusedWithItsStatus()
    {
        await using var session = await ConnectAsync("Receiver");

        var refusal = await Should.ThrowAsync<HubServiceException>(async () =>
            await session.UpdateReportedAsync(
                JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, string> { ["x"] = new string('a', 4097) })
            )
        );

        refusal.Status.ShouldBe(400);
    }

    [Fact]
    public async Task Method_Called_IsAnsweredByTheModule()
    {
        await using var session = await ConnectAsync("Receiver");
        using var stop = new CancellationTokenSource();
        var serving = session.ServeMethodsAsync(
            (request, _) => ValueTask.FromResult(new MethodResult(207, Encoding.UTF8.GetBytes($"\"{request.Name}\""))),
            cancellationToken: stop.Token
        );

        var answer = await hub.Methods.InvokeAsync(
            new("gateway", "Receiver"),
            "greet",
            Encoding.UTF8.GetBytes("{}"),
            Patience,
            Patience,
            CancellationToken.None
        );

        answer.Status.ShouldBe(207);
        Encoding.UTF8.GetString(answer.Payload.Span).ShouldBe("\"greet\"");
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(serving);
    }

    [Fact]
    public async Task InvokeMethod_OfAnotherModule_ReturnsItsAnswer()
    {
        await using var caller = await ConnectAsync("Sender");
        await using var receiver = await ConnectAsync("Receiver");
        using var stop = new CancellationTokenSource();
        var serving = receiver.ServeMethodsAsync(
            (request, _) => ValueTask.FromResult(new MethodResult(409, request.Payload)),
            cancellationToken: stop.Token
        );

        var answer = await caller.InvokeMethodAsync(
            new("gateway", "Receiver"),
            "echo",
            new("""{"a":[1,"ü"]}"""u8.ToArray()) { ConnectTimeout = Patience }
        );

        answer.Status.ShouldBe(409);
        JsonElement.Parse(answer.Utf8Json.Span).GetProperty("a")[1].GetString().ShouldBe("ü");
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(serving);
    }

    [Fact]
    public async Task InvokeMethod_OfAModuleThatIsAway_IsTheHubs404()
    {
        await using var caller = await ConnectAsync("Sender");

        var error = await Should.ThrowAsync<HubServiceException>(async () =>
            await caller.InvokeMethodAsync(new("gateway", "Receiver"), "echo", new())
        );

        error.Status.ShouldBe(404);
        error.Message.ShouldContain("gateway/Receiver");
    }

    [Fact]
    public async Task InvokeMethod_WithATokenThatTheHubDoesNotTake_IsItsRefusal()
    {
        var key = new ChangingKey(hub.Identities.EnsureModule("Sender").PrimaryKey);
        await using var caller = await IoTHubSession.ConnectAsync(
            Options("Sender") with
            {
                Credential = HubCredential.FromSigner(key),
            }
        );
        key.IsWrong = true;

        var error = await Should.ThrowAsync<HubServiceException>(async () =>
            await caller.InvokeMethodAsync(new("gateway", "Receiver"), "echo", new())
        );

        error.Status.ShouldBe(401);
        error.ToString().ShouldNotContain("sig=");
        caller.IsConnected.ShouldBeTrue();
    }

    [Fact]
    public async Task Connect_WrongKey_IsRefusedWithCode5()
    {
        var options = Options("Receiver") with
        {
            Credential = HubCredential.FromKey(Convert.ToBase64String(new byte[32])),
        };

        var refusal = await Should.ThrowAsync<ConnectFailedException>(async () =>
            await IoTHubSession.ConnectAsync(options)
        );

        refusal.ConnackCode.ShouldBe((byte)5);
    }

    [Fact]
    public async Task Connect_OtherRoot_IsRefused()
    {
        var options = Options("Receiver") with { TrustedRoots = [] };

        await Should.ThrowAsync<ConnectFailedException>(async () => await IoTHubSession.ConnectAsync(options));
    }

    [Fact]
    public async Task Connect_SameIdentityAgain_EndsTheFirstSession()
    {
        await using var first = await ConnectAsync("Receiver");

        await using var second = await ConnectAsync("Receiver");
        var end = await first.Completion.WaitAsync(Patience);

        end.Reason.ShouldNotBe(SessionEndReason.Disposed);
        second.IsConnected.ShouldBeTrue();
    }

    [Fact]
    public async Task Restart_OfTheHub_EndsTheSessionAndTheTwinIsStillThere()
    {
        await using var session = await ConnectAsync("Receiver");
        await session.UpdateReportedAsync(Encoding.UTF8.GetBytes("""{"x":1}"""));
        var (mqtt, https) = (hub.MqttPort, hub.HttpsPort);

        await hub.DisposeAsync();
        await session.Completion.WaitAsync(Patience);
        hub = await StartAsync(mqtt, https);
        await using var again = await ConnectAsync("Receiver");

        (await again.GetTwinAsync()).Reported.GetProperty("x").GetInt32().ShouldBe(1);
    }

    private Task<DevHubServer> StartAsync(int mqttPort, int httpsPort) =>
        DevHubServer.StartAsync(
            new()
            {
                DataFolder = Path.Combine(folder.FullName, "data"),
                MqttPort = mqttPort,
                HttpsPort = httpsPort,
            },
            authority.ServerCertificate,
            NullLoggerFactory.Instance,
            TimeProvider.System,
            CancellationToken.None
        );

    private HubSessionOptions Options(string module) =>
        new()
        {
            HubHostName = hub.HubHostName,
            GatewayHostName = hub.GatewayHostName,
            Port = hub.MqttPort,
            HttpsPort = hub.HttpsPort,
            DeviceId = "gateway",
            ModuleId = module,
            Credential = HubCredential.FromKey(hub.Identities.EnsureModule(module).PrimaryKey),
            TrustedRoots = Roots(),
        };

    private X509Certificate2Collection Roots()
    {
        var roots = new X509Certificate2Collection();
        roots.ImportFromPem(authority.TrustBundlePem);
        return roots;
    }

    private ValueTask<IoTHubSession> ConnectAsync(string module) => IoTHubSession.ConnectAsync(Options(module));

    private static async Task<HubMessage> FirstAsync(HubSubscription<HubMessage> inputs)
    {
        var items = inputs.GetAsyncEnumerator();
        (await items.MoveNextAsync().AsTask().WaitAsync(Patience)).ShouldBeTrue();
        return items.Current;
    }

    /// <summary>The right key until told otherwise.</summary>
    private sealed class ChangingKey(string base64Key) : IHubSigner
    {
        public bool IsWrong { get; set; }

        public ValueTask<byte[]> SignAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken) =>
            ValueTask.FromResult(
                HMACSHA256.HashData(IsWrong ? new byte[32] : Convert.FromBase64String(base64Key), data.Span)
            );
    }
}
