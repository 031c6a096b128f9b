using System.Collections.Concurrent;
using System.Net;
using System.Net.NetworkInformation;
using System.Text.Json.Nodes;
using EdgeDm.DevHub.Identities;
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

    private readonly string folder;
    private readonly Cores cores;
    private readonly BenchDeployment deployment;
    private readonly string[] options;
    private readonly ConcurrentQueue<string> output = new();
    private DevHubProgram? program;

    private BenchHub(string folder, Cores cores, BenchDeployment deployment, string[] options)
    {
        this.folder = folder;
        this.cores = cores;
        this.deployment = deployment;
        this.options = options;
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
    /// <param name="deployment">Whom it serves.</param>
    /// <param name="options">More of its options.</param>
    public static async Task<BenchHub> StartAsync(
        string folder,
        Cores cores,
        BenchDeployment deployment,
        params string[] options
    )
    {
        var hub = new BenchHub(folder, cores, deployment, options);
        await File.WriteAllTextAsync(hub.DeploymentFile, deployment.ToJson().ToJsonString());
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
                .. deployment.Modules.SelectMany(module => new[] { "--except", module }),
                .. options,
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

    /// <summary>The same for any MQTT client.</summary>
    public JsonObject PlainConnectionOf(string module)
    {
        var parts = PartsOf(module);
        var (host, device) = (parts["HostName"], parts["DeviceId"]);
        return PlainConnection(host, $"{device}/{module}", $"{device}/modules/{module}", parts["SharedAccessKey"]);
    }

    /// <summary>Registers a device, and tells what any MQTT client needs to connect as it.</summary>
    public async Task<JsonObject> AddDeviceAsync(string id) =>
        PlainConnection(PartsOf(deployment.Modules[0])["HostName"], id, id, await Service.AddDeviceAsync(id));

    private static JsonObject PlainConnection(string host, string clientId, string path, string key) =>
        new()
        {
            ["clientId"] = clientId,
            ["userName"] = $"{host}/{clientId}/?api-version=2021-04-12",
            ["password"] = SasToken.Make($"{host}/devices/{path}", key, DateTimeOffset.UtcNow.AddDays(1)),
            ["filter"] = $"devices/{path}/#",
        };

    public async ValueTask DisposeAsync()
    {
        if (program is not null)
        {
            await program.StopAsync();
        }
    }

    private Dictionary<string, string> PartsOf(string module) =>
        ConnectionStringOf(module)
            .Split(';')
            .Select(part => part.Split('=', 2))
            .ToDictionary(part => part[0], part => part[1], StringComparer.Ordinal);

    private string ConnectionStringOf(string module)
    {
        const string prefix = "export EdgeHubConnectionString=";
        var line = File.ReadLines(Path.Combine(Data, "env", module + ".env"))
            .First(l => l.StartsWith(prefix, StringComparison.Ordinal));
        return line[prefix.Length..].Trim('\'');
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
