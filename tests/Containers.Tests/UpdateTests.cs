using EdgeDm.EndToEnd.Tests;
using EdgeDm.Testing;

namespace EdgeDm.Containers.Tests;

/// <summary>One update through four real containers, undisturbed and disturbed.</summary>
public sealed class UpdateTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    // Waits in its install action until the test lets it go on.
    private static readonly string WaitingScript = UpdatePublisher.GoodScript.Replace(
        "install) mkdir",
        """install) mkdir -p "$root"; echo >"$root/installing"; while [ ! -e "$root/go" ]; do sleep 0.1; done; mkdir""",
        StringComparison.Ordinal
    );

    private ContainerGateway gateway = null!;

    public async ValueTask InitializeAsync() => gateway = await ContainerGateway.StartAsync();

    public ValueTask DisposeAsync() => gateway.DisposeAsync();

    [Fact]
    public async Task Deploy_SignedUpdate_RunsThroughTheRebootAndIsReported()
    {
        await gateway.DeployAsync("2.0.0", "w1", UpdatePublisher.GoodScript);

        await ShouldSucceedAsync("w1");
        gateway.Files.Requests.Count(request => request == "/firmware.bin").ShouldBe(1);
    }

    [Fact]
    public async Task Kill_OfHostAccessWhileItCopies_IsMadeGood()
    {
        gateway.FreezeHostAccessAt("host.staging.before", 3);
        await gateway.DeployAsync("2.0.0", "w1", UpdatePublisher.GoodScript);
        await gateway.WaitUntilFrozenAsync();

        await DockerCli.RunAsync("kill", gateway.Container("HostAccess"));

        await ShouldSucceedAsync("w1");
    }

    [Fact]
    public async Task Kill_OfDeviceManagementWhileTheScriptInstalls_IsMadeGood()
    {
        await gateway.DeployAsync("2.0.0", "w1", WaitingScript);
        await gateway.WaitForFileAsync("installing");

        await DockerCli.RunAsync("kill", gateway.Container("DeviceManagement"));
        gateway.WriteFile("go");

        await ShouldSucceedAsync("w1");
    }

    [Fact]
    public async Task Recreation_OfDeviceManagementWhileTheScriptInstalls_IsMadeGood()
    {
        await gateway.DeployAsync("2.0.0", "w1", WaitingScript);
        await gateway.WaitForFileAsync("installing");

        await gateway.RecreateAsync("DeviceManagement");
        gateway.WriteFile("go");

        await ShouldSucceedAsync("w1");
    }

    [Fact]
    public async Task Recreation_OfHostAccessWhileTheScriptInstalls_EndsItOnceAndSaysSo()
    {
        // The simulated host's services live in HostAccess's container and die with it, in the middle of what they do.
        await gateway.DeployAsync("2.0.0", "w1", WaitingScript);
        await gateway.WaitForFileAsync("installing");

        await gateway.RecreateAsync("HostAccess", "DeviceManagement");
        gateway.WriteFile("go");

        var group = await gateway.Service.WaitForEndAsync("w1", Patience);
        ((string?)group["__meta"]!["deploymentStatus"]).ShouldBe("failed", gateway.Output);
        var error = group["__errors"]!.AsObject().Single().Value!;
        ((string?)error["parameters"]!["name"]).ShouldBe("stepInterrupted", gateway.Output);
        File.Exists(Path.Combine(gateway.HostRoot, "count")).ShouldBeFalse();
    }

    [Fact]
    public async Task Network_CutInTheDownloadAndRestored_IsMadeGood()
    {
        gateway.Files.BreakAfter("/firmware.bin", 2_000_000);
        await gateway.DeployAsync("2.0.0", "w1", UpdatePublisher.GoodScript);
        // The rest is asked for.
        await HubService.WaitAsync(() =>
            Task.FromResult(gateway.Files.Requests.Count(request => request == "/firmware.bin") == 2 ? "" : null)
        );

        string[] cut = ["DeviceManagement", "FirmwareDownload", "Telemetry"];
        foreach (var module in cut)
        {
            await DockerCli.RunAsync("network", "disconnect", gateway.Name, gateway.Container(module));
        }
        gateway.Files.Mend("/firmware.bin");
        foreach (var module in cut)
        {
            await DockerCli.RunAsync("network", "connect", gateway.Name, gateway.Container(module));
        }

        await ShouldSucceedAsync("w1");
    }

    [Fact]
    public async Task Stop_OfTheHub_LeavesNoContainerAndNoNetwork()
    {
        await gateway.StopHubAsync();

        (await DockerCli.ListAsync("container", $"net.edgedm.devhub={gateway.Name}")).ShouldBeEmpty();
        (await DockerCli.ListAsync("network", $"net.edgedm.devhub={gateway.Name}")).ShouldBeEmpty();
    }

    [Fact]
    public async Task Start_AfterAKillOfTheHub_ReplacesTheContainersAndKeepsTheVolumes()
    {
        await gateway.DeployAsync("2.0.0", "w1", UpdatePublisher.GoodScript);
        await ShouldSucceedAsync("w1");
        var before = await DockerCli.ListAsync("container", $"net.edgedm.devhub={gateway.Name}");

        await gateway.StopHubAsync(kill: true);
        await gateway.StartHubAsync();

        var after = await DockerCli.ListAsync("container", $"net.edgedm.devhub={gateway.Name}");
        before.Length.ShouldBe(4);
        after.Length.ShouldBe(4);
        after.ShouldNotContain(container => before.Contains(container));
        await ShouldSucceedAsync("w1");
    }

    private async Task ShouldSucceedAsync(string workflow)
    {
        var group = await gateway.Service.WaitForEndAsync(workflow, Patience);
        ((string?)group["__meta"]!["deploymentStatus"]).ShouldBe("succeeded", gateway.Output);
        ((string?)group["installedUpdateId"]).ShouldBe(
            """{"provider":"Contoso","name":"Gateway","version":"2.0.0"}""",
            gateway.Output
        );
        // The script ran once.
        (await File.ReadAllLinesAsync(Path.Combine(gateway.HostRoot, "count"))).ShouldBe(["installed"]);
    }
}
