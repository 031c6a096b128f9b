using EdgeDm.Contracts;
using EdgeDm.HostAccess.Tests.Support;

namespace EdgeDm.HostAccess.Tests.Updates;

public sealed class HappyPathTests
{
    [Fact]
    public async Task Submit_ScriptAndFirmware_RebootsAndCommitsOnEvidence()
    {
        await using var gateway = new TestGateway();
        await gateway.StartProcessAsync();
        var before = await gateway.GetAsync(HostApi.Inventory, ContractsJson.Default.HostInventory);
        before.FirmwareVersion.ShouldBe("1.0.0");
        var update = gateway.Store(
            new TestUpdate()
                .Script(
                    Scripts.Make(install: "cp \"$work/app\" \"$EDGEDM_SIMULATED_ROOT/app\""),
                    null,
                    ("app", "new app")
                )
                .Firmware("2.0.0")
        );

        await gateway.SubmitAsync(update.Submission());
        (await gateway.EndAsync()).ShouldBe(129);

        await gateway.StartProcessAsync();
        var verifying = await gateway.WaitAsync(update.CommandId, HostUpdateState.Verifying);
        verifying.HostInstanceId.ShouldNotBe(before.HostInstanceId);
        verifying.Health!.Missing.ShouldNotBeEmpty();
        await gateway.BringEvidenceAsync(update.CommandId);

        var ended = await gateway.WaitAsync(update.CommandId);
        ended.State.ShouldBe(HostUpdateState.Committed, ended.Error?.Message);
        ended.Percent.ShouldBe(100);
        ended.Steps.Select(step => (step.State, step.ResultCode)).ShouldBe([("succeeded", 700), ("succeeded", 705)]);
        gateway.Calls.ShouldBe(["is-installed", "download", "install", "apply"]);
        File.ReadAllText(Path.Combine(gateway.HostRoot, "app")).ShouldBe("new app");
        var after = await gateway.GetAsync(HostApi.Inventory, ContractsJson.Default.HostInventory);
        after.FirmwareVersion.ShouldBe("2.0.0");
        after.InstalledUpdates.ShouldBe([update.UpdateIdJson]);
    }
}
