using System.Net.Sockets;
using EdgeDm.DevHub.Certificates;
using EdgeDm.DevHub.Identities;
using EdgeDm.DevHub.Tests.Nested;
using EdgeDm.DevHub.Workload;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeDm.DevHub.Tests.Golden;

// What the SDKs put on the wire that cannot run here, byte by byte, and what they read of the answers.
public sealed class GoldenTests
{
    [Fact]
    public async Task Service_CSharpsRequests_AreAnsweredAsItReadsThem()
    {
        await using var hub = await TestHub.StartAsync();
        await using var module = await MqttTestClient.ConnectAsync(hub, "quiet");
        var owner = hub.Server.Identities.Owner;
        var known = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["token"] = SasToken.Make(
                hub.Options.EffectiveHubHostName,
                owner.Key,
                DateTimeOffset.UtcNow.AddHours(1),
                owner.Name
            ),
        };
        await RunAsync(hub, "service.http", known);
    }

    [Theory]
    [InlineData("edgehub.http")]
    [InlineData("iotedgehubdev.http")]
    public async Task Upstream_RequestsOfWhatIsBelow_AreAnsweredAsItReadsThem(string file)
    {
        await using var hub = await EdgeHubPeer.StartHubAsync();
        hub.Module("m");
        hub.Leaf("leaf");
        hub.Edge("lower", above: "gateway");
        hub.Leaf("stranger", above: null);
        await RunAsync(
            hub,
            file,
            new(StringComparer.Ordinal)
            {
                ["token"] = hub.Token(new("gateway", "$edgeHub")),
                ["deviceToken"] = hub.Token(new("gateway")),
            }
        );
    }

    [Fact]
    public async Task Workload_TheSecurityDaemonsRequests_AreAnsweredAsTheSdksReadThem()
    {
        await using var hub = await TestHub.StartAsync();
        hub.Module("m");
        using var folder = new TemporaryFolder();
        using var authority = DevCertificateAuthority.Open(
            folder.File("ca"),
            ServerNames.ForDevHub(),
            TimeProvider.System,
            NullLogger.Instance
        );
        await using var server = new WorkloadServer(
            new EdgeDm.DevHub.Running.RegistryKeys(hub.Server),
            authority,
            new NoStates(),
            NullLoggerFactory.Instance
        );
        var socket = folder.File("w.sock");
        await server.OpenAsync("m", socket, forEveryUser: false, CancellationToken.None);
        var known = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var exchange in Read("workload.http"))
        {
            using var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await client.ConnectAsync(new UnixDomainSocketEndPoint(socket));
            await using var stream = new NetworkStream(client);
            await exchange.RunAsync(stream, known);
        }
    }

    [Fact]
    public async Task Module_CallsOfMethods_AreAnsweredAsEdgeHubDoes()
    {
        await using var hub = await TestHub.StartAsync();
        await using var quiet = await MqttTestClient.ConnectAsync(hub, "quiet");
        await RunAsync(hub, "module.http", new(StringComparer.Ordinal) { ["token"] = hub.Token(hub.Module("caller")) });
    }

    private static async Task RunAsync(TestHub hub, string file, Dictionary<string, string> known)
    {
        foreach (var exchange in Read(file))
        {
            await using var stream = await hub.OpenHttpsAsync();
            await exchange.RunAsync(stream, known);
        }
    }

    private static IReadOnlyList<GoldenExchange> Read(string file)
    {
        var exchanges = GoldenExchange.Read(Path.Combine(AppContext.BaseDirectory, "Golden", file));
        exchanges.ShouldNotBeEmpty();
        return exchanges;
    }

    private sealed class NoStates : IModuleStates
    {
        public IReadOnlyList<ModuleState> List() => [];
    }
}
