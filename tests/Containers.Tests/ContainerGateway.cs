using System.Collections.Concurrent;
using System.Net;
using System.Text.Json.Nodes;
using EdgeDm.Durable;
using EdgeDm.EndToEnd.Tests;
using EdgeDm.EndToEnd.Tests.Kills;
using EdgeDm.Testing;
using EdgeDm.Updates;

namespace EdgeDm.Containers.Tests;

/// <summary>
/// A gateway whose modules are containers of the real images, with users, rights and mounts of the repository's deployment. Its host is
/// the simulated one (a folder, and HostAccess's own container runs the scripts), or a container with systemd.
/// </summary>
internal sealed class ContainerGateway : IAsyncDisposable
{
    public static readonly IReadOnlyList<string> Modules =
    [
        "HostAccess",
        "FirmwareDownload",
        "Telemetry",
        "DeviceManagement",
    ];

    private const string HostAccessData = "/var/lib/edgedm/host-access";

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("cgw");
    private readonly ConcurrentQueue<string> output = new();
    private DevHubProgram? hub;
    private FileHost? files;
    private int changes;

    private readonly int healthDeadline;

    private ContainerGateway(int healthDeadline) => this.healthDeadline = healthDeadline;

    public UpdatePublisher Publisher { get; } = UpdatePublisher.Trusted;

    /// <summary>The container that plays the host; null when there is none.</summary>
    public HostMachine? Host { get; private set; }

    public HubService Service => hub!.Service;

    public FileHost Files => files!;

    /// <summary>What the dev hub and its modules printed.</summary>
    public string Output => string.Join('\n', output);

    /// <summary>The simulated host's root, as the scripts see it.</summary>
    public string HostRoot => Path.Combine(HostFolder(HostAccessData), "simulated-host", "root");

    /// <summary>What the cloud was told.</summary>
    public CloudRecord Cloud => new(RecordFile);

    /// <summary>What is published.</summary>
    public string FilesFolder => Path.Combine(folder.FullName, "files");

    /// <summary>What everything of this gateway's dev hub in Docker is called.</summary>
    public string Name { get; private set; } = "";

    private string Data => Path.Combine(folder.FullName, "data");

    private string DeploymentFile => Path.Combine(folder.FullName, "deployment.template.json");

    private string RecordFile => Path.Combine(folder.FullName, "record.jsonl");

    private string Failpoints => Path.Combine(HostFolder(HostAccessData), "failpoints");

    /// <summary>Starts all, and returns when the hub serves and every module's container was started.</summary>
    /// <param name="hasHost">A container plays the host, which the modules live and die with.</param>
    /// <param name="healthDeadline">Seconds that an update has to become healthy.</param>
    public static async Task<ContainerGateway> StartAsync(bool hasHost = false, int healthDeadline = 60)
    {
        var gateway = new ContainerGateway(healthDeadline);
        try
        {
            gateway.Host = hasHost ? await HostMachine.StartAsync(gateway.HostFolder("")) : null;
            gateway.Prepare();
            await gateway.StartHubAsync();
            return gateway;
        }
        catch
        {
            await gateway.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts the dev hub, again if it ran before; returns when every module's container was started.</summary>
    public async Task StartHubAsync()
    {
        hub = await DevHubProgram.StartAsync(
            Data,
            [
                .. new[]
                {
                    "--launch",
                    "docker",
                    "--deployment",
                    DeploymentFile,
                    "--mqtt-port",
                    "0",
                    "--https-port",
                    "0",
                },
                .. new[] { "--record", RecordFile },
                .. new[] { "--set-env", $"HostAccess:{FailpointFolder.Variable}={HostAccessData}/failpoints" },
                .. Host is { } host ? new[] { "--host-container", host.Name } : [],
            ],
            output
        );
        Name = (await File.ReadAllTextAsync(Path.Combine(Data, "containers"))).Trim();
        var ready = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(Data, "devhub.json")))!;
        files ??= await FileHost.StartAsync(FilesFolder, IPAddress.Parse((string)ready["containerAddress"]!));
    }

    /// <summary>Ends the dev hub: gracefully, or as a power cut would.</summary>
    public async Task StopHubAsync(bool kill = false)
    {
        if (hub is { } running)
        {
            hub = null;
            await running.StopAsync(kill);
        }
    }

    /// <summary>A module's container.</summary>
    public string Container(string module) => $"{Name}-{module}";

    /// <summary>The first process of a module's container, as this machine knows it.</summary>
    public async Task<int> ProcessAsync(string module) =>
        int.Parse(await DockerCli.RunAsync("container", "inspect", "--format", "{{.State.Pid}}", Container(module)));

    /// <summary>Publishes an update and deploys it; the workflow's id is the deployment's.</summary>
    public async Task DeployAsync(string version, string workflow, string script)
    {
        // HostAccess's image has no shell; the simulated host's is in the folder that stands for its /etc/edgedm.
        var own = Host is null
            ? script.Replace("#!/bin/sh\n", "#!/etc/edgedm/busybox sh\n", StringComparison.Ordinal)
            : script;
        bool? reboot = Host is null ? true : null;
        var group = Publisher.Publish(FilesFolder, Files.Url, version, own, workflow, reboot: reboot);
        await Service.DesireAsync(new() { ["firmwareUpdate"] = group });
    }

    /// <summary>Publishes an update of one step, whose files lie in <see cref="FilesFolder"/>, and deploys it.</summary>
    public Task DeployAsync(string version, string workflow, StepDescription step) =>
        Service.DesireAsync(
            new() { ["firmwareUpdate"] = Publisher.Publish(FilesFolder, Files.Url, version, workflow, [step]) }
        );

