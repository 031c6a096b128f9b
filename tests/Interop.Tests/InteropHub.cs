using System.Collections.Concurrent;
using System.Net;
using System.Net.NetworkInformation;
using System.Text.Json.Nodes;
using EdgeDm.Testing;

namespace EdgeDm.Interop.Tests;

/// <summary>
/// The dev hub's program at a loopback address of its own with the ports that official clients have built in, and a gateway with
/// two modules: what <c>Alpha</c> sends to its output <c>out</c> comes to input <c>in</c> of <c>Beta</c>, and the reverse.
/// </summary>
public abstract class InteropHub(params IReadOnlyList<string> options) : IAsyncLifetime
{
    /// <summary>A module.</summary>
    public const string Alpha = "Alpha",
        Beta = "Beta";

    /// <summary>The gateway's id.</summary>
    public const string Device = "gateway";

    private const int MqttPort = 8883;
    private const int HttpsPort = 443;

    private static int lastAddress = Environment.ProcessId * 2;

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("iop");
    private readonly ConcurrentQueue<string> output = new();
    private readonly string address = FreeAddress();
    private DevHubProgram? program;

    /// <summary>What the hub printed.</summary>
    public string Output => string.Join('\n', output);

    /// <summary>True when it serves at 443, which not every user may bind, and the only port that official clients call by HTTPS.</summary>
    public bool HasMethodPort => program!.Ports.Https == HttpsPort;

    internal HubService Service => program!.Service;

    /// <summary>What a device's connection string says of its gateway.</summary>
    private protected virtual string ViaGateway => $";GatewayHostName={address}";

    private protected static IReadOnlyList<string> WithModules(string environment) =>
        ["--module-environment", environment, "--except", Alpha, "--except", Beta];

    private string DataFolder => Path.Combine(folder.FullName, "data");

    private string DeploymentFile => Path.Combine(folder.FullName, "deployment.json");

    public async ValueTask InitializeAsync()
    {
        if (NodePeer.Obstacle is not null)
        {
            return; // The tests say so.
        }
        await File.WriteAllTextAsync(DeploymentFile, Deployment().ToJsonString());
        await StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (program is not null)
        {
            await program.StopAsync();
        }
        folder.Delete(recursive: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Kills the hub, as a power cut would, and starts it again.</summary>
    public async Task RestartAsync()
    {
        await program!.StopAsync(kill: true);
        program = null;
        await StartAsync();
    }

    /// <summary>Starts a module as edgeAgent or iotedgehubdev would: with that environment and no other.</summary>
    internal NodePeer Start(string module) =>
        NodePeer.Start("module-client", Path.Combine(DataFolder, "env", module + ".env"));

    /// <summary>Starts the service's client, with the connection string that the hub wrote.</summary>
    internal async Task<NodePeer> StartServiceAsync()
    {
        var connection = Path.Combine(DataFolder, "iothubowner.connection-string");
        var environment = Path.Combine(folder.FullName, "service.env");
        await File.WriteAllTextAsync(
            environment,
            $"""
            export IOTHUB_CONNECTION_STRING='{(await File.ReadAllTextAsync(connection)).Trim()}'
            export NODE_EXTRA_CA_CERTS='{program!.RootFile}'

            """
        );
        return NodePeer.Start("service-client", environment);
    }

    /// <summary>Makes a device below the gateway, and its client, which has nothing but a connection string and a certificate.</summary>
    internal async Task<NodePeer> StartDeviceAsync(string id)
    {
        var gateway = await Service.GetAsync($"devices/{Device}");
        var key = await Service.AddDeviceAsync(id, (string?)gateway["deviceScope"]);
        var environment = Path.Combine(folder.FullName, id + ".env");
        await File.WriteAllTextAsync(
            environment,
            $"""
            export DEVICE_CONNECTION_STRING='HostName={address};DeviceId={id};SharedAccessKey={key}{ViaGateway}'
            export TRUSTED_CERTIFICATE_FILE='{program!.RootFile}'
            export NODE_EXTRA_CA_CERTS='{program!.RootFile}'

            """
        );
        return NodePeer.Start("device-client", environment);
    }

    /// <summary>The names of the variables that a module gets.</summary>
    public IEnumerable<string> VariablesOf(string module) =>
        File.ReadLines(Path.Combine(DataFolder, "env", module + ".env"))
            .Select(line => line["export ".Length..line.IndexOf('=', StringComparison.Ordinal)]);

    private async Task StartAsync() =>
        program = await DevHubProgram.StartAsync(
            DataFolder,
            [
                .. new[] { "--address", address, "--mqtt-port", $"{MqttPort}" },
                .. new[] { "--deployment", DeploymentFile },
                .. options,
            ],
            output
        );

    private static JsonObject Deployment()
    {
        static JsonObject Module(string name) =>
            new()
            {
                ["type"] = "docker",
                ["status"] = "running",
                ["settings"] = new JsonObject { ["image"] = $"contoso/{name.ToLowerInvariant()}:1" },
            };
        static string Route(string from, string to) =>
            $"FROM /messages/modules/{from}/outputs/out INTO BrokeredEndpoint(\"/modules/{to}/inputs/in\")";
        return new()
        {
            ["modulesContent"] = new JsonObject
            {
                ["$edgeAgent"] = new JsonObject
                {
                    ["properties.desired"] = new JsonObject
                    {
                        ["schemaVersion"] = "1.1",
                        ["modules"] = new JsonObject { [Alpha] = Module(Alpha), [Beta] = Module(Beta) },
                    },
                },
                ["$edgeHub"] = new JsonObject
                {
                    ["properties.desired"] = new JsonObject
                    {
                        ["schemaVersion"] = "1.1",
                        ["routes"] = new JsonObject
                        {
                            ["there"] = Route(Alpha, Beta),
                            ["back"] = Route(Beta, Alpha),
                            ["up"] = $"FROM /messages/modules/{Alpha}/outputs/up INTO $upstream",
                            ["devices"] = "FROM /messages/* WHERE NOT is_defined($connectionModuleId) INTO $upstream",
                        },
                    },
                },
            },
        };
    }

    /// <summary>An address of 127.0.0.20 to 127.0.0.219: other dev hubs, and other runs of these tests, have some.</summary>
    private static string FreeAddress()
    {
        var taken = IPGlobalProperties
            .GetIPGlobalProperties()
            .GetActiveTcpListeners()
            .Where(listener => listener.Port is MqttPort or HttpsPort)
            .Select(listener => listener.Address)
            .ToHashSet();
        return Enumerable
            .Range(0, 200)
            .Select(_ => IPAddress.Parse($"127.0.0.{20 + (uint)Interlocked.Increment(ref lastAddress) % 200}"))
            .First(address => !taken.Contains(address) && !taken.Contains(IPAddress.Any))
            .ToString();
    }
}

/// <summary>Modules as edgeAgent starts them: <c>IOTEDGE_*</c> and the workload API.</summary>
public sealed class EdgeAgentHub() : InteropHub(WithModules("edgeAgent"));

/// <summary>Modules as iotedgehubdev starts them: <c>EdgeHubConnectionString</c> and <c>EdgeModuleCACertificateFile</c>.</summary>
public sealed class IotEdgeHubDevHub() : InteropHub(WithModules("iotedgehubdev"));

/// <summary>IoT Hub itself, with no gateway before it.</summary>
public sealed class CloudHub() : InteropHub("--profile", "iotHub")
{
    private protected override string ViaGateway => "";
}
