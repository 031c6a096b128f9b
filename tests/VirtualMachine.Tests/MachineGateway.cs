using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using EdgeDm.Contracts;
using EdgeDm.EndToEnd.Tests;
using EdgeDm.EndToEnd.Tests.Kills;
using EdgeDm.Testing;

namespace EdgeDm.VirtualMachine.Tests;

/// <summary>
/// A gateway in a virtual machine: HostAccess as the native service of <c>deployment/host</c>, the three modules as services under their
/// users. Hub and file server are on this machine, where no power is cut.
/// </summary>
internal sealed class MachineGateway : IAsyncDisposable
{
    /// <summary>The guest's name for this machine, see its <c>/etc/hosts</c>.</summary>
    private const string HubName = "hub.test";

    private const string Workflow = "w1";

    /// <summary>The bundle of the next version.</summary>
    public const string GoodBundle = "good.raucb";

    /// <summary>The same with a Telemetry that does not start.</summary>
    public const string SickBundle = "sick.raucb";

    private const string Services =
        "edgedm-host-access edgedm-device-management edgedm-firmware-download edgedm-telemetry";

    private static readonly string[] Modules = ["HostAccess", "DeviceManagement", "FirmwareDownload", "Telemetry"];

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("vmgw");
    private readonly ConcurrentQueue<string> output = new();
    private readonly UpdatePublisher publisher = UpdatePublisher.Trusted;
    private DevHubProgram? hub;
    private FileHost? files;

    private MachineGateway() => Cloud = new(Path.Combine(folder.FullName, "record.jsonl"));

    public Machine Machine { get; private set; } = null!; // Set while it starts.

    /// <summary>What the cloud was told.</summary>
    public CloudRecord Cloud { get; }

    public HubService Service => hub!.Service;

    /// <summary>What hub and guest said last, for a test that fails.</summary>
    public string Output => $"{string.Join('\n', output)}\n{Machine.Tail(Machine.Journal)}";

    private string Data => Path.Combine(folder.FullName, "data");

    private string FilesFolder => Path.Combine(folder.FullName, "files");

    /// <summary>Starts all, and returns when the cloud knows the gateway.</summary>
    /// <param name="healthSeconds">Time for an update to become healthy.</param>
    public static async Task<MachineGateway> StartAsync(int healthSeconds = 600)
    {
        var gateway = new MachineGateway();
        try
        {
            await Task.WhenAll(gateway.StartHubAsync(), gateway.StartMachineAsync());
            await gateway.ConfigureAsync(healthSeconds);
            await gateway.Machine.RunAsync($"systemctl start {Services}");
            await gateway.WaitForReportAsync();
            return gateway;
        }
        catch
        {
            await gateway.DisposeAsync();
            throw;
        }
    }

    /// <summary>Publishes a RAUC bundle that <c>scripts/vm build</c> made, and deploys it; the workflow's id is the deployment's.</summary>
    /// <param name="bundle"><see cref="GoodBundle"/> or <see cref="SickBundle"/>.</param>
    public async Task DeployAsync(string bundle)
    {
        const string Name = "rootfs.raucb";
        File.Copy(Path.Combine(Machine.Built, bundle), Path.Combine(FilesFolder, Name));
        var group = publisher.Publish(
            FilesFolder,
            $"http://{HubName}:{new Uri(files!.Url).Port}",
            "2.0.0",
            Workflow,
            [UpdatePublisher.Step("edgedm/rauc:1", [Name], """{"installedCriteria":"2.0.0"}""")]
        );
        await Service.DesireAsync(new() { ["firmwareUpdate"] = group });
    }

    /// <summary>The deployment's end as it is reported.</summary>
    public async Task<JsonObject> WaitForEndAsync(TimeSpan limit)
    {
        try
        {
            return await Service.WaitForEndAsync(Workflow, limit);
        }
        catch (OperationCanceledException error)
        {
            throw new TimeoutException(
                $"Not within {limit}. The twin:\n{await Service.ReportedAsync()}\n{Output}",
                error
            );
        }
    }

    /// <summary>The kernel's id of this start.</summary>
    public Task<string> BootIdAsync() => Machine.RunAsync("cat /proc/sys/kernel/random/boot_id");

    /// <summary>Which slot runs: its name and the version of its image.</summary>
    public async Task<(string Slot, string Version)> BootedAsync()
    {
        var slot = await Machine.RunAsync("sed 's/.*rauc.slot=//' /proc/cmdline");
        return (slot, await Machine.RunAsync(". /etc/os-release; echo $IMAGE_VERSION"));
    }

    /// <summary>What GRUB knows of the slots.</summary>
    public async Task<string[]> BootVariablesAsync() =>
        (await Machine.RunAsync("grub-editenv /boot/efi/grub/grubenv list")).Split('\n');

