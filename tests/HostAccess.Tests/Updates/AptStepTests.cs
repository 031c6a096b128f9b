using System.Text.Json.Nodes;
using EdgeDm.Contracts;
using EdgeDm.HostAccess.Tests.Support;

namespace EdgeDm.HostAccess.Tests.Updates;

/// <summary><c>microsoft/apt:1</c> through the whole of HostAccess, with real packages, real apt and real dpkg.</summary>
public sealed class AptStepTests
{
    private const string WaitOnce =
        "[ -e \"$DPKG_ROOT/asked\" ] || { touch \"$DPKG_ROOT/asked\"; read line < \"$EDGEDM_SIMULATED_ROOT/gate\" || true; }";

    [Fact]
    public async Task Apt_PackagesWithAndWithoutVersion_AreInstalledAndFoundInstalledAfterwards()
    {
        await using var gateway = Gateway();
        var host = new AptHost(gateway);
        await host.AddAsync("one", "1.0");
        await host.AddAsync("one", "2.0");
        await host.AddAsync("two", "1.0", depends: "base");
        await host.AddAsync("base", "0.9");
        await gateway.StartAsync();

        await CommitAsync(gateway, Update("1", "c-1", ("one", "1.0"), ("two", null)));
        host.VersionOf("one").ShouldBe("1.0");
        host.VersionOf("two").ShouldBe("1.0");
        host.VersionOf("base").ShouldBe("0.9");

        var again = await CommitAsync(gateway, Update("2", "c-1", ("one", "1.0"), ("two", null)));
        again.Steps[0].ResultCode.ShouldBe(900);
        again.Steps[0].State.ShouldBe("skipped");
        host.Log.Count(line => line.StartsWith("install one", StringComparison.Ordinal)).ShouldBe(1);

        // Criteria that are remembered mean nothing once dpkg says otherwise.
        await host.DpkgAsync("--purge", "two");
        (await CommitAsync(gateway, Update("3", "c-1", ("one", "1.0"), ("two", null))))
            .Steps[0]
            .State.ShouldBe("succeeded");
        host.VersionOf("two").ShouldBe("1.0");

        // Other criteria ask apt again, and apt has nothing to do.
        (await CommitAsync(gateway, Update("4", "c-2", ("one", "1.0"))))
            .Steps[0]
            .ResultCode.ShouldBe(700);
        (await CommitAsync(gateway, Update("5", null, ("one", "2.0")))).Steps[0].ResultCode.ShouldBe(700);
        host.VersionOf("one").ShouldBe("2.0");
    }

