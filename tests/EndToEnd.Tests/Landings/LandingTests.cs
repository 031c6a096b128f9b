using System.Text.Json.Nodes;
using EdgeDm.Testing;

namespace EdgeDm.EndToEnd.Tests.Landings;

/// <summary>The newest programs on the disks of a gateway that ran an earlier landing.</summary>
public sealed class LandingTests
{
    private const string Installed = """{"provider":"Contoso","name":"Gateway","version":"2.0.0"}""";

    public static TheoryData<string> Versions => [.. Landing.Versions];

    [Fact]
    public void Landings_AllCases_AreKept()
    {
        Landing.Versions.ShouldContain("0.1.0");
        foreach (var version in Landing.Versions)
        {
            Directory
                .EnumerateDirectories(Path.Combine(Landing.Home, version))
                .Select(Path.GetFileName)
                .ShouldBe([.. Landing.Cases, HostExchanges.FolderName], ignoreOrder: true);
        }
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Idle_TheSameGroup_IsKnownAsDone(string version)
    {
        var landing = Landing.Of(version, Landing.Idle);
        await using var gateway = await Gateway.StartAsync(landing.Restore);

        var group = await EndAsync(gateway, landing);

        ((string?)group["__meta"]!["deploymentStatus"]).ShouldBe("succeeded", gateway.Output);
        ((string?)group["installedUpdateId"]).ShouldBe(Installed);
        ((string?)group["jobId"]).ShouldBe(JobOf(gateway));
        ((int?)group["lastInstallResult"]!["resultCode"]).ShouldBe(700);
        gateway.Files.Requests.ShouldBeEmpty();
        (await EndsToldAsync(gateway)).ShouldBeEmpty(); // Told in its time.
        ShouldHaveReadAll(gateway);
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Downloading_GoesOnWhereItWas_AndIsInstalledOnce(string version)
    {
        var landing = Landing.Of(version, Landing.Downloading);
        await using var gateway = await Gateway.StartAsync(landing.Restore);

        var group = await EndAsync(gateway, landing);

        await ShouldHaveCommittedAsync(gateway, group);
        ((long?)group["bytes"]!["fetched"]).ShouldBe(8_000 + InstallScriptBytes(gateway), gateway.Output);
        ShouldHaveReadAll(gateway);
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Installing_TheHostWentDown_EndsAsInterruptedAndIsNotDoneAgain(string version)
    {
        var landing = Landing.Of(version, Landing.Installing);
        await using var gateway = await Gateway.StartAsync(landing.Restore);

        var group = await EndAsync(gateway, landing);

        ((string?)group["__meta"]!["deploymentStatus"]).ShouldBe("failed", gateway.Output);
        var error = group["__errors"]!.AsObject().Single().Value!;
        ((string?)error["parameters"]!["name"]).ShouldBe("stepInterrupted");
        File.Exists(Path.Combine(gateway.SimulatedHost, "root", "count")).ShouldBeFalse();
        (await EndsToldAsync(gateway)).ShouldBe([$"{JobOf(gateway)}-failed"]);
        ShouldHaveReadAll(gateway);
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task OnTrial_IsFoundHealthy_AndCommittedOnce(string version)
    {
        var landing = Landing.Of(version, Landing.OnTrial);
        await using var gateway = await Gateway.StartAsync(landing.Restore);

        var group = await EndAsync(gateway, landing);

        await ShouldHaveCommittedAsync(gateway, group);
        ShouldHaveReadAll(gateway);
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Offline_WhatWaited_IsToldOnceWithItsId(string version)
    {
        var landing = Landing.Of(version, Landing.Offline);
        await using var gateway = await Gateway.StartAsync(landing.Restore);

        var group = await EndAsync(gateway, landing);

        ((string?)group["__meta"]!["deploymentStatus"]).ShouldBe("failed", gateway.Output);
        (await EndsToldAsync(gateway)).ShouldBe([$"{JobOf(gateway)}-failed"]);
        ShouldHaveReadAll(gateway);
    }

    /// <summary>Deploys the group again, as the cloud that still wants it does, and returns how it ended.</summary>
    private static async Task<JsonObject> EndAsync(Gateway gateway, Landing landing)
    {
        await gateway.Service.DesireAsync(new() { ["firmwareUpdate"] = landing.GroupServedBy(gateway.Files) });
        return await gateway.Service.WaitForEndAsync("w1");
    }

    private static async Task ShouldHaveCommittedAsync(Gateway gateway, JsonObject group)
    {
        ((string?)group["__meta"]!["deploymentStatus"]).ShouldBe("succeeded", gateway.Output);
        ((string?)group["installedUpdateId"]).ShouldBe(Installed);
        ((string?)group["jobId"]).ShouldBe(JobOf(gateway));
        File.ReadAllLines(Path.Combine(gateway.SimulatedHost, "root", "count")).ShouldBe(["installed"]);
        (await EndsToldAsync(gateway)).ShouldBe([$"{JobOf(gateway)}-completed"]);
    }

    /// <summary>Ids of the messages that told how a job ended, once all that waits has been sent.</summary>
    private static async Task<IEnumerable<string?>> EndsToldAsync(Gateway gateway)
    {
        var outbox = Path.Combine(DeviceManagement(gateway), "hub", "outbox");
        await HubService.WaitAsync(() =>
            Task.FromResult(Directory.EnumerateFiles(outbox, "*.json").Any() ? null : outbox)
        );
        return (await gateway.Service.UpstreamAsync())
            .Where(m => (string?)m!["body"]?["status"] is "completed" or "failed" or "cancelled")
            .Select(m => (string?)m!["systemProperties"]!["messageId"]);
    }

    /// <summary>Nothing was set aside, and there is still the one job that was there.</summary>
    private static void ShouldHaveReadAll(Gateway gateway)
    {
        Directory
            .EnumerateFiles(gateway.DataFolder, "*", SearchOption.AllDirectories)
            .Where(f =>
                f.Contains(".damaged", StringComparison.Ordinal) || f.EndsWith(".refused", StringComparison.Ordinal)
            )
            .ShouldBeEmpty(gateway.Output);
        gateway.Output.ShouldNotContain("set aside");
    }

    private static string JobOf(Gateway gateway) =>
        Path.GetFileNameWithoutExtension(
            Directory.EnumerateFiles(Path.Combine(DeviceManagement(gateway), "jobs"), "*.json").ShouldHaveSingleItem()
        );

    private static string DeviceManagement(Gateway gateway) =>
        Path.Combine(gateway.DataFolder, "volumes", "edgedm-device-management");

    private static long InstallScriptBytes(Gateway gateway) =>
        new FileInfo(Path.Combine(gateway.FilesFolder, "install.sh")).Length;
}
