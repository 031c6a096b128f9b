using EdgeDm.EndToEnd.Tests;
using EdgeDm.Testing;

namespace EdgeDm.Containers.Tests;

/// <summary>Modules beside a container that plays their host: nothing outlives a host.</summary>
public sealed class HostMachineTests
{
    [Fact]
    public async Task Reboot_OfTheHostsContainer_TakesEveryModuleWithItAndBringsThemBack()
    {
        await using var gateway = await ContainerGateway.StartAsync(hasHost: true);
        await gateway.Service.WaitForReportedAsync(reported => reported["device"] is not null);
        var before = await gateway.IdsAsync();

        await gateway.Host!.RebootAsync();

        await HubService.WaitAsync(async () =>
        {
            var running = await gateway.RunningAsync();
            return
                running.Count == ContainerGateway.Modules.Count
                && !(await gateway.IdsAsync()).Intersect(before, StringComparer.Ordinal).Any()
                ? running
                : null;
        });
        gateway.Output.ShouldContain("The host has died: kills every module");
        await gateway.Host.WaitUntilUpAsync();
        await gateway.DeployAsync("2.0.0", "w1", UpdatePublisher.GoodScript);
        var group = await gateway.Service.WaitForEndAsync("w1", TimeSpan.FromMinutes(3));
        ((string?)group["__meta"]!["deploymentStatus"]).ShouldBe("succeeded", gateway.Output);
    }
}
