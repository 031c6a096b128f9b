using System.Net;
using System.Text.Json.Nodes;
using EdgeDm.Contracts;
using EdgeDm.HostAccess.Tests.Support;

namespace EdgeDm.HostAccess.Tests.Updates;

/// <summary>Command ids, versions and the order of updates.</summary>
public sealed class SubmissionTests
{
    [Fact]
    public async Task Submit_SameCommandTwice_ActsOnce()
    {
        await using var gateway = await new TestGateway().StartAsync();
        var submission = await CommitAsync(gateway, new TestUpdate().Script(Scripts.Make()));
        (await gateway.SubmitAsync(submission)).State.ShouldBe(HostUpdateState.Committed);
        await gateway.StopAsync();
        await gateway.StartAsync();
        (await gateway.SubmitAsync(submission)).State.ShouldBe(HostUpdateState.Committed);
        gateway.Calls.Count(call => call == "install").ShouldBe(1);
    }

    [Fact]
    public async Task Submit_SameCommandOtherContent_IsAConflict()
    {
        await using var gateway = await new TestGateway().StartAsync();
        await CommitAsync(gateway, new TestUpdate().Firmware("2.0.0", reboot: false));
        var other = new TestUpdate { Version = "3.0.0" }.Firmware("3.0.0", reboot: false);
        (await gateway.RefusedAsync(other.Submission(), HttpStatusCode.Conflict)).Name.ShouldBe("commandConflict");
    }

    [Fact]
    public async Task Submit_NotNewerThanInstalled_IsRefused()
    {
        await using var gateway = await new TestGateway().StartAsync();
        await CommitAsync(gateway, new TestUpdate { Version = "2.10" }.Firmware("2.10", reboot: false));
        foreach (var version in new[] { "2.9", "2.10", "2.10.0" })
        {
            var older = new TestUpdate { CommandId = "again", Version = version }.Firmware(version, reboot: false);
            var error = await gateway.RefusedAsync(older.Submission());
            error.Name.ShouldBe("notNewer");
            error.Parameters["installed"].ShouldBe("2.10");
        }
        var otherName = new TestUpdate
        {
            CommandId = "other",
            Name = "App",
            Version = "1.0",
        };
        await CommitAsync(gateway, otherName.Firmware("2.11", reboot: false));
    }

    [Fact]
    public async Task Submit_OlderVersionOfAnExemptPair_IsInstalled()
    {
        await using var gateway = new TestGateway();
        gateway.Configuration["updates"]!["allowReinstallOf"] = new JsonArray { "Contoso/Gateway" };
        await gateway.StartAsync();
        await CommitAsync(gateway, new TestUpdate().Firmware("2.0.0", reboot: false));
        await CommitAsync(
            gateway,
            new TestUpdate { CommandId = "older", Version = "1.5.0" }.Firmware("1.5.0", reboot: false)
        );
        var inventory = await gateway.GetAsync(HostApi.Inventory, ContractsJson.Default.HostInventory);
        inventory.FirmwareVersion.ShouldBe("1.5.0");
    }

    [Fact]
    public async Task Verify_ExactlyWhatIsInstalled_SaysSo()
    {
        await using var gateway = await new TestGateway().StartAsync();
        var submission = await CommitAsync(gateway, new TestUpdate().Firmware("2.0.0", reboot: false));
        (await VerifyAsync(gateway, submission)).AlreadyInstalled.ShouldBeTrue();
    }

    [Fact]
    public async Task Submit_WhileAnotherUpdateRuns_IsBusy()
    {
        await using var gateway = new TestGateway();
        var gate = gateway.MakeGate();
        await gateway.StartAsync();
        var first = gateway.Store(new TestUpdate().Script(Scripts.Make("read line < \"$EDGEDM_SIMULATED_ROOT/gate\"")));
        await gateway.SubmitAsync(first.Submission());
        await using (await gate.ReachedAsync())
        {
            var second = new TestUpdate { CommandId = "second", Version = "3.0" }.Firmware("3.0");
            (await gateway.RefusedAsync(second.Submission(), HttpStatusCode.Conflict)).Name.ShouldBe("hostBusy");
            (
                await gateway.RefusedAsync(
                    HostApi.Reboot,
                    new(first.CommandId, ""),
                    ContractsJson.Default.RebootRequest,
                    HttpStatusCode.Conflict
                )
            ).Name.ShouldBe("hostBusy");
        }
        await gateway.WaitAsync(first.CommandId, HostUpdateState.Verifying);
    }

