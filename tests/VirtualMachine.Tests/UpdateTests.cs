using System.Diagnostics;
using EdgeDm.Contracts;

namespace EdgeDm.VirtualMachine.Tests;

/// <summary>A RAUC bundle with verity, from the desired property to the slot that GRUB starts.</summary>
public sealed class UpdateTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(15);

    [Fact]
    public async Task Bundle_ThatComesUpHealthy_IsCommittedAndItsSlotMarkedGood()
    {
        await using var gateway = await MachineGateway.StartAsync();
        var before = await gateway.BootIdAsync();
        (await gateway.BootedAsync()).ShouldBe(("A", "1.0.0"));

        await gateway.DeployAsync(MachineGateway.GoodBundle);
        var watch = Stopwatch.StartNew();

        var group = await gateway.WaitForEndAsync(Patience);
        UpdateTime.Write(watch.Elapsed);
        ((string?)group["__meta"]!["deploymentStatus"]).ShouldBe("succeeded", gateway.Output);
        (await gateway.BootIdAsync()).ShouldNotBe(before);
        (await gateway.BootedAsync()).ShouldBe(("B", "2.0.0"));
        // Good for the boot loader, which would leave it at the next start otherwise.
        var variables = await gateway.BootVariablesAsync();
        variables.ShouldBe(["ORDER=B A", "A_OK=1", "A_TRY=0", "B_OK=1", "B_TRY=0"], ignoreOrder: true);
        await gateway.ShouldHaveBeenToldOnceAsync(group, "succeeded", JobStatuses.Completed);
    }

    [Fact]
    public async Task Bundle_ThatDoesNotComeUpHealthy_IsRolledBackAndReportedOnce()
    {
        await using var gateway = await MachineGateway.StartAsync(healthSeconds: 90);

        await gateway.DeployAsync(MachineGateway.SickBundle);

        var group = await gateway.WaitForEndAsync(Patience);
        ((string?)group["__meta"]!["deploymentStatus"]).ShouldBe("failed", gateway.Output);
        var error = group["__errors"]!.AsObject().Single().Value!;
        ((string?)error["parameters"]!["name"]).ShouldBe("healthTimedOut", gateway.Output);
        ((string?)error["message"]).ShouldNotBeNull().ShouldContain("Telemetry");
        (await gateway.BootedAsync()).ShouldBe(("A", "1.0.0"));
        (await gateway.BootVariablesAsync()).ShouldContain("B_OK=0");
        await gateway.ShouldHaveBeenToldOnceAsync(group, "failed", JobStatuses.Failed);
    }
}
