using EdgeDm.Contracts;
using EdgeDm.HostAccess.Tests.Support;

namespace EdgeDm.HostAccess.Tests.Updates;

/// <summary><c>microsoft/script:1</c> through the whole of HostAccess, with real scripts.</summary>
public sealed class ScriptStepTests
{
    private const string WaitAtGate = "read line < \"$EDGEDM_SIMULATED_ROOT/gate\"";

    [Fact]
    public async Task Script_Exits7_FailsWithDeviceUpdatesCode()
    {
        await using var gateway = await new TestGateway().StartAsync();
        var ended = await gateway.RunAsync(new TestUpdate().Script(Scripts.Make(install: "exit 7")));
        ended.State.ShouldBe(HostUpdateState.Failed);
        ended.Error!.Name.ShouldBe("stepFailed");
        ended.Error.Parameters["notUndone"].ShouldBe("0");
        ended.Steps[0].State.ShouldBe("failed");
        ended.Steps[0].ResultCode.ShouldBe(0);
        ended.Steps[0].ExtendedResultCode.ShouldBe(0x30500000 | (0x1000 + 7));
    }

    [Fact]
    public async Task Script_NoResultFile_Fails()
    {
        await using var gateway = await new TestGateway().StartAsync();
        var ended = await gateway.RunAsync(new TestUpdate().Script(Scripts.Make(isInstalled: "exit 0")));
        ended.State.ShouldBe(HostUpdateState.Failed);
        ended.Error!.Name.ShouldBe("stepResultMissing");
        ended.Steps[0].ExtendedResultCode.ShouldBe(0x30500205);
    }

    [Fact]
    public async Task Script_RunsLongerThanItsLimit_IsEndedWithAllItStarted()
    {
        await using var gateway = new TestGateway();
        gateway.Configuration["updates"]!["stepTimeoutSeconds"] = 5; // Long enough for the actions before on a loaded machine.
        await gateway.StartAsync();
        // Also what left the script's session must not survive it.
        const string Endless = "setsid sleep 1000 & echo $! > \"$EDGEDM_SIMULATED_ROOT/child\"; sleep 1000";
        var ended = await gateway.RunAsync(new TestUpdate().Script(Scripts.Make(install: Endless)));
        ended.Error!.Name.ShouldBe("stepTimedOut");
        var child = (await File.ReadAllTextAsync(Path.Combine(gateway.HostRoot, "child"))).Trim();
        Directory.Exists($"/proc/{child}").ShouldBeFalse();
    }

    [Fact]
    public async Task Script_ThatIsNoProgram_Fails()
    {
        await using var gateway = await new TestGateway().StartAsync();
        var ended = await gateway.RunAsync(new TestUpdate().Script("neither a script nor a binary"));
        ended.Error!.Name.ShouldBe("stepFailed");
        ended.Steps[0].ExtendedResultCode.ShouldBe(0x30500000 | (0x1000 + 203));
    }

    [Fact]
    public async Task Script_SaysInstalled_IsSkipped()
    {
        await using var gateway = await new TestGateway().StartAsync();
        var status = await gateway.RunAsync(
            new TestUpdate().Script(Scripts.Make(isInstalled: "code=900")),
            HostUpdateState.Verifying
        );
        status.Steps[0].State.ShouldBe("skipped");
        gateway.Calls.ShouldBe(["is-installed"]);
    }

    [Fact]
    public async Task Script_AsksForARebootAtOnce_GoesOnBehindItWithTheNextAction()
    {
        await using var gateway = await new TestGateway().StartAsync();
        var update = gateway.Store(
            new TestUpdate().Script(Scripts.Make(install: "code=605")).Firmware("2.0.0", reboot: false)
        );
        await gateway.SubmitAsync(update.Submission());
        await gateway.RebootAsync();
        var status = await gateway.WaitAsync(update.CommandId, HostUpdateState.Verifying);
        status.Steps.Select(step => step.State).ShouldBe(["succeeded", "succeeded"]);
        gateway.Calls.ShouldBe(["is-installed", "download", "install", "apply"]);
    }

    [Fact]
    public async Task Script_AsksForARebootLater_TheOtherStepsComeFirst()
    {
        await using var gateway = await new TestGateway().StartAsync();
        var update = gateway.Store(
            new TestUpdate().Script(Scripts.Make(apply: "code=706")).Firmware("2.0.0", reboot: false)
        );
        await gateway.SubmitAsync(update.Submission());
        await gateway.RebootAsync();
        var status = await gateway.WaitAsync(update.CommandId, HostUpdateState.Verifying);
        status.Steps.Select(step => step.ResultCode).ShouldBe([706, 700]);
        gateway.Calls.ShouldBe(["is-installed", "download", "install", "apply"]);
    }