    [Fact]
    public async Task Cancel_BeforeAnythingChanged_EndsTheUpdateAndItsUnit()
    {
        await using var gateway = new TestGateway();
        var gate = gateway.MakeGate();
        await gateway.StartAsync();
        var update = gateway.Store(
            new TestUpdate().Script(Scripts.Make(download: "read line < \"$EDGEDM_SIMULATED_ROOT/gate\""))
        );
        await gateway.SubmitAsync(update.Submission());
        await using (await gate.ReachedAsync())
        {
            var cancelled = await CancelAsync(gateway, update.CommandId);
            cancelled.State.ShouldBe(HostUpdateState.Cancelled);
            cancelled.Error!.Name.ShouldBe("jobCancelled");
            (await CancelAsync(gateway, update.CommandId)).State.ShouldBe(HostUpdateState.Cancelled);
        }
        gateway.Calls.ShouldBe(["is-installed", "download"]);
        // The host is free again.
        await CommitAsync(gateway, new TestUpdate { CommandId = "next" }.Firmware("2.0.0", reboot: false));
    }

    [Fact]
    public async Task Cancel_OnceAStepChangesTheHost_IsRefused()
    {
        await using var gateway = new TestGateway();
        var gate = gateway.MakeGate();
        await gateway.StartAsync();
        var update = gateway.Store(
            new TestUpdate().Script(Scripts.Make(install: "read line < \"$EDGEDM_SIMULATED_ROOT/gate\""))
        );
        await gateway.SubmitAsync(update.Submission());
        await using (await gate.ReachedAsync())
        {
            using var answer = await gateway.Verbs.PostAsync(HostApi.CancelUpdate(update.CommandId), null);
            (await TestGateway.ErrorAsync(answer, HttpStatusCode.Conflict)).Name.ShouldBe("jobNotCancellable");
        }
        await gateway.WaitAsync(update.CommandId, HostUpdateState.Verifying);
    }

    [Fact]
    public async Task Submit_DetachedManifest_IsReadFromTheStoreAndInstalled()
    {
        await using var gateway = await new TestGateway().StartAsync();
        var update = new TestUpdate().Script(Scripts.Make());
        var submission = update.Signed(update.DetachedManifest());
        var incomplete = await VerifyAsync(gateway, submission);
        incomplete.Complete.ShouldBeFalse();
        incomplete.Files.ShouldHaveSingleItem().FileId.ShouldBe("manifest");

        gateway.Store(update);
        var complete = await VerifyAsync(gateway, submission);
        complete.Complete.ShouldBeTrue();
        complete.Files.Select(file => file.FileName).ShouldBe(["manifest.json", "install.sh"]);

        await gateway.SubmitAsync(submission);
        await gateway.WaitAsync(update.CommandId, HostUpdateState.Verifying);
        await gateway.BringEvidenceAsync(update.CommandId);
        (await gateway.WaitAsync(update.CommandId)).State.ShouldBe(HostUpdateState.Committed);
    }

    [Fact]
    public async Task Submit_DetachedManifestOfOtherContent_IsRefused()
    {
        await using var gateway = await new TestGateway().StartAsync();
        var update = new TestUpdate().Script(Scripts.Make());
        var submission = update.Signed(update.DetachedManifest());
        gateway.Store(update);
        var detached = (await VerifyAsync(gateway, submission)).Files.Single(file => file.FileId == "manifest");
        var path = gateway.StoredPath(detached.Sha256);
        var text = await File.ReadAllTextAsync(path);
        await File.WriteAllTextAsync(path, text.Replace("2.0.0", "2.0.1", StringComparison.Ordinal));
        (await gateway.RefusedAsync(submission)).Name.ShouldBe("manifestTampered");
    }

    private static async Task<UpdateSubmission> CommitAsync(TestGateway gateway, TestUpdate update)
    {
        await gateway.RunAsync(update, HostUpdateState.Verifying);
        await gateway.BringEvidenceAsync(update.CommandId);
        (await gateway.WaitAsync(update.CommandId)).State.ShouldBe(HostUpdateState.Committed);
        return update.Submission();
    }

    private static async Task<UpdateStatus> CancelAsync(TestGateway gateway, string commandId)
    {
        using var answer = await gateway.Verbs.PostAsync(HostApi.CancelUpdate(commandId), null);
        return await TestGateway.ReadAsync(answer, ContractsJson.Default.UpdateStatus);
    }

    private static async Task<VerifiedUpdate> VerifyAsync(TestGateway gateway, UpdateSubmission submission)
    {
        using var answer = await gateway.PostAsync(
            HostApi.VerifyUpdate,
            new(submission.UpdateManifest, submission.UpdateManifestSignature),
            ContractsJson.Default.UpdateVerification
        );
        return await TestGateway.ReadAsync(answer, ContractsJson.Default.VerifiedUpdate);
    }
}
