using System.Collections.Concurrent;
using System.Net;
using System.Net.NetworkInformation;
using System.Text.Json.Nodes;
using EdgeDm.Testing;

namespace EdgeDm.Benchmarks.Session;

/// <summary>
/// The dev hub's program on the server's core, at a loopback address of its own with the MQTT port that official clients have built in, and a
/// gateway with modules for the clients to be.
/// </summary>
internal sealed class BenchHub : IAsyncDisposable
{
    /// <summary>A module: our client, a peer, and who sends to their inputs.</summary>
    public const string Ours = "Ours",
        Peer = "Peer",
        Feeder = "Feeder";

    /// <summary>An output that leads to the cloud; one of the feeder's that is named as a module leads to that module's input.</summary>
    public const string UpstreamOutput = "up";

    /// <summary>MQTT over TLS.</summary>
    public const int Port = 8883;

    private static readonly string[] Modules = [Ours, Peer, Feeder];

    private readonly string folder;
    private readonly Cores cores;
    private readonly ConcurrentQueue<string> output = new();
    private DevHubProgram? program;

    private BenchHub(string folder, Cores cores)
    {
        this.folder = folder;
        this.cores = cores;
    }

    /// <summary>Where it listens.</summary>
    public string Address { get; } = FreeAddress();

    /// <summary>Its process.</summary>
    public int ProcessId => program!.ProcessId;

    /// <summary>User and system time until now.</summary>
    public TimeSpan Processor => ProcessSample.ProcessorOfTree(ProcessId);

    /// <summary>As an operator's program sees it.</summary>
    public HubService Service => program!.Service;

    /// <summary>What a client must trust.</summary>
    public string RootFile => Path.Combine(Data, "ca", "root.pem");

    /// <summary>The server's certificate for <see cref="Address"/>, and its key; for a second server there.</summary>
    public (string Certificate, string Key) ServerFiles =>
        (Path.Combine(Data, "ca", "server.pem"), Path.Combine(Data, "ca", "server.key.pem"));

    /// <summary>What went to the cloud, one JSON object a line; it outlives the hub.</summary>
    public string RecordFile => Path.Combine(folder, "record.jsonl");

    private string Data => Path.Combine(folder, "data");

    private string DeploymentFile => Path.Combine(folder, "deployment.json");

    /// <summary>Starts one.</summary>
    /// <param name="folder">An empty folder for all its state.</param>
    /// <param name="cores">Its core is the server's.</param>
    public static async Task<BenchHub> StartAsync(string folder, Cores cores)
    {
        var hub = new BenchHub(folder, cores);
        await File.WriteAllTextAsync(hub.DeploymentFile, Deployment().ToJsonString());
        await hub.StartAsync();
        return hub;
    }

    /// <summary>Kills it, as a power cut would, and starts it at the same address and with the same state.</summary>
    public async Task RestartAsync()
    {
        await program!.StopAsync(kill: true);
        program = null;
        await StartAsync();
    }

    private async Task StartAsync() =>
        program = await DevHubProgram.StartAsync(
            Data,
            [
                .. new[] { "--address", Address, "--mqtt-port", $"{Port}", "--https-port", "0" },
                .. new[]
                {
                    "--deployment",
                    DeploymentFile,
                    "--module-environment",
                    "iotedgehubdev",
                    "--record",
                    RecordFile,
                },
                .. Modules.SelectMany(module => new[] { "--except", module }),
            ],
            output,
            launcher: Cores.On(cores.Server)
        );

    /// <summary>What a client needs to connect as a module.</summary>
    public JsonObject ConnectionOf(string module) =>
        new()
        {
            ["connectionString"] = ConnectionStringOf(module),
            ["port"] = Port,
            ["rootFile"] = RootFile,
        };

    public async ValueTask DisposeAsync()
    {
        if (program is not null)
        {
            await program.StopAsync();
        }
    }

    private string ConnectionStringOf(string module)
    {
        const string prefix = "export EdgeHubConnectionString=";
        var line = File.ReadLines(Path.Combine(Data, "env", module + ".env"))
            .First(l => l.StartsWith(prefix, StringComparison.Ordinal));
        return line[prefix.Length..].Trim('\'');
    }

    private static JsonObject Deployment()
    {
        static JsonObject Module(string name) =>
            new()
            {
                ["type"] = "docker",
                ["status"] = "running",
                ["settings"] = new JsonObject { ["image"] = $"contoso/{name.ToLowerInvariant()}:1" },
            };
        static KeyValuePair<string, JsonNode?> Route(string name, string from, string output, string sink) =>
            KeyValuePair.Create<string, JsonNode?>(name, $"FROM /messages/modules/{from}/outputs/{output} INTO {sink}");
        var toInputs = Modules.Select(module =>
            Route($"to{module}", Feeder, module, $"BrokeredEndpoint(\"/modules/{module}/inputs/in\")")
        );
        var toCloud = Modules.Select(module => Route($"from{module}", module, UpstreamOutput, "$upstream"));
        return new()
        {
            ["modulesContent"] = new JsonObject
            {
                ["$edgeAgent"] = new JsonObject
                {
                    ["properties.desired"] = new JsonObject
                    {
                        ["schemaVersion"] = "1.1",
                        ["modules"] = new JsonObject(
                            Modules.Select(name => KeyValuePair.Create<string, JsonNode?>(name, Module(name)))
                        ),
                    },
                },
                ["$edgeHub"] = new JsonObject
                {
                    ["properties.desired"] = new JsonObject
                    {
                        ["schemaVersion"] = "1.1",
                        ["routes"] = new JsonObject([.. toInputs, .. toCloud]),
                    },
                },
            },
        };
    }

    /// <summary>An address at which nothing has the port yet: other dev hubs have some.</summary>
    private static string FreeAddress()
    {
        var taken = IPGlobalProperties
            .GetIPGlobalProperties()
            .GetActiveTcpListeners()
            .Where(listener => listener.Port == Port)
            .Select(listener => listener.Address)
            .ToHashSet();
        return Enumerable
                .Range(0, 30)
                .Select(i => IPAddress.Parse($"127.0.0.{220 + i}"))
                .FirstOrDefault(address => !taken.Contains(address) && !taken.Contains(IPAddress.Any))
                ?.ToString()
            ?? throw new BenchException(
                $"Port {Port}, which official clients have built in, is taken at every loopback address."
            );
    }
}
