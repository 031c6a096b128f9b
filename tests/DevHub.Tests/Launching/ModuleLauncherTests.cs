using EdgeDm.DevHub.Deployment;
using EdgeDm.DevHub.Launching;
using EdgeDm.Hosting;

namespace EdgeDm.DevHub.Tests.Launching;

public sealed class ModuleLauncherTests : IAsyncLifetime
{
    // Says that it runs, and ends at SIGTERM.
    private const string Service = "echo ready; exec sleep 600";

    private readonly LauncherBench bench = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => bench.DisposeAsync();

    [Fact]
    public async Task Start_Module_GetsTheHubsEnvironmentAndNothingOfTheDevelopers()
    {
        Environment.SetEnvironmentVariable("DEVELOPERS_SECRET", "hush");
        bench.Add("A", "env; echo done; exec sleep 600", env: [("STATE", "/var/lib/state/a.json")]);
        await bench.StartAsync();
        await bench.Console.WaitForAsync("done");

        var lines = bench.Console.Lines;
        lines.ShouldContain("A | IOTEDGE_MODULEID=A");
        lines.ShouldContain($"A | STATE={ShortPaths.Open(bench.Data, bench.Folder.Path).Volume("state")}/a.json");
        lines.ShouldContain(line => line.StartsWith("A | PATH=", StringComparison.Ordinal));
        lines.ShouldNotContain(line => line.Contains("DEVELOPERS_SECRET", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Start_SeveralModules_StartInTheirOrder()
    {
        bench.Add("Late", Service, order: 3);
        bench.Add("First", Service, order: 1);
        bench.Add("Second", Service, order: 2);
        await bench.StartAsync();

        bench.Changes.Select(state => state.ModuleId).ShouldBe(["First", "Second", "Late"]);
        bench.Launcher.List().Select(state => state.RuntimeStatus).ShouldAllBe(status => status == "running");
    }

    [Fact]
    public async Task Start_Module_RunsInASessionOfItsOwnWithoutInput()
    {
        bench.Add("A", "cat; echo end of input; exec sleep 600");
        await bench.StartAsync();
        await bench.Console.WaitForAsync("end of input");

        var process = ProcessTable.Find(bench.Launcher.List().Single().ProcessId!.Value)!;
        process.Session.ShouldBe(process.Id);
    }

    [Theory]
    [InlineData(RestartPolicy.Always, 0, "backoff")]
    [InlineData(RestartPolicy.Always, 3, "backoff")]
    [InlineData(RestartPolicy.OnUnhealthy, 0, "backoff")]
    [InlineData(RestartPolicy.OnFailure, 0, "stopped")]
    [InlineData(RestartPolicy.OnFailure, 3, "backoff")]
    [InlineData(RestartPolicy.Never, 0, "stopped")]
    [InlineData(RestartPolicy.Never, 3, "failed")]
    public async Task End_ByItself_IsTreatedByTheRestartPolicy(RestartPolicy policy, int exitCode, string status)
    {
        bench.Add("A", $"exit {exitCode}", policy);
        await bench.StartAsync();

        var state = await bench.WaitForStateAsync("A", s => s.RuntimeStatus != "running");

        state.RuntimeStatus.ShouldBe(status);
        state.ExitCode.ShouldBe(exitCode);
        state.ProcessId.ShouldBeNull();
    }

    [Fact]
    public async Task End_BySignal_IsAFailureWithTheShellsCode()
    {
        bench.Add("A", "kill -9 $$", RestartPolicy.OnFailure);
        await bench.StartAsync();

        (await bench.WaitForStateAsync("A", "backoff")).ExitCode.ShouldBe(137);
    }

    [Fact]
    public async Task End_Repeated_WaitsTwiceAsLongEachTimeAndThenGivesUp()
    {
        bench.Backoff = new() { MostRestarts = 3 };
        bench.Add("A", "exit 1");
        await bench.StartAsync();

        foreach (var seconds in new[] { 0.5, 1, 2 })
        {
            await bench.Time.WaitForTimerAsync(TimeSpan.FromSeconds(seconds));
            bench.Time.Advance(TimeSpan.FromSeconds(seconds));
        }

        var state = await bench.WaitForStateAsync("A", "failed");
        state.RestartCount.ShouldBe(3);
        state.StatusDescription.ShouldContain("given up");
    }

    [Fact]
    public async Task End_AfterALongRun_BeginsWithTheFirstWaitAgain()
    {
        bench.Add("A", $"test -e {bench.Folder.Path}/run && {{ echo ready; exec sleep 600; }}; exit 1");
        await bench.StartAsync();
        await bench.Time.WaitForTimerAsync(TimeSpan.FromSeconds(0.5));
        bench.Folder.Write("run", "");
        bench.Time.Advance(TimeSpan.FromSeconds(0.5));
        await bench.Console.WaitForAsync("ready");

        bench.Time.Advance(bench.Backoff.ResetAfter);
        (await bench.Launcher.KillAsync("A")).ShouldBeTrue();

        await bench.Time.WaitForTimerAsync(TimeSpan.FromSeconds(0.5));
    }

    [Fact]
    public async Task Kill_Running_IsACrashThatItComesBackFrom()
    {
        bench.Add("A", Service);
        await bench.StartAsync();
        await bench.Console.WaitForAsync("ready");
        var first = bench.Launcher.List().Single().ProcessId;

        (await bench.Launcher.KillAsync("A")).ShouldBeTrue();
        await bench.Time.WaitForTimerAsync(TimeSpan.FromSeconds(0.5));
        (await bench.Launcher.KillAsync("A")).ShouldBeFalse();
        bench.Time.Advance(TimeSpan.FromSeconds(0.5));

        var again = await bench.WaitForStateAsync("A", state => state.RestartCount == 1);
        again.RuntimeStatus.ShouldBe("running");
        again.ProcessId.ShouldNotBe(first);
    }

    [Fact]
    public async Task RestartModule_Running_StopsItGracefullyAndStartsIt()
    {
        bench.Add("A", "trap 'echo leaving; exit 0' TERM; echo ready; while :; do sleep 0.05; done");
        await bench.StartAsync();
        await bench.Console.WaitForAsync("ready");
        var first = bench.Launcher.List().Single().ProcessId!.Value;

        await bench.Launcher.RestartModuleAsync("A", CancellationToken.None);

        bench.Console.Lines.ShouldContain("A | leaving");
        bench.Launcher.List().Single().RuntimeStatus.ShouldBe("running");
        LauncherBench.IsAlive(first).ShouldBeFalse();
    }

    [Fact]
    public async Task Dispose_ModuleInBackoff_DoesNotStartItAgain()
    {
        bench.Add("A", "exit 1");
        await bench.StartAsync();
        await bench.Time.WaitForTimerAsync(TimeSpan.FromSeconds(0.5));

        await bench.Launcher.DisposeAsync();
        bench.Time.Advance(TimeSpan.FromSeconds(1));

        bench.Changes[^1].RuntimeStatus.ShouldBe("stopped");
    }

    [Fact]
    public async Task Dispose_ModuleThatIgnoresSigterm_IsKilledAfterTheGracePeriod()
    {
        bench.Add("A", "trap '' TERM; echo ready; while :; do sleep 0.05; done");
        await bench.StartAsync();
        await bench.Console.WaitForAsync("ready");

        var stopping = bench.Launcher.DisposeAsync().AsTask();
        await bench.Time.WaitForTimerAsync(TimeSpan.FromSeconds(10));
        stopping.IsCompleted.ShouldBeFalse();
        bench.Time.Advance(TimeSpan.FromSeconds(10));
        await stopping;

        bench.Changes[^1].ExitCode.ShouldBe(137);
    }

    [Fact]
    public async Task Dispose_ModuleWithChildren_LeavesNoneOfThem()
    {
        bench.Add("A", "(trap '' TERM; exec sleep 600) & echo child=$!; exec sleep 600");
        await bench.StartAsync();
        var child = await bench.WaitForProcessIdAsync("child");

        await bench.Launcher.DisposeAsync();

        LauncherBench.IsAlive(child).ShouldBeFalse();
    }

    [Fact]
    public async Task End_WithChildrenLeft_EndsThemAsAContainerDoes()
    {
        bench.Add("A", "sleep 600 & echo child=$!; exit 1", RestartPolicy.Never);
        await bench.StartAsync();

        await bench.WaitForStateAsync("A", "failed");

        LauncherBench.IsAlive(await bench.WaitForProcessIdAsync("child")).ShouldBeFalse();
    }

    [Fact]
    public async Task Reboot_OfTheHost_StopsEveryModuleAndStartsThemInOrder()
    {
        bench.Add(
            "Host",
            $"test -e {bench.Folder.Path}/booted || {{ read x < {Fifo()}; exit 129; }}; {Service}",
            order: 1,
            rebootExitCode: "129"
        );
        bench.Add("A", Service, order: 2);
        await bench.StartAsync();
        await bench.Console.WaitForAsync("A    | ready");
        var before = bench.Launcher.List().Single(state => state.ModuleId == "A").ProcessId!.Value;
        var from = bench.Changes.Count;

        bench.Folder.Write("booted", "");
        await File.WriteAllTextAsync(Fifo(), "go\n");

        var again = await bench.WaitForStateAsync("A", "running", from);
        again.RestartCount.ShouldBe(0);
        LauncherBench.IsAlive(before).ShouldBeFalse();
        bench
            .Changes.Skip(from)
            .Select(state => $"{state.ModuleId} {state.RuntimeStatus}")
            .ShouldBe(["Host stopped", "A stopped", "Host running", "A running"]);
    }

    [Fact]
    public async Task Reboot_OfTheHost_EndsWhatOutlivedItsModule()
    {
        bench.Add(
            "Host",
            $"test -e {bench.Folder.Path}/booted && exec sleep 600; sleep 600 & echo unit=$!; read x < {Fifo()}; exit 129",
            rebootExitCode: "129"
        );
        await bench.StartAsync();
        var unit = await bench.WaitForProcessIdAsync("unit");
        var from = bench.Changes.Count;

        bench.Folder.Write("booted", "");
        await File.WriteAllTextAsync(Fifo(), "go\n");
        await bench.WaitForStateAsync("Host", "running", from);

        LauncherBench.IsAlive(unit).ShouldBeFalse();
    }

    [Theory]
    [InlineData("exit 1")]
    [InlineData("kill -HUP $$")] // A shell would show 129 for this one, too.
    public async Task End_OfTheHostsModuleOtherwise_LeavesItsUnitsAndRebootsNothing(string end)
    {
        bench.Add("Host", $"sleep 600 & echo unit=$!; {end}", rebootExitCode: "129");
        bench.Add("A", Service);
        await bench.StartAsync();
        var unit = await bench.WaitForProcessIdAsync("unit");

        await bench.WaitForStateAsync("Host", "backoff");

        LauncherBench.IsAlive(unit).ShouldBeTrue();
        bench.Changes.ShouldNotContain(state => state.ModuleId == "A" && state.RuntimeStatus == "stopped");
        await bench.Launcher.DisposeAsync();
        LauncherBench.IsAlive(unit).ShouldBeFalse();
    }

    [Theory]
    [InlineData("0")]
    [InlineData("256")]
    [InlineData("soon")]
    public void Make_BadRebootLabel_IsRefused(string label)
    {
        bench.Add("Host", Service, rebootExitCode: label);

        Should.Throw<MisconfiguredException>(() => bench.Make()).Message.ShouldContain(ModuleLauncher.HostRebootLabel);
    }

    [Fact]
    public async Task Start_ExceptedAndUnwantedModules_AreNotStarted()
    {
        bench.Add("A", Service);
        bench.Add("B", Service, wanted: false);
        bench.Add("C", Service);
        bench.Except.Add("A");
        await bench.StartAsync();

        bench.Launcher.List().Select(state => state.RuntimeStatus).ShouldBe(["unknown", "stopped", "running"]);
        (
            await Should.ThrowAsync<ArgumentException>(async () => await bench.Launcher.KillAsync("A"))
        ).Message.ShouldContain("C are");
    }

    [Fact]
    public void Make_ExceptUnknownModule_SaysWhichThereAre()
    {
        bench.Add("A", Service);
        bench.Except.Add("B");

        Should.Throw<MisconfiguredException>(() => bench.Make()).Message.ShouldContain("It has A.");
    }

    [Fact]
    public async Task Start_ModuleWithoutProgram_FailsAloneAndSaysWhatToDo()
    {
        bench.Add("NoProgram", Service);
        bench.Add("A", Service);
        await bench.StartAsync();

        var states = bench.Launcher.List();
        states.Select(state => state.RuntimeStatus).ShouldBe(["failed", "running"]);
        states[0].StatusDescription.ShouldContain("--program NoProgram=PATH");
    }

    [Fact]
    public async Task Start_ProgramThatCannotRun_FailsWithTheReason()
    {
        bench.Add("A", Service);
        await bench.StartAsync(program: bench.Folder.Write("not-executable", "x"));

        bench.Launcher.List().Single().RuntimeStatus.ShouldBe("failed");
        bench.Launcher.List().Single().StatusDescription.ShouldContain("Permission denied");
    }

    [Fact]
    public void Make_ModuleThatTheHubDoesNotKnow_IsRefused()
    {
        bench.Add("Unknown", Service);

        Should.Throw<MisconfiguredException>(() => bench.Make()).Message.ShouldContain("Module Unknown");
    }

    [Fact]
    public async Task Output_OfAModule_IsShownWithItsNameAndKept()
    {
        bench.Add("A", "echo out; echo err >&2; printf 'no end'; exit 0", RestartPolicy.Never);
        bench.Add("Longer", Service);
        await bench.StartAsync();
        await bench.WaitForStateAsync("A", "stopped");

        bench
            .Console.Lines.Where(line => line.StartsWith('A'))
            .ShouldBe(["A      | out", "A      | err", "A      | no end"]);
        File.ReadAllText(Path.Combine(bench.Data, "logs", "A.log")).ShouldBe("out\nerr\nno end\n");
    }

    [Fact]
    public async Task Output_LineLongerThanAllowed_ComesInPieces()
    {
        bench.Add(
            "A",
            $"head -c {ModuleOutput.LongestLine + 10} /dev/zero | tr '\\0' x; echo; exit 0",
            RestartPolicy.Never
        );
        await bench.StartAsync();
        await bench.WaitForStateAsync("A", "stopped");

        bench.Console.Lines.Select(line => line.Length - "A | ".Length).ShouldBe([ModuleOutput.LongestLine, 10]);
    }

    private string Fifo()
    {
        var path = bench.Folder.File("fifo");
        if (!File.Exists(path))
        {
            using var process = System.Diagnostics.Process.Start("mkfifo", path);
            process.WaitForExit();
        }
        return path;
    }
}