    [Fact]
    public async Task Script_StoredFileOfOtherContent_NeverRuns()
    {
        await using var gateway = await new TestGateway().StartAsync();
        var update = gateway.Store(new TestUpdate().Script(Scripts.Make(install: "code=600")));
        var (digest, content) = update.Contents.Single();
        content[^1] ^= 1;
        await File.WriteAllBytesAsync(gateway.StoredPath(digest), content);
        await gateway.SubmitAsync(update.Submission());
        var ended = await gateway.WaitAsync(update.CommandId);
        ended.State.ShouldBe(HostUpdateState.Failed);
        ended.Error!.Name.ShouldBe("digestMismatch");
        gateway.Calls.ShouldBeEmpty();
    }

    [Fact]
    public async Task Script_StoreChangesAfterStaging_RunsWhatWasHashed()
    {
        await using var gateway = new TestGateway();
        var gate = gateway.MakeGate();
        await gateway.StartAsync();
        var update = gateway.Store(new TestUpdate().Script(Scripts.Make(isInstalled: WaitAtGate)));
        await gateway.SubmitAsync(update.Submission());
        await using (await gate.ReachedAsync())
        {
            await File.WriteAllTextAsync(gateway.StoredPath(update.Contents.Keys.Single()), "#!/bin/sh\nexit 9\n");
        }
        await gateway.WaitAsync(update.CommandId, HostUpdateState.Verifying);
        gateway.Calls.Length.ShouldBe(4);
    }

    [Fact]
    public async Task Kill_HostAccessDuringAScript_TheScriptRunsOnceAndTheUpdateGoesOn()
    {
        await using var gateway = new TestGateway();
        var gate = gateway.MakeGate();
        await gateway.StartProcessAsync();
        var update = gateway.Store(new TestUpdate().Script(Scripts.Make(install: WaitAtGate)));
        await gateway.SubmitAsync(update.Submission());
        await using (await gate.ReachedAsync())
        {
            await gateway.StopAsync(); // SIGKILL
            await gateway.StartAsync();
            (await gateway.WaitAsync(update.CommandId, HostUpdateState.Installing)).Steps[0].State.ShouldBe("running");
        }
        await gateway.WaitAsync(update.CommandId, HostUpdateState.Verifying);
        gateway.Calls.ShouldBe(["is-installed", "download", "install", "apply"]);
        await gateway.BringEvidenceAsync(update.CommandId);
        (await gateway.WaitAsync(update.CommandId)).State.ShouldBe(HostUpdateState.Committed);
        await gateway.StopAsync();
        Directory.EnumerateDirectories(gateway.UnitsFolder).ShouldBeEmpty();
        Directory.EnumerateDirectories(Path.Combine(gateway.Data, "staging")).ShouldBeEmpty();
    }

    [Fact]
    public async Task Terminate_HostAccessDuringAScript_EndsAtOnceAndTheScriptGoesOn()
    {
        await using var gateway = new TestGateway();
        var gate = gateway.MakeGate();
        await gateway.StartProcessAsync();
        var update = gateway.Store(new TestUpdate().Script(Scripts.Make(install: WaitAtGate)));
        await gateway.SubmitAsync(update.Submission());
        await using (await gate.ReachedAsync())
        {
            gateway.Terminate();
            (await gateway.EndAsync()).ShouldBe(0);
        }
        await gateway.StartAsync();
        await gateway.WaitAsync(update.CommandId, HostUpdateState.Verifying);
        gateway.Calls.ShouldBe(["is-installed", "download", "install", "apply"]);
    }

    [Fact]
    public async Task PowerCut_DuringAScript_FailsAsInterruptedAndRunsNothingTwice()
    {
        await using var gateway = new TestGateway();
        var gate = gateway.MakeGate();
        await gateway.StartAsync();
        var update = gateway.Store(new TestUpdate().Script(Scripts.Make(install: WaitAtGate)));
        await gateway.SubmitAsync(update.Submission());
        await using (await gate.ReachedAsync())
        {
            await gateway.PowerCycleAsync();
        }
        var ended = await gateway.WaitAsync(update.CommandId);
        ended.State.ShouldBe(HostUpdateState.Failed);
        ended.Error!.Name.ShouldBe("stepInterrupted");
        gateway.Calls.Count(call => call == "install").ShouldBe(1);
    }

    [Fact]
    public async Task PowerCut_DuringIsInstalled_AsksAgain()
    {
        await using var gateway = new TestGateway();
        var gate = gateway.MakeGate();
        await gateway.StartAsync();
        var update = gateway.Store(
            new TestUpdate().Script(
                Scripts.Make(isInstalled: $"[ -e \"$work/asked\" ] || (touch \"$work/asked\"; {WaitAtGate})")
            )
        );
        await gateway.SubmitAsync(update.Submission());
        await using (await gate.ReachedAsync())
        {
            await gateway.PowerCycleAsync();
        }
        await gateway.WaitAsync(update.CommandId, HostUpdateState.Verifying);
        gateway.Calls.ShouldBe(["is-installed", "is-installed", "download", "install", "apply"]);
    }
}
