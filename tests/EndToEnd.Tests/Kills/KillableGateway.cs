using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeDm.Contracts;
using EdgeDm.Durable;

namespace EdgeDm.EndToEnd.Tests.Kills;

/// <summary>
/// A gateway whose processes can be killed at chosen moments, and two witnesses outside its state: what was installed, and what the
/// cloud was told.
/// </summary>
internal sealed class KillableGateway : IAsyncDisposable
{
    /// <summary>Several checkpoints within the payload of <see cref="UpdatePublisher"/>.</summary>
    private const int CheckpointBytes = 1_048_576;

    private readonly DirectoryInfo outside;

    private KillableGateway(Gateway gateway, DirectoryInfo outside)
    {
        Gateway = gateway;
        this.outside = outside;
        Cloud = new(RecordOf(outside));
    }

    public Gateway Gateway { get; }

    public CloudRecord Cloud { get; }

    /// <summary>A line for each run of an install script: its version.</summary>
    public string[] Installs => File.Exists(InstallsOf(outside)) ? File.ReadAllLines(InstallsOf(outside)) : [];

    public static async Task<KillableGateway> StartAsync()
    {
        var witnesses = Directory.CreateTempSubdirectory("kills");
        var options = new List<string> { "--record", RecordOf(witnesses) };
        foreach (var module in Gateway.Modules)
        {
            witnesses.CreateSubdirectory(module);
            options.AddRange(["--set-env", $"{module}:{FailpointFolder.Variable}={FailpointsOf(witnesses, module)}"]);
        }
        options.AddRange(["--set-env", $"FirmwareDownload:EDGEDM_DOWNLOAD_CHECKPOINT_BYTES={CheckpointBytes}"]);
        options.AddRange(["--set-env", "DeviceManagement:EDGEDM_DOWNLOAD_REPEAT_SECONDS=5"]); // Instead of a minute for what a kill has lost.
        return new(await Gateway.StartAsync([.. options]), witnesses);
    }

    /// <summary>How often a module passed a failpoint.</summary>
    public long Passages(string module, string point) => FailpointFolder.Count(FailpointsOf(outside, module), point);

    public void Arm(string module, string point, int passage) =>
        FailpointFolder.Arm(FailpointsOf(outside, module), point, passage);

    public bool HasFired(string module) => FailpointFolder.HasFired(FailpointsOf(outside, module));

    /// <summary>Puts an update whose script tells the witness on the file server; returns the group to desire.</summary>
    public JsonObject Publish(string version, string workflow) =>
        Gateway.Publisher.Publish(
            Gateway.FilesFolder,
            Gateway.Files.Url,
            version,
            UpdatePublisher.GoodScript.Replace(
                "echo installed >>\"$root/count\"",
                $"echo {version} >>'{InstallsOf(outside)}'",
                StringComparison.Ordinal
            ),
            workflow
        );

    /// <summary>Sends Telemetry a list of what to observe, as DeviceManagement would.</summary>
    public Task ObserveAsync(string messageId, Observations list) =>
        Gateway.Service.SendToInputAsync(
            "Telemetry",
            Routes.Observations,
            Schemas.Observations,
            messageId,
            JsonSerializer.Serialize(list, ContractsJson.Default.Observations)
        );

    /// <summary>SIGKILL to a module, or to the hub and all modules; the hub is started again then.</summary>
    public async Task KillAsync(string victims)
    {
        var status = await Gateway.Service.StatusAsync();
        var ids = status["modules"]!
            .AsArray()
            .Where(m => victims == KillCase.Everything || (string?)m!["moduleId"] == victims)
            .Select(m => (int?)m!["processId"])
            .OfType<int>()
            .ToList();
        if (victims != KillCase.Everything)
        {
            ids.ForEach(Kill);
            return;
        }
        var ports = Gateway.Ports;
        await Gateway.StopHubAsync(kill: true); // First, or it would start the modules again.
        ids.ForEach(Kill);
        await Gateway.StartHubAsync(ports.Mqtt, ports.Https);
    }

    public async ValueTask DisposeAsync()
    {
        await Gateway.DisposeAsync();
        outside.Delete(recursive: true);
    }

    private static void Kill(int id)
    {
        try
        {
            using var process = Process.GetProcessById(id);
            process.Kill();
        }
        catch (ArgumentException)
        {
            // It was between two lives.
        }
    }

    private static string RecordOf(DirectoryInfo outside) => Path.Combine(outside.FullName, "record.jsonl");

    private static string InstallsOf(DirectoryInfo outside) => Path.Combine(outside.FullName, "installs");

    private static string FailpointsOf(DirectoryInfo outside, string module) => Path.Combine(outside.FullName, module);
}