    /// <summary>HostAccess stops for ever at a write; as the first process of its container it cannot kill itself.</summary>
    public void FreezeHostAccessAt(string point, int passage) => FailpointFolder.Arm(Failpoints, point, passage);

    /// <summary>Returns when HostAccess stands at that write.</summary>
    public Task WaitUntilFrozenAsync() =>
        HubService.WaitAsync(() => Task.FromResult(FailpointFolder.HasFired(Failpoints) ? "" : null));

    /// <summary>Returns when a file of the simulated host is there.</summary>
    public Task WaitForFileAsync(string name) =>
        HubService.WaitAsync(() => Task.FromResult(File.Exists(Path.Combine(HostRoot, name)) ? name : null));

    /// <summary>Lets a script go on that waits for this file.</summary>
    public void WriteFile(string name) => File.WriteAllText(Path.Combine(HostRoot, name), "");

    /// <summary>Pushes a deployment that makes these modules' containers anew, and returns when they run.</summary>
    public async Task RecreateAsync(params string[] modules)
    {
        var before = await IdsAsync(modules);
        var deployment = JsonNode.Parse(await File.ReadAllTextAsync(DeploymentFile))!;
        var all = deployment["modulesContent"]!["$edgeAgent"]!["properties.desired"]!["modules"]!;
        foreach (var module in modules)
        {
            all[module]!["env"]!["PUSHED"] = new JsonObject { ["value"] = $"{++changes}" };
        }
        await File.WriteAllTextAsync(DeploymentFile, deployment.ToJsonString());
        await HubService.WaitAsync(async () =>
        {
            var running = await RunningAsync();
            return
                modules.All(running.ContainsKey)
                && !(await IdsAsync(modules)).Intersect(before, StringComparer.Ordinal).Any()
                ? running
                : null;
        });
    }

    /// <summary>Ids of the containers of these modules; of all, when none is named.</summary>
    public Task<string[]> IdsAsync(params string[] modules) =>
        Task.WhenAll(
            (modules.Length == 0 ? Modules : modules).Select(module =>
                DockerCli.RunAsync("container", "ls", "--all", "--quiet", "--filter", $"name=^{Container(module)}$")
            )
        );

    /// <summary>Restarts of the modules that run, by module.</summary>
    public async Task<IReadOnlyDictionary<string, int>> RunningAsync() =>
        (await Service.StatusAsync())["modules"]!
            .AsArray()
            .Where(module => (string?)module!["runtimeStatus"] == "running")
            .ToDictionary(module => (string)module!["moduleId"]!, module => (int)module!["restartCount"]!);

    public async ValueTask DisposeAsync()
    {
        await StopHubAsync();
        if (Host is not null)
        {
            await Host.DisposeAsync();
        }
        if (files is not null)
        {
            await files.DisposeAsync();
        }
        if (Name.Length > 0)
        {
            foreach (var volume in await DockerCli.ListAsync("volume", $"net.edgedm.devhub={Name}"))
            {
                await DockerCli.RunAsync("volume", "rm", volume);
            }
        }
        folder.Delete(recursive: true);
    }

    private void Prepare()
    {
        folder.CreateSubdirectory("files");
        Directory.CreateDirectory(Failpoints);
        WriteHostAccessFolder();
        var deployment = File.ReadAllText(Path.Combine(RepositoryRoot.Path, "deployment.template.json"));
        if (Host is not null)
        {
            // A folder of the host in place of a volume, so that the host's system can spoil it.
            deployment = deployment.Replace(
                "\"edgedm-verbs:",
                $"\"{HostMachine.VerbsFolder}:",
                StringComparison.Ordinal
            );
        }
        File.WriteAllText(DeploymentFile, deployment);
        var modules = Path.Combine(RepositoryRoot.Path, "modules");
        File.WriteAllText(Path.Combine(folder.FullName, ".env"), $"MODULES_PATH={modules}\n");
    }

    private string HostFolder(string path) => Path.Combine(Data, "host") + path;

    private void WriteHostAccessFolder()
    {
        var etc = Directory.CreateDirectory(HostFolder("/etc/edgedm")).FullName;
        File.Copy(Busybox.Path, Path.Combine(etc, "busybox"));
        File.WriteAllText(Path.Combine(etc, "root.jwk.json"), Publisher.RootJwk);
        var configuration = new JsonObject
        {
            ["trustedRoots"] = new JsonArray("root.jwk.json"),
            ["verbs"] = new JsonObject
            {
                ["update"] = new JsonObject { ["enabled"] = true },
                ["reboot"] = new JsonObject { ["enabled"] = true },
            },
            ["callers"] = new JsonObject
            {
                ["verbs"] = new JsonArray(13601),
                ["inventory"] = new JsonArray(13601, 13603),
            },
            ["health"] = new JsonObject
            {
                ["deadlineSeconds"] = healthDeadline,
                ["stableSeconds"] = 1,
                ["requiredModules"] = new JsonArray("FirmwareDownload", "Telemetry"),
            },
        };
        var host = new JsonObject { ["manufacturer"] = "Contoso", ["model"] = "Gateway" };
        var handlers = new JsonArray("microsoft/script:1");
        if (Host is null)
        {
            host["folder"] = $"{HostAccessData}/simulated-host";
            handlers.Add((JsonNode)"edgedm/simulator:1");
        }
        else
        {
            handlers.Add((JsonNode)"microsoft/apt:1");
            handlers.Add((JsonNode)"edgedm/rauc:1");
        }
        var kind = Host is null ? "simulated" : "linux";
        configuration["host"] = kind;
        configuration[kind] = host;
        configuration["updates"] = new JsonObject { ["handlers"] = handlers };
        File.WriteAllText(Path.Combine(etc, "host-access.json"), configuration.ToJsonString());
    }
}