    [Theory]
    [InlineData("missing", "stepFailed", "Unable to locate package missing")]
    [InlineData("broken", "stepFailed", "")]
    [InlineData("held", "packagesHeld", "held")]
    public async Task Apt_PackageThatCannotBeInstalled_FailsInTheDryRunAndChangesNothing(
        string name,
        string error,
        string words
    )
    {
        await using var gateway = Gateway();
        var host = new AptHost(gateway);
        await host.AddAsync("good", "1.0");
        await host.AddAsync("broken", "1.0", depends: "nowhere");
        await host.AddAsync("held", "1.0");
        await host.DpkgAsync("--install", host.PackageFile("held", "1.0"));
        await host.HoldAsync("held");
        await host.AddAsync("held", "2.0");
        await gateway.StartAsync();

        var ended = await gateway.RunAsync(Update("1", null, ("good", null), (name, null)));

        ended.State.ShouldBe(HostUpdateState.Failed);
        ended.Error!.Name.ShouldBe(error);
        ended.Error.Message.ShouldContain(words);
        ended.Error.Parameters.ShouldNotContainKey("notUndone");
        host.VersionOf("good").ShouldBeNull();
        host.VersionOf("held").ShouldBe("1.0");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Apt_OlderVersion_IsInstalledOnlyWhereTheOwnerAllowsIt(bool allowed)
    {
        await using var gateway = Gateway();
        gateway.Configuration["updates"]!["allowAptDowngrades"] = allowed;
        var host = new AptHost(gateway);
        await host.AddAsync("one", "1.0");
        await host.AddAsync("one", "2.0");
        await host.DpkgAsync("--install", host.PackageFile("one", "2.0"));
        await gateway.StartAsync();
        var update = Update("1", null, ("one", "1.0"));
        if (allowed)
        {
            await CommitAsync(gateway, update);
            host.VersionOf("one").ShouldBe("1.0");
            return;
        }
        var ended = await gateway.RunAsync(update);
        ended.Error!.Name.ShouldBe("downgradeRefused");
        ended.Error.Message.ShouldContain("one");
        host.VersionOf("one").ShouldBe("2.0");
    }

    [Fact]
    public async Task Apt_HalfConfiguredHost_IsRepairedFirst()
    {
        await using var gateway = Gateway();
        var host = new AptHost(gateway);
        await host.AddAsync("left", "1.0");
        await host.AddAsync("one", "1.0");
        await host.DpkgAsync("--unpack", host.PackageFile("left", "1.0"));
        host.VersionOf("left").ShouldBeNull();
        await gateway.StartAsync();
        await CommitAsync(gateway, Update("1", null, ("one", null)));
        host.VersionOf("left").ShouldBe("1.0");
        host.VersionOf("one").ShouldBe("1.0");
    }

    [Fact]
    public async Task Apt_WhileItWorks_TellsHowFarItIs()
    {
        await using var gateway = Gateway();
        var host = new AptHost(gateway);
        var gate = gateway.MakeGate();
        await host.AddAsync("one", "1.0", WaitOnce);
        await gateway.StartAsync();
        var update = gateway.Store(Update("1", null, ("one", null)));
        await gateway.SubmitAsync(update.Submission());
        await using (await gate.ReachedAsync())
        {
            // It has unpacked: more than half of the action that leads from 25 to 90 %.
            var told = await gateway.WaitForAsync(update.CommandId, status => status.Steps[0].Percent > 57);
            told.State.ShouldBe(HostUpdateState.Installing);
            told.Percent.ShouldBe(40 + told.Steps[0].Percent!.Value / 2);
            told.Steps[0].Percent!.Value.ShouldBeLessThan(90);
        }
        (await gateway.WaitAsync(update.CommandId, HostUpdateState.Verifying)).Steps[0].Percent.ShouldBe(100);
    }

    [Fact]
    public async Task Kill_HostAccessWhileAptWorks_InstallsOnce()
    {
        await using var gateway = Gateway();
        var host = new AptHost(gateway);
        var gate = gateway.MakeGate();
        await host.AddAsync("one", "1.0", WaitOnce);
        await gateway.StartProcessAsync();
        var update = gateway.Store(Update("1", null, ("one", null)));
        await gateway.SubmitAsync(update.Submission());
        await using (await gate.ReachedAsync())
        {
            await gateway.StopAsync(); // SIGKILL
            await gateway.StartAsync();
        }
        await gateway.WaitAsync(update.CommandId, HostUpdateState.Verifying);
        host.VersionOf("one").ShouldBe("1.0");
        host.Log.Count(line => line.StartsWith("configure one", StringComparison.Ordinal)).ShouldBe(1);
    }

    [Fact]
    public async Task PowerCut_WhileDpkgConfigures_IsFinishedBehindIt()
    {
        await using var gateway = Gateway();
        var host = new AptHost(gateway);
        var gate = gateway.MakeGate();
        await host.AddAsync("one", "1.0", WaitOnce);
        await gateway.StartAsync();
        var update = gateway.Store(Update("1", null, ("one", null)));
        await gateway.SubmitAsync(update.Submission());
        await using (await gate.ReachedAsync())
        {
            await gateway.PowerCycleAsync();
        }
        await gateway.WaitAsync(update.CommandId, HostUpdateState.Verifying);
        host.VersionOf("one").ShouldBe("1.0");
        host.Log.Count(line => line.StartsWith("install one", StringComparison.Ordinal)).ShouldBe(1);
        host.Log.Count(line => line.StartsWith("configure one", StringComparison.Ordinal)).ShouldBe(2);
    }

    [Fact]
    public async Task PowerCut_AgainAndAgain_EndsTheUpdate()
    {
        await using var gateway = Gateway();
        var host = new AptHost(gateway);
        var gate = gateway.MakeGate();
        await host.AddAsync("one", "1.0", "read line < \"$EDGEDM_SIMULATED_ROOT/gate\"");
        await gateway.StartAsync();
        var update = gateway.Store(Update("1", null, ("one", null)));
        await gateway.SubmitAsync(update.Submission());
        for (var cut = 0; cut <= 3; cut++)
        {
            await using (await gate.ReachedAsync())
            {
                await gateway.PowerCycleAsync();
            }
        }
        var ended = await gateway.WaitAsync(update.CommandId);
        ended.Error!.Name.ShouldBe("stepInterrupted");
        ended.Error.Parameters["notUndone"].ShouldBe("0");
    }

    [Fact]
    public async Task Apt_PostinstFails_FailsWithAptsWords()
    {
        await using var gateway = Gateway();
        var host = new AptHost(gateway);
        await host.AddAsync("one", "1.0", "exit 3");
        await gateway.StartAsync();
        var ended = await gateway.RunAsync(Update("1", null, ("one", null)));
        ended.Error!.Name.ShouldBe("stepFailed");
        ended.Steps[0].ExtendedResultCode.ShouldBe(0x30200000 | (0x1000 + 100));
        ended.Error.Parameters["notUndone"].ShouldBe("0");
    }

    [Fact]
    public async Task Apt_RestartRequired_RebootsBehindTheOtherSteps()
    {
        await using var gateway = Gateway();
        var host = new AptHost(gateway);
        await host.AddAsync("one", "1.0");
        await gateway.StartAsync();
        var update = gateway.Store(AptHost.Step(new() { CommandId = "1" }, null, restart: true, ("one", null)));
        await gateway.SubmitAsync(update.Submission());
        await gateway.RebootAsync();
        (await gateway.WaitAsync("1", HostUpdateState.Verifying)).Steps[0].ResultCode.ShouldBe(708);
    }

    [Theory]
    [InlineData("-o=APT::Update::Pre-Invoke::=evil")]
    [InlineData("one-")]
    [InlineData("One")]
    [InlineData("one two")]
    [InlineData("one;two")]
    [InlineData("o*")]
    [InlineData("../one")]
    public async Task Apt_NameThatIsNoPackages_ReachesNoCommandLine(string name)
    {
        await using var gateway = Gateway();
        await gateway.StartAsync();
        var ended = await gateway.RunAsync(Update("1", null, (name, null)));
        ended.Error!.Name.ShouldBe("manifestMalformed");
        ended.Error.Message.ShouldContain("Debian");
    }

    private static TestGateway Gateway()
    {
        AptHost.RequireApt();
        var gateway = new TestGateway();
        gateway.Configuration["updates"]!["handlers"] = new JsonArray { "microsoft/apt:1" };
        return gateway;
    }

    private static TestUpdate Update(string id, string? criteria, params (string, string?)[] packages) =>
        AptHost.Step(new() { CommandId = id, Version = $"{id}.0" }, criteria, restart: false, packages);

    private static async Task<UpdateStatus> CommitAsync(TestGateway gateway, TestUpdate update)
    {
        await gateway.RunAsync(update, HostUpdateState.Verifying);
        await gateway.BringEvidenceAsync(update.CommandId);
        var ended = await gateway.WaitAsync(update.CommandId);
        ended.State.ShouldBe(HostUpdateState.Committed);
        return ended;
    }
}
