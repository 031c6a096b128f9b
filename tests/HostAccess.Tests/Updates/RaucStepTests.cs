using System.Net;
using System.Text.Json.Nodes;
using EdgeDm.Contracts;
using EdgeDm.HostAccess.Tests.Hosts.Linux.Support;
using EdgeDm.HostAccess.Tests.Support;
using EdgeDm.Testing;

namespace EdgeDm.HostAccess.Tests.Updates;

/// <summary><c>edgedm/rauc:1</c> through the whole of HostAccess on a Linux host; RAUC and systemd are stand-ins on a real bus.</summary>
public sealed class RaucStepTests : IAsyncLifetime
{
    private const string Old = "rootfs.0";
    private const string New = "rootfs.1";

    private readonly TestGateway gateway = new();
    private StandInHost host = null!;
    private StandInRauc rauc = null!;
    private int reboots;

    public async ValueTask InitializeAsync()
    {
        host = await StandInHost.StartAsync();
        host.Services.On("ListInhibitors", "a(ssssuu)", _ => [Array.Empty<object>()])
            .On("RebootWithFlags", "", _ => []);
        rauc = await StandInRauc.StartAsync(host);
        gateway.HostFiles = host.Root;
        gateway.Configuration.Remove("simulated");
        gateway.Configuration["host"] = "linux";
        gateway.Configuration["linux"] = new JsonObject
        {
            ["manufacturer"] = "Contoso",
            ["model"] = "Gateway",
            ["dbusSocket"] = host.Bus.SocketPath,
        };
        gateway.Configuration["updates"] = new JsonObject { ["handlers"] = new JsonArray("edgedm/rauc:1") };
    }

    public async ValueTask DisposeAsync()
    {
        await gateway.DisposeAsync();
        await rauc.DisposeAsync();
        await host.DisposeAsync();
    }

    [Fact]
    public async Task Bundle_InstalledBootedAndHealthy_IsCommittedAndItsSlotMarkedGood()
    {
        await StartMarkedAsync();
        var update = Bundle();
        await SubmitAsync(update);
        await RebootAsync();
        var status = await gateway.WaitAsync(update.CommandId, HostUpdateState.Verifying);
        status.Steps[0].ResultCode.ShouldBe(705);
        await gateway.BringEvidenceAsync(update.CommandId);
        (await gateway.WaitAsync(update.CommandId)).State.ShouldBe(HostUpdateState.Committed);
        rauc.Booted.ShouldBe(New);
        rauc.Installs.ShouldBe(1);
        var path = rauc.Service.Calls.Single(call => call.Member == "InstallBundle").Read<string>();
        path.ShouldBe(Path.Combine(gateway.Data, "staging", update.CommandId, "step-0", "gateway.raucb"));
        // Good at the first start, not while it was on trial, and good again when it had passed.
        rauc.Marks.ShouldBe(["good booted", $"active {New}", "good booted"]);
    }

    [Theory]
    [InlineData(60, 60_000_000, 2)]
    [InlineData(0, 0, 0)]
    public async Task Trial_HostWithAWatchdog_IsGuardedByItUntilItsEnd(int seconds, ulong armed, int changes)
    {
        host.Write("sys/class/watchdog/watchdog0/identity", "test\n");
        gateway.Configuration["health"]!["watchdogSeconds"] = seconds;
        await gateway.StartAsync();
        var update = Bundle();
        await SubmitAsync(update);
        host.Watchdog.ShouldBe(0ul);
        await RebootAsync();
        await gateway.WaitForAsync(update.CommandId, status => status.Health?.Missing.Length > 0); // It has been judged.
        host.Watchdog.ShouldBe(armed);
        await gateway.BringEvidenceAsync(update.CommandId);
        await gateway.WaitAsync(update.CommandId);
        await host.Services.CalledAsync("Set", changes);
        host.Watchdog.ShouldBe(changes == 0 ? 0 : ulong.MaxValue); // As its configuration says.
    }

    [Fact]
    public async Task Installing_TellsItsProgress()
    {
        rauc.Waits = true;
        await gateway.StartAsync();
        var update = Bundle();
        await gateway.SubmitAsync(gateway.Store(update).Submission());
        await rauc.Service.CalledAsync("InstallBundle");
        var before = await gateway.GetAsync(HostApi.Update(update.CommandId), ContractsJson.Default.UpdateStatus);
        await rauc.ProgressAsync(60);
        var after = await gateway.GetAsync(
            HostApi.Update(update.CommandId, before.Revision, 20),
            ContractsJson.Default.UpdateStatus
        );
        after.Steps[0].Percent!.Value.ShouldBeGreaterThan(before.Steps[0].Percent!.Value);
        after.Percent.ShouldBeGreaterThan(before.Percent);
        after.State.ShouldBe(HostUpdateState.Installing);
    }

