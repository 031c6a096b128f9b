using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json.Nodes;
using EdgeDm.Testing;

namespace EdgeDm.EndToEnd.Tests;

/// <summary>
/// A whole gateway of real processes: the dev hub, which launches HostAccess with the simulated host and the three modules
/// from the repository's deployment template.
/// </summary>
internal sealed class Gateway : IAsyncDisposable
{
    public static readonly IReadOnlyList<string> Modules =
    [
        "DeviceManagement",
        "FirmwareDownload",
        "Telemetry",
        "HostAccess",
    ];

    private readonly DirectoryInfo folder;
    private readonly string[] moreArguments;
    private readonly ConcurrentQueue<string> output = new();
    private DevHubProgram? hub;
    private int pushes;

    private Gateway(DirectoryInfo folder, string[] moreArguments)
    {
        this.folder = folder;
        this.moreArguments = moreArguments;
    }

    /// <summary>Variables of the dev hub's own environment.</summary>
    public IReadOnlyDictionary<string, string>? HubEnvironment { get; set; }

    /// <summary>Where update files are put.</summary>
    public required string FilesFolder { get; init; }

    public required FileHost Files { get; init; }

    public UpdatePublisher Publisher { get; } = UpdatePublisher.Trusted;

    public HubService Service => hub?.Service ?? throw new ObjectDisposedException("the dev hub");

    private string DeploymentFile => Path.Combine(folder.FullName, "deployment.template.json");

    public string DataFolder => Path.Combine(folder.FullName, "data");

    /// <summary>Program and arguments that start the dev hub's program; empty = it is started itself. To be set before it starts.</summary>
    public IReadOnlyList<string> Launcher { get; set; } = [];

    /// <summary>The dev hub's process.</summary>
    public int HubProcess => hub!.ProcessId;

    /// <summary>The ports that the dev hub serves.</summary>
    public (int Mqtt, int Https) Ports => hub!.Ports;

    /// <summary>What the dev hub and its modules printed.</summary>
    public string Output => string.Join('\n', output);

    /// <summary>The simulated host's own state.</summary>
    public string SimulatedHost =>
        Directory.EnumerateDirectories(DataFolder, "simulated-host", SearchOption.AllDirectories).Single();

    /// <summary>The folder that stands for the host's <c>/etc/edgedm</c>.</summary>
    public string ConfigurationFolder => Path.Combine(folder.FullName, "etc");

    /// <summary>Starts all, and returns when the hub serves.</summary>
    public static Task<Gateway> StartAsync(params string[] moreArguments) => StartAsync(prepare: null, moreArguments);

