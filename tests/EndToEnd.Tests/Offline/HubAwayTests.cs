using System.Text.Json.Nodes;
using EdgeDm.EndToEnd.Tests.Kills;
using EdgeDm.Testing;

namespace EdgeDm.EndToEnd.Tests.Offline;

/// <summary>The hub is killed when the download has just ended; the modules are on their own.</summary>
public sealed class HubAwayTests : IDisposable
{
    private readonly DirectoryInfo outside = Directory.CreateTempSubdirectory("away");

    private (int Mqtt, int Https) ports;

    private string Record => Path.Combine(outside.FullName, "record.jsonl");

    private string Go => Path.Combine(outside.FullName, "go");

    public void Dispose() => outside.Delete(recursive: true);

    [Fact]
    public async Task Update_FailsWhileTheHubIsAway_IsReportedOnceAfterwards()
    {
        await using var gateway = await StartAsync();
        using var modules = await gateway.StartModulesAsync();
        var job = await InstallWithoutHubAsync(gateway, "exit 7");

        await gateway.WaitForRecordAsync(job, r => (string?)r["status"] == "failed");
        await BackAsync(gateway, job, "failed");

        var group = await gateway.Service.WaitForEndAsync("w1");
        ((string?)group["__errors"]!.AsObject().Single().Value!["parameters"]!["name"]).ShouldBe(
            "stepFailed",
            modules.Output
        );
        await ShouldBeToldOnceAsync(job, "failed", "failed");
    }

    [Fact]
    public async Task Update_NoHubWithinTheHealthGatesTime_IsRolledBackAndReportedOnceAfterwards()
    {
        await using var gateway = await StartAsync(healthSeconds: 3);
        using var modules = await gateway.StartModulesAsync();
        var job = await InstallWithoutHubAsync(gateway, ":");

        await gateway.WaitForRecordAsync(job, r => (string?)r["status"] == "failed");
        await BackAsync(gateway, job, "failed");

        await gateway.Service.WaitForEndAsync("w1");
        await ShouldBeToldOnceAsync(job, "failed", "failed");
    }

    [Fact]
    public async Task Update_HubComesBackWithinTheHealthGatesTime_IsCommittedAndReportedOnce()
    {
        await using var gateway = await StartAsync();
        using var modules = await gateway.StartModulesAsync();
        var job = await InstallWithoutHubAsync(gateway, ":");

        await gateway.WaitForStepAsync(job, "verify");
        await BackAsync(gateway, job, "completed");

        var group = await gateway.Service.WaitForEndAsync("w1");
        ((string?)group["__meta"]!["deploymentStatus"]).ShouldBe("succeeded", modules.Output);
        File.ReadAllLines(Path.Combine(gateway.SimulatedHost, "root", "count")).ShouldBe(["installed"]);
        await ShouldBeToldOnceAsync(job, "completed", "succeeded");
    }

    private Task<Gateway> StartAsync(int healthSeconds = 60) =>
        Gateway.StartAsync(
            gateway =>
            {
                var file = Path.Combine(gateway.ConfigurationFolder, "host-access.json");
                var configuration = JsonNode.Parse(File.ReadAllText(file))!;
                configuration["health"]!["deadlineSeconds"] = healthSeconds;
                File.WriteAllText(file, configuration.ToJsonString());
            },
            [.. Gateway.Modules.SelectMany(m => new[] { "--except", m }), "--record", Record]
        );

    /// <summary>Deploys, kills the hub as soon as nothing more is to be downloaded, and lets the script go on.</summary>
    private async Task<string> InstallWithoutHubAsync(Gateway gateway, string then)
    {
        var script = UpdatePublisher.GoodScript.Replace(
            "install) mkdir",
            $"install) while [ ! -e '{Go}' ]; do sleep 0.1; done; {then}; mkdir",
            StringComparison.Ordinal
        );
        var group = gateway.Publisher.Publish(
            gateway.FilesFolder,
            gateway.Files.Url,
            "2.0.0",
            script,
            "w1",
            reboot: false
        );
        await gateway.Service.DesireAsync(new() { ["firmwareUpdate"] = group });
        var job = await gateway.WaitForJobAsync();
        await gateway.WaitForStepAsync(job, "install");
        ports = gateway.Ports;
        await gateway.StopHubAsync(kill: true);
        await File.WriteAllTextAsync(Go, "");
        return job;
    }

    /// <summary>The hub again, with the ports that the modules know.</summary>
    private async Task BackAsync(Gateway gateway, string job, string end)
    {
        await gateway.StartHubAsync(ports.Mqtt, ports.Https);
        await gateway.WaitForRecordAsync(job, r => (string?)r["toldStatus"] == end);
    }

    private async Task ShouldBeToldOnceAsync(string job, string status, string deployment)
    {
        var cloud = new CloudRecord(Record);
        await HubService.WaitAsync(() =>
            Task.FromResult(cloud.EventsOf(job).Any(e => e.Status == status) ? cloud : null)
        );
        cloud.EndsOf("w1").ShouldBe([deployment]);
        cloud.EventsOf(job).Where(e => e.Status == status).ShouldBe([(status, $"{job}-{status}")]);
    }
}