    [Fact]
    public async Task Bundle_BootedAndNeverHealthy_IsUndoneByTheOldSlot()
    {
        gateway.Configuration["health"]!["deadlineSeconds"] = 1;
        await gateway.StartAsync();
        var update = Bundle();
        await SubmitAsync(update);
        await RebootAsync();
        await RebootAsync();
        var ended = await gateway.WaitAsync(update.CommandId);
        ended.State.ShouldBe(HostUpdateState.RolledBack);
        ended.Error!.Name.ShouldBe("healthTimedOut");
        rauc.Booted.ShouldBe(Old);
        rauc.Marks.ShouldContain("bad booted");
    }

    [Fact]
    public async Task Bundle_NotTakenByTheBootLoader_IsRolledBackAndSaysWhatRuns()
    {
        await gateway.StartAsync();
        var update = Bundle();
        await SubmitAsync(update);
        rauc.Primary = Old; // The boot loader tried the new slot in vain.
        await RebootAsync();
        var ended = await gateway.WaitAsync(update.CommandId);
        ended.State.ShouldBe(HostUpdateState.RolledBack);
        ended.Error!.Name.ShouldBe("stepFailed");
        ended.Error.Message.ShouldContain($"should have started from {New}; its boot loader took {Old}");
        ended.Steps[0].ExtendedResultCode.ShouldBe(0x30400005);
        // The old slot runs, and is called good at each start, beside what the update does.
        rauc.Marks.Where(mark => mark != "good booted").ShouldBe([$"active {New}", $"active {Old}", $"bad {New}"]);
    }

    [Fact]
    public async Task Rauc_FailsToInstall_FailsWithItsWordsAndKeepsTheOldSlot()
    {
        rauc.Failure = "Failed mounting bundle: no space";
        await gateway.StartAsync();
        var ended = await gateway.RunAsync(Bundle());
        ended.State.ShouldBe(HostUpdateState.Failed);
        ended.Error!.Message.ShouldContain("Failed mounting bundle: no space");
        ended.Steps[0].ExtendedResultCode.ShouldBe(0x30400003);
        rauc.Primary.ShouldBe(Old);
    }

    [Fact]
    public async Task HostAccess_KilledWhileRaucInstalls_WaitsForThatInstallation()
    {
        var update = await LoseWhileInstallingAsync();
        await gateway.StartAsync();
        await gateway.WaitAsync(update.CommandId, HostUpdateState.Installing);
        await rauc.Service.CalledAsync("Get", 2); // What the bundle must be made for, before; what RAUC does, now.
        await rauc.EndAsync();
        await host.Services.CalledAsync("RebootWithFlags");
        rauc.Installs.ShouldBe(1);
    }

    [Fact]
    public async Task HostAccess_AwayWhenRaucEnded_FindsTheSlotDone()
    {
        await LoseWhileInstallingAsync();
        rauc.Finish();
        await gateway.StartAsync();
        await host.Services.CalledAsync("RebootWithFlags");
        rauc.Installs.ShouldBe(1);
    }

    [Fact]
    public async Task Host_DownAfterRaucEnded_StartsFromTheNewSlotAndNeverOverwritesTheOldOne()
    {
        var update = await LoseWhileInstallingAsync();
        rauc.Finish();
        BootHost();
        await gateway.StartAsync();
        await gateway.WaitAsync(update.CommandId, HostUpdateState.Verifying);
        rauc.Booted.ShouldBe(New);
        rauc.Installs.ShouldBe(1);
        rauc.Marks.ShouldBe(["good booted"]); // The first start's; this one is on trial.
    }

    [Fact]
    public async Task Host_StartedFromAnotherSlotMeanwhile_DoesNotInstallOverTheWayBack()
    {
        await LoseWhileInstallingAsync();
        rauc.Primary = New;
        BootHost();
        await gateway.StartAsync();
        await host.Services.CalledAsync("RebootWithFlags"); // Back to where it came from.
        rauc.Installs.ShouldBe(1);
        rauc.Primary.ShouldBe(Old);
    }

    [Fact]
    public async Task Host_DownInEachInstallation_IsBegunThreeTimesAndFails()
    {
        rauc.Waits = true;
        await gateway.StartAsync();
        var update = Bundle();
        await gateway.SubmitAsync(gateway.Store(update).Submission());
        for (var attempt = 1; attempt <= 3; attempt++)
        {
            await rauc.Service.CalledAsync("InstallBundle", attempt);
            await gateway.StopAsync();
            BootHost();
            await gateway.StartAsync();
        }
        var ended = await gateway.WaitAsync(update.CommandId);
        ended.State.ShouldBe(HostUpdateState.Failed);
        ended.Error!.Name.ShouldBe("stepInterrupted");
        rauc.Installs.ShouldBe(3);
    }

