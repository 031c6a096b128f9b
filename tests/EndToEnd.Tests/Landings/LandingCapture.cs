using System.Text.Json.Nodes;
using EdgeDm.Testing;

namespace EdgeDm.EndToEnd.Tests.Landings;

/// <summary>
/// Captures the state of the programs that are built now, to be kept for the tests of all later versions. Run by
/// <c>scripts/capture-state</c>, never with the other tests.
/// </summary>
public sealed class LandingCapture
{
    private const int PackageBytes = 8_000;
    private const int BrokenAfter = 3_000;

    /// <summary>Installs once a file <c>go</c> is there.</summary>
    private static readonly string WaitingScript = UpdatePublisher.GoodScript.Replace(
        "install) mkdir",
        "install) while [ ! -e \"$root/go\" ]; do sleep 0.1; done; mkdir",
        StringComparison.Ordinal
    );

    /// <summary>Fails once a file <c>go</c> is there.</summary>
    private static readonly string WaitingToFailScript = UpdatePublisher.GoodScript.Replace(
        "install) mkdir",
        "install) while [ ! -e \"$root/go\" ]; do sleep 0.1; done; exit 7; mkdir",
        StringComparison.Ordinal
    );

    [Fact(Explicit = true)]
    public async Task Capture_EachCase_IsKeptAsFiles()
    {
        var version = Environment.GetEnvironmentVariable("EDGEDM_LANDING");
        version.ShouldNotBeNullOrEmpty("EDGEDM_LANDING names the landing, for example 0.2.0.");
        var home = Path.Combine(Environment.GetEnvironmentVariable("EDGEDM_LANDINGS") ?? Landing.Home, version);
        Directory.Exists(home).ShouldBeFalse($"'{home}' is there; what was captured once is never captured anew.");

        await CaptureIdleAsync(new(Path.Combine(home, Landing.Idle)));
        await CaptureDownloadingAsync(new(Path.Combine(home, Landing.Downloading)));
        await CaptureInstallingAsync(new(Path.Combine(home, Landing.Installing)));
        await CaptureOnTrialAsync(new(Path.Combine(home, Landing.OnTrial)));
        await CaptureOfflineAsync(new(Path.Combine(home, Landing.Offline)));
        await CaptureExchangesAsync(Path.Combine(home, HostExchanges.FolderName));
    }

    private static async Task CaptureIdleAsync(Landing landing)
    {
        await using var gateway = await Gateway.StartAsync();
        var group = await DeployAsync(gateway, UpdatePublisher.GoodScript);
        await gateway.Service.WaitForEndAsync("w1");
        await WaitUntilSentAsync(gateway);
        landing.Capture(gateway, group);
    }

    private static async Task CaptureDownloadingAsync(Landing landing)
    {
        await using var gateway = await Gateway.StartAsync();
        gateway.Files.BreakAfter("/firmware.bin", BrokenAfter);
        var group = await DeployAsync(gateway, UpdatePublisher.GoodScript);
        var parts = Path.Combine(gateway.DataFolder, "volumes", "edgedm-store", "partial");
        await HubService.WaitAsync(() =>
            Task.FromResult(
                gateway.Files.Requests.Count(r => r == "/firmware.bin") > 1
                    ? Directory.EnumerateFiles(parts, "*.json").FirstOrDefault()
                    : null
            )
        );
        landing.Capture(gateway, group);
    }

    private static async Task CaptureInstallingAsync(Landing landing)
    {
        await using var gateway = await Gateway.StartAsync();
        var group = await DeployAsync(gateway, WaitingScript);
        await WaitForUnitAsync(gateway);
        landing.Capture(gateway, group);
        await LetGoAsync(gateway);
    }

