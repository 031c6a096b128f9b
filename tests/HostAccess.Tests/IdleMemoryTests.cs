using EdgeDm.Contracts;
using EdgeDm.HostAccess.Tests.Support;

namespace EdgeDm.HostAccess.Tests;

/// <summary>What HostAccess keeps in memory while it waits for something to do.</summary>
public sealed class IdleMemoryTests
{
    private const string Library = "libcrypto";

    [Fact]
    public async Task Started_WithRoots_LoadsTheSystemsCryptographyOnlyForAnUpdate()
    {
        await using var gateway = await new TestGateway().StartProcessAsync();
        (await gateway.Inventory.GetAsync(HostApi.Inventory)).EnsureSuccessStatusCode();
        await gateway.GetAsync(HostApi.Root, ContractsJson.Default.HostAccessInfo);
        var waiting = await File.ReadAllTextAsync($"/proc/{gateway.ProcessId}/maps");

        await gateway.RunAsync(new TestUpdate().Firmware("2.0.0", reboot: false), HostUpdateState.Verifying);

        waiting.ShouldNotContain(Library);
        (await File.ReadAllTextAsync($"/proc/{gateway.ProcessId}/maps")).ShouldContain(Library);
    }
}