    /// <summary>
    /// A watcher of the twin saw the deployment end once, and the job's events tell one end, each of them under one message id however often
    /// it came.
    /// </summary>
    public async Task ShouldHaveBeenToldOnceAsync(JsonObject group, string status, string jobStatus)
    {
        // The hub may have had the twin's patch before the event.
        var events = await WaitForEventsAsync((string)group["jobId"]!);
        Cloud.EndsOf(Workflow).ShouldBe([status], Output);
        events.Select(e => e.Status).Where(JobStatuses.IsTerminal).Distinct().ShouldBe([jobStatus]);
        events.Select(e => e.MessageId).Distinct().Count().ShouldBe(events.Select(e => e.Status).Distinct().Count());
    }

    /// <summary>A job's events as soon as they tell its end.</summary>
    public Task<IReadOnlyList<(string Status, string MessageId)>> WaitForEventsAsync(string jobId) =>
        HubService.WaitAsync(
            () =>
                Task.FromResult(
                    Cloud.EventsOf(jobId) is { } all && all.Any(e => JobStatuses.IsTerminal(e.Status)) ? all : null
                ),
            TimeSpan.FromMinutes(10)
        );

    public async ValueTask DisposeAsync()
    {
        if (Machine is not null)
        {
            await Machine.DisposeAsync();
        }
        if (hub is not null)
        {
            await hub.DisposeAsync();
        }
        if (files is not null)
        {
            await files.DisposeAsync();
        }
        folder.Delete(recursive: true);
    }

    private async Task StartHubAsync()
    {
        folder.CreateSubdirectory("files");
        var deployment = Path.Combine(folder.FullName, "deployment.template.json");
        File.Copy(Path.Combine(RepositoryRoot.Path, "deployment.template.json"), deployment);
        var modules = Path.Combine(RepositoryRoot.Path, "modules");
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, ".env"), $"MODULES_PATH={modules}\n");
        files = await FileHost.StartAsync(FilesFolder);
        hub = await DevHubProgram.StartAsync(
            Data,
            [
                .. new[] { "--deployment", deployment, "--mqtt-port", "0", "--https-port", "0" },
                .. new[] { "--gateway-host-name", HubName, "--module-environment", "iotedgehubdev" },
                .. new[] { "--record", Path.Combine(folder.FullName, "record.jsonl") },
                .. Modules.SelectMany(module => new[] { "--except", module }),
            ],
            output
        );
    }

    private async Task StartMachineAsync() => Machine = await Machine.StartAsync();

    private Task<JsonObject> WaitForReportAsync() =>
        Service.WaitForReportedAsync(reported => reported["device"] is not null, limit: TimeSpan.FromMinutes(5));

    /// <summary>Writes the guest's <c>/etc/edgedm</c>: what HostAccess may do, and the modules' variables as the hub tells them.</summary>
    private async Task ConfigureAsync(int healthSeconds)
    {
        var written = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["host-access.json"] = HostAccessFile(healthSeconds).ToJsonString(),
            ["root.jwk.json"] = publisher.RootJwk,
            ["hub.pem"] = await File.ReadAllTextAsync(hub!.RootFile),
        };
        foreach (var module in Modules[1..])
        {
            // As a shell reads it; systemd does without the word.
            var lines = await File.ReadAllLinesAsync(Path.Combine(Data, "env", $"{module}.env"));
            var variables = lines
                .Select(line => line.Replace("export ", "", StringComparison.Ordinal))
                .Where(line => line.StartsWith("EdgeHubConnectionString=", StringComparison.Ordinal))
                .Append("EdgeModuleCACertificateFile=/etc/edgedm/hub.pem")
                .Append($"EDGEDM_HUB_PORT={hub.Ports.Mqtt}");
            written[$"{module}.env"] = string.Join('\n', variables);
        }
        await Machine.RunAsync(
            "cd /etc/edgedm && sh -es && sync",
            string.Concat(written.Select(file => $"cat >{file.Key} <<'END'\n{file.Value}\nEND\n"))
        );
    }

    private static JsonObject HostAccessFile(int healthSeconds) =>
        new()
        {
            ["host"] = "linux",
            ["trustedRoots"] = new JsonArray("root.jwk.json"),
            ["verbs"] = new JsonObject
            {
                ["update"] = new JsonObject { ["enabled"] = true },
                ["reboot"] = new JsonObject { ["enabled"] = true },
                ["time"] = new JsonObject { ["enabled"] = true, ["maxStepDays"] = 36_500 },
            },
            ["callers"] = new JsonObject { ["verbs"] = new JsonArray(0, 13601), ["inventory"] = new JsonArray(13603) },
            ["updates"] = new JsonObject { ["handlers"] = new JsonArray("microsoft/script:1", "edgedm/rauc:1") },
            ["health"] = new JsonObject
            {
                ["deadlineSeconds"] = healthSeconds,
                ["stableSeconds"] = 1,
                ["requiredModules"] = new JsonArray("FirmwareDownload", "Telemetry"),
            },
        };
}
