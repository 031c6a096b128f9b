using System.Net;
using EdgeDm.Contracts;
using EdgeDm.HostAccess.Tests.Support;
using EdgeDm.Testing;

namespace EdgeDm.HostAccess.Tests.Updates;

/// <summary>On trial: committed by evidence, undone without.</summary>
public sealed class HealthTests
{
    [Fact]
    public async Task Verifying_NoEvidenceByTheDeadline_RollsBackToTheOldFirmware()
    {
        await using var gateway = await WithDeadline(1).StartAsync();
        var update = new TestUpdate().Firmware("2.0.0");
        await gateway.SubmitAsync(update.Submission());
        await gateway.RebootAsync();
        await gateway.RebootAsync(); // No evidence comes: back.
        var ended = await gateway.WaitAsync(update.CommandId);
        ended.State.ShouldBe(HostUpdateState.RolledBack);
        ended.Error!.Name.ShouldBe("healthTimedOut");
        ended.Error.Parameters["missing"].ShouldBe("recent evidence");
        ended.Steps[0].State.ShouldBe("restored");
        var inventory = await gateway.GetAsync(HostApi.Inventory, ContractsJson.Default.HostInventory);
        inventory.FirmwareVersion.ShouldBe("1.0.0");
        inventory.InstalledUpdates.ShouldBeEmpty();
    }

    [Fact]
    public async Task Verifying_IncompleteEvidence_RollsBackWithoutARebootWhatNeededNone()
    {
        var time = new FakeTimeProvider();
        await using var gateway = WithDeadline(1);
        gateway.Time = time;
        await gateway.StartAsync();
        var update = new TestUpdate().Firmware("2.0.0", reboot: false);
        await gateway.RunAsync(update, HostUpdateState.Verifying);
        (await gateway.BringEvidenceAsync(update.CommandId, complete: false)).Health.ShouldNotBeNull();
        time.Advance(TimeSpan.FromSeconds(1));
        var ended = await gateway.WaitAsync(update.CommandId);
        ended.State.ShouldBe(HostUpdateState.RolledBack);
        ended.Error!.Parameters["missing"].ShouldBe("module Telemetry");
    }

    [Fact]
    public async Task Verifying_OnlyAScriptAndNoEvidence_SaysThatNothingWasUndone()
    {
        await using var gateway = await WithDeadline(1).StartAsync();
        var ended = await gateway.RunAsync(new TestUpdate().Script(Scripts.Make()));
        ended.State.ShouldBe(HostUpdateState.Failed);
        ended.Error!.Name.ShouldBe("rollbackUnsupported");
        ended.Error.Parameters["cause"].ShouldBe("healthTimedOut");
        ended.Error.Parameters["notUndone"].ShouldBe("0");
    }

    [Fact]
    public async Task Evidence_OfAnotherInstance_IsRefused()
    {
        await using var gateway = await new TestGateway().StartAsync();
        var update = new TestUpdate().Firmware("2.0.0", reboot: false);
        await gateway.RunAsync(update, HostUpdateState.Verifying);
        var error = await gateway.RefusedAsync(
            HostApi.Evidence(update.CommandId),
            new("before-the-reboot", EdgeHubSession: true, ["Telemetry"]),
            ContractsJson.Default.HealthEvidence,
            HttpStatusCode.Conflict
        );
        error.Name.ShouldBe("evidenceOfOtherInstance");
        (await gateway.GetAsync(HostApi.Update(update.CommandId), ContractsJson.Default.UpdateStatus)).State.ShouldBe(
            HostUpdateState.Verifying
        );
    }

    [Fact]
    public async Task Verifying_HostAccessRestarted_WaitsForEvidenceAnew()
    {
        await using var gateway = await new TestGateway().StartAsync();
        var update = new TestUpdate().Firmware("2.0.0", reboot: false);
        await gateway.RunAsync(update, HostUpdateState.Verifying);
        await gateway.StopAsync();
        await gateway.StartAsync();
        await gateway.BringEvidenceAsync(update.CommandId);
        (await gateway.WaitAsync(update.CommandId)).State.ShouldBe(HostUpdateState.Committed);
    }

