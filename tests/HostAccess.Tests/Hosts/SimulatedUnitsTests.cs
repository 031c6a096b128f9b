using EdgeDm.HostAccess.Hosts;
using EdgeDm.HostAccess.Hosts.Simulated;
using EdgeDm.HostAccess.Tests.Support;

namespace EdgeDm.HostAccess.Tests.Hosts;

/// <summary>Units are real processes with a real runner.</summary>
public sealed class SimulatedUnitsTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("edh").FullName;
    private readonly SimulatedUnits units;

    public SimulatedUnitsTests() => units = Open();

    public void Dispose()
    {
        units.EndAll();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void Start_ProgramThatExits_KeepsItsExitCodeAndOutput()
    {
        units.Start(Unit("u", "echo \"$WORD from $PWD\"; echo error >&2; exit 3"));
        WaitFor("u").ShouldBe(new(UnitPhase.Exited, 3));
        units.ReadOutput("u").ShouldBe($"hello from {folder}\nerror\n");
        units.List().ShouldBe(["u"]);
        units.Remove("u");
        units.Query("u").ShouldBe(UnitState.Missing);
    }

    [Fact]
    public void Start_SameNameAgain_FindsTheFirst()
    {
        units.Start(Unit("u", "echo once >> lines"));
        units.Start(Unit("u", "echo twice >> lines"));
        WaitFor("u");
        Open().Start(Unit("u", "echo thrice >> lines")).Phase.ShouldBe(UnitPhase.Exited);
        File.ReadAllText(Path.Combine(folder, "lines")).ShouldBe("once\n");
    }

    [Fact]
    public async Task Run_TwoRunnersForOneFolder_StartTheProgramOnce()
    {
        var path = Path.Combine(folder, "units", "u");
        new UnitFolder(path).WriteSpec(Unit("u", "echo once >> lines"));
        var runner = Path.Combine(AppContext.BaseDirectory, "EdgeDm.HostAccess");
        var both = Enumerable
            .Range(0, 2)
            .Select(_ => System.Diagnostics.Process.Start(runner, [UnitRunner.SubCommand, path]))
            .ToList();
        foreach (var process in both)
        {
            await process.WaitForExitAsync().WaitAsync(TestGateway.Patience);
            process.Dispose();
        }
        File.ReadAllText(Path.Combine(folder, "lines")).ShouldBe("once\n");
        units.Query("u").ShouldBe(new(UnitPhase.Exited));
    }

    [Fact]
    public async Task Run_UnitThatWasStartedAndNeverEnded_StartsNothing()
    {
        var path = Path.Combine(folder, "units", "u");
        var records = new UnitFolder(path);
        records.WriteSpec(Unit("u", "echo again >> lines"));
        records.WriteStarted(new(Id: 1, StartTime: 0)); // A runner that was killed.
        using var runner = System.Diagnostics.Process.Start(
            Path.Combine(AppContext.BaseDirectory, "EdgeDm.HostAccess"),
            [UnitRunner.SubCommand, path]
        );
        await runner.WaitForExitAsync().WaitAsync(TestGateway.Patience);
        File.Exists(Path.Combine(folder, "lines")).ShouldBeFalse();
        units.Query("u").ShouldBe(UnitState.Interrupted);
    }

    [Fact]
    public void Start_ProgramThatCannotBeExecuted_Ends203()
    {
        units.Start(Unit("u", "") with { Program = "/nowhere/program" });
        WaitFor("u").ShouldBe(new(UnitPhase.Exited, UnitState.ExecFailed));
    }

    [Fact]
    public void Start_ProgramEndedByASignal_Tells128AndTheSignal()
    {
        units.Start(Unit("u", "kill -9 $$"));
        WaitFor("u").ShouldBe(new(UnitPhase.Exited, 128 + 9));
    }

    [Fact]
    public void Start_ProgramThatDaemonizes_LeavesNothingBehind()
    {
        units.Start(
            Unit(
                "u",
                "setsid sh -c 'setsid sleep 1000 & echo $! > child; sleep 1000' & while [ ! -s child ]; do :; done"
            )
        );
        WaitFor("u").ShouldBe(new(UnitPhase.Exited));
        Directory.Exists($"/proc/{File.ReadAllText(Path.Combine(folder, "child")).Trim()}").ShouldBeFalse();
    }

    [Fact]
    public void Start_RunnerThatCannotStart_Ends203()
    {
        var broken = new SimulatedUnits(Path.Combine(folder, "units"), new("/bin/false", []), new LogSignals());
        broken.Start(Unit("u", "echo never"));
        WaitFor("u", broken).ShouldBe(new(UnitPhase.Exited, UnitState.ExecFailed));
    }

    [Fact]
    public async Task Query_RunnerKilled_IsInterrupted()
    {
        var gate = new Gate(Path.Combine(folder, "gate"));
        units.Start(Unit("u", "read line < gate"));
        await using var open = await gate.ReachedAsync();
        units.Query("u").ShouldBe(UnitState.Running);
        new UnitFolder(Path.Combine(folder, "units", "u")).ReadStarted()!.Kill();
        WaitFor("u").ShouldBe(UnitState.Interrupted);
    }

    [Fact]
    public async Task EndAll_RunningUnit_IsEndedAndInterruptedForEver()
    {
        var gate = new Gate(Path.Combine(folder, "gate"));
        units.Start(Unit("u", "echo $$ > child; read line < gate"));
        await using (await gate.ReachedAsync())
        {
            Open().EndAll();
        }
        units.Query("u").ShouldBe(UnitState.Interrupted);
        units.Start(Unit("u", "echo again >> lines")).ShouldBe(UnitState.Interrupted);
        Directory.Exists($"/proc/{File.ReadAllText(Path.Combine(folder, "child")).Trim()}").ShouldBeFalse();
    }

    [Fact]
    public async Task Remove_RunningUnit_EndsIt()
    {
        var gate = new Gate(Path.Combine(folder, "gate"));
        units.Start(Unit("u", "echo $$ > child; read line < gate"));
        await using (await gate.ReachedAsync())
        {
            units.Remove("u");
        }
        units.Query("u").ShouldBe(UnitState.Missing);
        Directory.Exists($"/proc/{File.ReadAllText(Path.Combine(folder, "child")).Trim()}").ShouldBeFalse();
    }

    [Fact]
    public void ReadOutput_MoreThanTheLimit_IsTheLastOfIt()
    {
        units.Start(
            Unit(
                "u",
                "i=0; while [ $i -lt 3000 ]; do echo \"line $i 0123456789012345678901234567890123456789\"; i=$((i+1)); done"
            )
        );
        WaitFor("u");
        var output = units.ReadOutput("u");
        output.Length.ShouldBe(UnitOutput.Limit);
        output.ShouldEndWith("line 2999 0123456789012345678901234567890123456789\n");
        Directory
            .EnumerateFiles(Path.Combine(folder, "units", "u"), "output*")
            .Sum(path => new FileInfo(path).Length)
            .ShouldBeLessThanOrEqualTo(2 * UnitOutput.Limit);
    }

    [Theory]
    [InlineData("")]
    [InlineData("../u")]
    [InlineData(".u")]
    public void Query_NameThatIsNone_Throws(string name) => Should.Throw<ArgumentException>(() => units.Query(name));

    private SimulatedUnits Open() =>
        new(
            Path.Combine(folder, "units"),
            new(Path.Combine(AppContext.BaseDirectory, "EdgeDm.HostAccess"), [UnitRunner.SubCommand]),
            new LogSignals()
        );

    private UnitSpec Unit(string name, string script) =>
        new(
            name,
            "/bin/sh",
            ["-c", script],
            folder,
            new Dictionary<string, string>(StringComparer.Ordinal) { ["WORD"] = "hello", ["PATH"] = "/usr/bin:/bin" },
            TestGateway.Patience
        );

    private UnitState WaitFor(string name, SimulatedUnits? of = null)
    {
        SpinWait.SpinUntil(() => (of ?? units).Query(name).Phase != UnitPhase.Running, TestGateway.Patience);
        return (of ?? units).Query(name);
    }
}