    /// <summary>The same with folders that <paramref name="prepare"/> has filled before anything starts.</summary>
    public static async Task<Gateway> StartAsync(Action<Gateway>? prepare, params string[] moreArguments)
    {
        var home = Directory.CreateTempSubdirectory("gw");
        var files = home.CreateSubdirectory("files").FullName;
        var gateway = new Gateway(home, moreArguments)
        {
            FilesFolder = files,
            Files = await FileHost.StartAsync(files),
        };
        try
        {
            gateway.WriteHostAccessFile();
            gateway.CopyDeployment();
            prepare?.Invoke(gateway);
            await gateway.StartHubAsync();
            return gateway;
        }
        catch
        {
            await gateway.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts the dev hub, again with the same ports if it ran before.</summary>
    public async Task StartHubAsync(int mqttPort = 0, int httpsPort = 0) =>
        hub = await DevHubProgram.StartAsync(
            DataFolder,
            [
                "--mqtt-port",
                $"{mqttPort}",
                "--https-port",
                $"{httpsPort}",
                "--deployment",
                DeploymentFile,
                "--configuration",
                BuiltProgram.Configuration,
                "--map-host",
                $"/etc/edgedm={Path.Combine(folder.FullName, "etc")}",
                "--map-host",
                // Beside the volumes: tests put small disks and earlier versions' state there.
                $"/var/lib/edgedm/host-access={Path.Combine(DataFolder, "volumes", "edgedm-host-access")}",
                .. BuiltProgram.Published is { } programs && !moreArguments.Contains("--programs")
                    ? new[] { "--programs", programs }
                    : [],
                .. moreArguments,
            ],
            output,
            HubEnvironment,
            Launcher
        );

    /// <summary>Ends the dev hub: gracefully, or as a power cut would.</summary>
    public async Task StopHubAsync(bool kill = false)
    {
        if (hub is { } running)
        {
            hub = null;
            await running.StopAsync(kill);
        }
    }

    /// <summary>Loses everything that the hub and the cloud know; what belongs to the gateway's host stays.</summary>
    public void ForgetHub()
    {
        foreach (var part in new[] { "twins", "ca", "identities.json" })
        {
            var path = Path.Combine(DataFolder, part);
            if (Directory.Exists(path))
            {
                Directory.Delete(path, recursive: true);
            }
            File.Delete(path);
        }
    }

    /// <summary>Pushes a deployment that makes every module's container anew, and returns when all run again.</summary>
    public async Task PushDeploymentAsync()
    {
        var before = await ProcessesAsync();
        var deployment = JsonNode.Parse(await File.ReadAllTextAsync(DeploymentFile))!;
        foreach (var (_, module) in Desired(deployment)["modules"]!.AsObject())
        {
            module!["env"]!["PUSHED"] = new JsonObject { ["value"] = $"{++pushes}" };
        }
        await File.WriteAllTextAsync(DeploymentFile, deployment.ToJsonString());
        await WaitForOthersAsync(before);
    }

    /// <summary>Kills every module, as crashes would, and returns when all run again.</summary>
    public async Task KillModulesAsync()
    {
        var before = await ProcessesAsync();
        foreach (var id in before.Values)
        {
            using var process = Process.GetProcessById(id);
            process.Kill();
        }
        await WaitForOthersAsync(before);
    }

    /// <summary>The processes of the modules that run.</summary>
    public async Task<IReadOnlyDictionary<string, int>> ProcessesAsync() =>
        (await Service.StatusAsync())["modules"]!
            .AsArray()
            .Where(m => (string?)m!["runtimeStatus"] == "running")
            .ToDictionary(m => (string)m!["moduleId"]!, m => (int)m!["processId"]!);

    /// <summary>A new folder of this gateway's own.</summary>
    public string MakeFolder(string name) => folder.CreateSubdirectory(name).FullName;

    /// <summary>Runs <c>edgedm</c> against this gateway's hub. Returns its exit code and what it printed.</summary>
    public async Task<(int ExitCode, string Output)> RunEdgeDmAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo(BuiltProgram.PathOf("tools/Cli"), arguments)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["EDGEDM_CONNECTION_STRING_FILE"] = Path.Combine(DataFolder, "iothubowner.connection-string");
        start.Environment["EDGEDM_CA_FILE"] = Path.Combine(DataFolder, "ca", "root.pem");
        using var edgedm = Process.Start(start)!;
        var error = edgedm.StandardError.ReadToEndAsync();
        var text = await edgedm.StandardOutput.ReadToEndAsync();
        await edgedm.WaitForExitAsync();
        return (edgedm.ExitCode, text + await error);
    }

    /// <summary>The same as soon as the dev hub has told all their environments.</summary>
    public async Task<StartedModules> StartModulesAsync()
    {
        await WaitForEnvironmentsAsync(Modules);
        return StartModules();
    }

    /// <summary>Until the dev hub has told the environments of modules that it does not start.</summary>
    public Task WaitForEnvironmentsAsync(IEnumerable<string> modules) =>
        HubService.WaitAsync(() =>
            Task.FromResult(
                modules.All(m => File.Exists(Path.Combine(DataFolder, "env", m + ".env"))) ? DataFolder : null
            )
        );

    /// <summary>Starts the modules by hand, with the environment that the dev hub printed for a debugger.</summary>
    public StartedModules StartModules() =>
        new(Modules.ToDictionary(m => m, m => (BuiltProgram.PathOf(m), Path.Combine(DataFolder, "env", m + ".env"))));

    /// <summary>Publishes an update and deploys it; the workflow's id is the deployment's.</summary>
    public async Task<JsonObject> DeployAsync(
        string version,
        string workflow,
        string script = UpdatePublisher.GoodScript,
        Action<JsonObject>? spoil = null,
        UpdatePublisher? publisher = null
    )
    {
        var group = (publisher ?? Publisher).Publish(FilesFolder, Files.Url, version, script, workflow);
        spoil?.Invoke(group);
        await Service.DesireAsync(new() { ["firmwareUpdate"] = group });
        return group;
    }

    public async ValueTask DisposeAsync()
    {
        await StopHubAsync();
        await Files.DisposeAsync();
        folder.Delete(recursive: true);
    }

    private async Task WaitForOthersAsync(IReadOnlyDictionary<string, int> before) =>
        await HubService.WaitAsync(async () =>
            await ProcessesAsync() is var now
            && now.Count == Modules.Count
            && now.All(m => !before.TryGetValue(m.Key, out var id) || id != m.Value)
                ? now
                : null
        );

    private static JsonNode Desired(JsonNode deployment) =>
        deployment["modulesContent"]!["$edgeAgent"]!["properties.desired"]!;

    /// <summary>The repository's deployment as a file of this gateway, which a test may change.</summary>
    private void CopyDeployment()
    {
        File.Copy(Path.Combine(RepositoryRoot.Path, "deployment.template.json"), DeploymentFile);
        var modules = Path.Combine(RepositoryRoot.Path, "modules");
        File.WriteAllText(Path.Combine(folder.FullName, ".env"), $"MODULES_PATH={modules}\n");
    }

    private void WriteHostAccessFile()
    {
        var etc = folder.CreateSubdirectory("etc");
        File.WriteAllText(Path.Combine(etc.FullName, "root.jwk.json"), Publisher.RootJwk);
        var configuration = new JsonObject
        {
            ["host"] = "simulated",
            ["simulated"] = new JsonObject
            {
                ["folder"] = Path.Combine(folder.FullName, "data", "simulated-host"),
                ["manufacturer"] = "Contoso",
                ["model"] = "Gateway",
            },
            ["requireNoNetwork"] = false,
            ["trustedRoots"] = new JsonArray("root.jwk.json"),
            ["verbs"] = new JsonObject
            {
                ["update"] = new JsonObject { ["enabled"] = true },
                ["reboot"] = new JsonObject { ["enabled"] = true, ["perHour"] = 3 },
                ["roots"] = new JsonObject { ["enabled"] = true },
            },
            ["updates"] = new JsonObject { ["handlers"] = new JsonArray("microsoft/script:1", "edgedm/simulator:1") },
            ["health"] = new JsonObject
            {
                ["deadlineSeconds"] = 60,
                ["stableSeconds"] = 1,
                ["requiredModules"] = new JsonArray("FirmwareDownload", "Telemetry"),
            },
        };
        File.WriteAllText(Path.Combine(etc.FullName, "host-access.json"), configuration.ToJsonString());
    }
}