    [Fact]
    public async Task Boot_ImageDoesNotComeUp_TheBootLoaderFallsBackAndTheUpdateIsRolledBack()
    {
        await using var gateway = await new TestGateway().StartAsync();
        var update = new TestUpdate().Firmware("2.0.0", failAt: "boot");
        await gateway.SubmitAsync(update.Submission());
        await gateway.RebootAsync();
        var ended = await gateway.WaitAsync(update.CommandId);
        ended.State.ShouldBe(HostUpdateState.RolledBack);
        ended.Error!.Name.ShouldBe("stepFailed");
        (await FirmwareAsync(gateway)).ShouldBe("1.0.0");
    }

    [Fact]
    public async Task Install_FailsBehindAStagedImage_DiscardsItAndTheOldVersionRunsOn()
    {
        await using var gateway = await new TestGateway().StartAsync();
        var update = gateway.Store(
            new TestUpdate().Firmware("2.0.0", reboot: false).Script(Scripts.Make(install: "exit 1"))
        );
        await gateway.SubmitAsync(update.Submission());
        var ended = await gateway.WaitAsync(update.CommandId);
        ended.State.ShouldBe(HostUpdateState.RolledBack);
        ended.Error!.Parameters["notUndone"].ShouldBe("1");
        (await FirmwareAsync(gateway)).ShouldBe("1.0.0");
    }

    [Fact]
    public async Task Install_Fails_NothingWasSwitched()
    {
        await using var gateway = await new TestGateway().StartAsync();
        var ended = await gateway.RunAsync(new TestUpdate().Firmware("2.0.0", failAt: "install"));
        ended.State.ShouldBe(HostUpdateState.Failed);
        (await FirmwareAsync(gateway)).ShouldBe("1.0.0");
    }

    [Fact]
    public async Task Verifying_HostGoesDownAgainAndAgain_StopsAfterThreeBoots()
    {
        await using var gateway = await new TestGateway().StartAsync();
        var update = new TestUpdate().Firmware("2.0.0");
        await gateway.SubmitAsync(update.Submission());
        await gateway.RebootAsync();
        for (var boot = 1; boot < 3; boot++)
        {
            await gateway.WaitAsync(update.CommandId, HostUpdateState.Verifying);
            await gateway.PowerCycleAsync();
        }
        await gateway.WaitAsync(update.CommandId, HostUpdateState.Verifying);
        (await FirmwareAsync(gateway)).ShouldBe("2.0.0");
        await gateway.PowerCycleAsync();
        var ended = await gateway.WaitAsync(update.CommandId);
        ended.State.ShouldBe(HostUpdateState.RolledBack);
        (await FirmwareAsync(gateway)).ShouldBe("1.0.0");
    }

    [Fact]
    public async Task Committed_PowerCutsAfterwards_NothingIsRolledBack()
    {
        var time = new FakeTimeProvider();
        await using var gateway = await new TestGateway { Time = time }.StartAsync();
        var update = new TestUpdate().Firmware("2.0.0", reboot: false);
        await gateway.RunAsync(update, HostUpdateState.Verifying);
        await gateway.BringEvidenceAsync(update.CommandId);
        await gateway.WaitAsync(update.CommandId, HostUpdateState.Committed);
        for (var boot = 0; boot < 4; boot++)
        {
            time.Advance(TimeSpan.FromMinutes(2)); // Behind any deadline.
            await gateway.PowerCycleAsync();
        }
        (await FirmwareAsync(gateway)).ShouldBe("2.0.0");
        (await gateway.WaitAsync(update.CommandId)).State.ShouldBe(HostUpdateState.Committed);
    }

    private static TestGateway WithDeadline(int seconds)
    {
        var gateway = new TestGateway();
        gateway.Configuration["health"]!["deadlineSeconds"] = seconds;
        return gateway;
    }

    private static async Task<string> FirmwareAsync(TestGateway gateway) =>
        (await gateway.GetAsync(HostApi.Inventory, ContractsJson.Default.HostInventory)).FirmwareVersion;
}