    private static async Task CaptureOnTrialAsync(Landing landing)
    {
        await using var gateway = await Gateway.StartAsync(gateway =>
        {
            var file = Path.Combine(gateway.ConfigurationFolder, "host-access.json");
            var configuration = JsonNode.Parse(File.ReadAllText(file))!;
            configuration["health"]!["requiredModules"]!.AsArray().Add("NeverAnswers");
            File.WriteAllText(file, configuration.ToJsonString());
        });
        var group = await DeployAsync(gateway, UpdatePublisher.GoodScript);
        var updates = Path.Combine(gateway.DataFolder, "volumes", "edgedm-host-access", "updates");
        await HubService.WaitAsync(() =>
            Task.FromResult(
                Directory.Exists(updates)
                    ? Directory
                        .EnumerateFiles(updates, "*.json")
                        .Select(f => JsonNode.Parse(File.ReadAllText(f))!["value"]!)
                        // What is missing is told once the other modules have answered: all of them are up again.
                        .FirstOrDefault(r => r["healthMissing"]?.ToJsonString() == """["module NeverAnswers"]""")
                    : null
            )
        );
        await gateway.Service.WaitForReportedAsync(r => (string?)r["firmwareUpdate"]?["step"] == "verify");
        landing.Capture(gateway, group);
    }

    private static async Task CaptureOfflineAsync(Landing landing)
    {
        await using var gateway = await Gateway.StartAsync(
            Gateway.Modules.SelectMany(m => new[] { "--except", m }).ToArray()
        );
        using var modules = await gateway.StartModulesAsync();
        var group = await DeployAsync(gateway, WaitingToFailScript);
        await WaitForUnitAsync(gateway);
        await gateway.StopHubAsync(kill: true);
        await LetGoAsync(gateway);
        var outbox = Path.Combine(gateway.DataFolder, "volumes", "edgedm-device-management", "hub", "outbox");
        await HubService.WaitAsync(() =>
            Task.FromResult(
                Directory
                    .EnumerateFiles(outbox, "*.json")
                    .FirstOrDefault(f => File.ReadAllText(f).Contains("\"failed\"", StringComparison.Ordinal))
            )
        );
        await modules.WaitForLineAsync("DeviceManagement", "failed");
        landing.Capture(gateway, group);
    }

    private static async Task CaptureExchangesAsync(string folder)
    {
        await using var gateway = await Gateway.StartAsync("--except", "DeviceManagement");
        await using var recorder = await HostExchanges.RecordAsync(gateway);
        using var module = await recorder.StartDeviceManagementAsync();
        var group = await DeployAsync(gateway, UpdatePublisher.GoodScript);
        await gateway.Service.WaitForEndAsync("w1");
        var (status, _) = await gateway.Service.CallAsync("StartRebootCmd", new JsonObject { ["commandId"] = "r1" });
        status.ShouldBe(200);
        await recorder.WaitForAsync("/v1/reboot/r1", "\"completed\"");
        await recorder.AskAsync("/v1");
        recorder.Save(folder, group);
    }

    private static async Task<JsonObject> DeployAsync(Gateway gateway, string script)
    {
        var group = gateway.Publisher.Publish(
            gateway.FilesFolder,
            gateway.Files.Url,
            "2.0.0",
            script,
            "w1",
            PackageBytes
        );
        Landing.Date(gateway.FilesFolder);
        await gateway.Service.DesireAsync(new() { ["firmwareUpdate"] = group });
        return group;
    }

    private static Task<string> WaitForUnitAsync(Gateway gateway)
    {
        var units = Path.Combine(gateway.DataFolder, "simulated-host", "units");
        return HubService.WaitAsync(() =>
            Task.FromResult(
                Directory.Exists(units)
                    ? Directory
                        .EnumerateFiles(units, "program.json", SearchOption.AllDirectories)
                        .FirstOrDefault(f => f.Contains("-install/", StringComparison.Ordinal))
                    : null
            )
        );
    }

    private static async Task LetGoAsync(Gateway gateway) =>
        await File.WriteAllTextAsync(Path.Combine(gateway.SimulatedHost, "root", "go"), "");

    private static Task<string> WaitUntilSentAsync(Gateway gateway)
    {
        var outbox = Path.Combine(gateway.DataFolder, "volumes", "edgedm-device-management", "hub", "outbox");
        return HubService.WaitAsync(() => Task.FromResult(Directory.EnumerateFiles(outbox).Any() ? null : outbox));
    }
}