    [Fact]
    public async Task Rauc_OverItsTime_IsStartedAnewAndTheStepFails()
    {
        var time = new FakeTimeProvider();
        time.Advance(TimeSpan.FromMinutes(1)); // The host came up before.
        gateway.Time = time;
        rauc.Waits = true;
        gateway.Configuration["updates"]!["stepTimeoutSeconds"] = 1;
        await gateway.StartAsync();
        var update = gateway.Store(Bundle());
        await gateway.SubmitAsync(update.Submission());
        await rauc.Service.CalledAsync("InstallBundle");
        time.Advance(TimeSpan.FromSeconds(1));
        var ended = await gateway.WaitAsync(update.CommandId);
        ended.Error!.Name.ShouldBe("stepTimedOut");
        await host.Services.CalledAsync("RestartUnit");
        rauc.Primary.ShouldBe(Old);
    }

    [Fact]
    public async Task Bundle_ThatRaucDoesNotTake_FailsWithWhatItsInstallationSays()
    {
        rauc.IsUnreadable = true;
        rauc.Failure = "signature verification failed: self-signed certificate";
        await gateway.StartAsync();
        var ended = await gateway.RunAsync(Bundle());
        ended.State.ShouldBe(HostUpdateState.Failed);
        ended.Error!.Message.ShouldContain("signature verification failed");
        ended.Steps[0].ExtendedResultCode.ShouldBe(0x30400003);
        rauc.Primary.ShouldBe(Old);
    }

    [Fact]
    public async Task Bundle_ForOtherHardware_IsNotCompatible()
    {
        rauc.BundleCompatible = "other";
        await gateway.StartAsync();
        var ended = await gateway.RunAsync(Bundle());
        ended.Error!.Name.ShouldBe("notCompatible");
        ended.Error.Message.ShouldContain("'other'");
        rauc.Installs.ShouldBe(0);
    }

    [Fact]
    public async Task Bundle_OfTheVersionThatRuns_IsSkipped()
    {
        rauc.Finish();
        rauc.Boot();
        await gateway.StartAsync();
        var update = Bundle(new() { ["installedCriteria"] = "2.0" });
        var status = await gateway.RunAsync(update, HostUpdateState.Verifying);
        status.Steps[0].ResultCode.ShouldBe(900);
        rauc.Installs.ShouldBe(0);
    }

    [Fact]
    public async Task Rauc_WithoutAStatusOfItsSlots_IsJudgedByTheBootLoader()
    {
        rauc.HasStatus = false;
        await gateway.StartAsync();
        await SubmitAsync(Bundle());
        rauc.Marks.ShouldContain($"active {New}");
    }

    [Fact]
    public async Task Host_WithoutRauc_RefusesTheUpdate()
    {
        await rauc.LeaveAsync();
        await gateway.StartAsync();
        var error = await gateway.RefusedAsync(gateway.Store(Bundle()).Submission(), HttpStatusCode.NotFound);
        error.Name.ShouldBe("notSupportedOnHost");
        var info = await gateway.GetAsync(HostApi.Root, ContractsJson.Default.HostAccessInfo);
        info.Capabilities!.Value.Single(capability => capability.Name == "slots").Available.ShouldBeFalse();
    }

    [Theory]
    [InlineData("gateway.bin")]
    [InlineData("gateway.raucb", "second.raucb")]
    public async Task Step_WithoutExactlyOneBundle_IsRefused(params string[] names)
    {
        await gateway.StartAsync();
        var update = new TestUpdate();
        var files = new JsonArray();
        foreach (var name in names)
        {
            files.Add(update.AddFile(name, name));
        }
        update.Step("edgedm/rauc:1", [], files);
        (await gateway.RefusedAsync(gateway.Store(update).Submission())).Context.ShouldContain("files");
    }

    /// <summary>Starts HostAccess, which calls the running slot good in the background; returns when it has.</summary>
    private async Task StartMarkedAsync()
    {
        await gateway.StartAsync();
        await rauc.Service.CalledAsync("Mark");
    }

    /// <summary>Submits; HostAccess ends while RAUC installs, which goes on.</summary>
    private async Task<TestUpdate> LoseWhileInstallingAsync()
    {
        rauc.Waits = true;
        await StartMarkedAsync();
        var update = Bundle();
        await gateway.SubmitAsync(gateway.Store(update).Submission());
        await rauc.Service.CalledAsync("InstallBundle");
        await gateway.StopAsync();
        return update;
    }

    /// <summary>Submits, and returns when the host is asked to restart.</summary>
    private async Task SubmitAsync(TestUpdate update)
    {
        await gateway.SubmitAsync(gateway.Store(update).Submission());
        await host.Services.CalledAsync("RebootWithFlags");
    }

    /// <summary>The host goes down as HostAccess asks, and comes back.</summary>
    private async Task RebootAsync()
    {
        await host.Services.CalledAsync("RebootWithFlags", ++reboots);
        await gateway.StopAsync();
        BootHost();
        await gateway.StartAsync();
    }

    private void BootHost()
    {
        host.Start++;
        rauc.Boot();
    }

    private static TestUpdate Bundle(JsonObject? properties = null)
    {
        var update = new TestUpdate();
        return update.Step("edgedm/rauc:1", properties ?? [], [update.AddFile("gateway.raucb", "bundle")]);
    }
}
