using EdgeDm.Contracts;
using EdgeDm.HostAccess.Hosts;
using EdgeDm.HostAccess.Hosts.Linux;
using EdgeDm.HostAccess.Hosts.Linux.DBus;
using EdgeDm.HostAccess.Tests.Hosts.Linux.Support;

namespace EdgeDm.HostAccess.Tests.Hosts.Linux;

/// <summary>What is made of what systemd says; a stand-in says it.</summary>
public sealed class SystemdUnitsTests : IAsyncLifetime
{
    private const string Name = "edgedm-u";
    private const string OnHost = Name + ".service";

    private StandInHost standIn = null!;
    private LinuxHost host = null!;

    public async ValueTask InitializeAsync()
    {
        standIn = await StandInHost.StartAsync();
        host = await standIn.OpenAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await host.DisposeAsync();
        await standIn.DisposeAsync();
    }

    [Fact]
    public void Start_Unit_IsHandedToSystemdAsItIs()
    {
        host.Units.Start(Unit() with { Arguments = ["a b", "$HOME", "100%"], TimeLimit = TimeSpan.FromSeconds(2) });
        var call = standIn.Services.Calls.Single(c => c.Member == "StartTransientUnit");
        call.Read<string>(0).ShouldBe(OnHost);
        call.Read<string>(1).ShouldBe("fail");
        var properties = call.Read<object[]>(2)
            .Cast<object[]>()
            .ToDictionary(p => (string)p[0], p => ((DBusVariant)p[1]).Value, StringComparer.Ordinal);
        var command = (object[])((object[])properties["ExecStart"])[0];
        command[0].ShouldBe("/bin/true");
        // systemd makes one dollar sign of two.
        command[1].ShouldBe(new object[] { "/bin/true", "a b", "$$HOME", "100%" });
        properties["WorkingDirectory"].ShouldBe("/work");
        properties["Environment"].ShouldBe(new object[] { "A=1" });
        properties["RuntimeMaxUSec"].ShouldBe(2_000_000ul);
        properties["RemainAfterExit"].ShouldBe(true);
        properties["KillMode"].ShouldBe("control-group");
        var output = (string)properties["StandardOutputFileToAppend"];
        File.GetUnixFileMode(output).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.WriteAllText(output, "said");
        host.Units.ReadOutput(Name).ShouldBe("said");
    }

    [Theory]
    [InlineData("running", "success", 0, 0, 0, "Running", 0)]
    [InlineData("stop-sigterm", "timeout", 0, 0, 0, "Running", 0)]
    [InlineData("dead", "success", 7, 0, 0, "Running", 0)]
    [InlineData("exited", "success", 0, 1, 0, "Exited", 0)]
    [InlineData("failed", "exit-code", 0, 1, 3, "Exited", 3)]
    [InlineData("failed", "exit-code", 0, 1, 203, "Exited", 203)]
    [InlineData("failed", "signal", 0, 2, 9, "Exited", 137)]
    [InlineData("failed", "core-dump", 0, 3, 11, "Exited", 139)]
    [InlineData("failed", "timeout", 0, 2, 15, "TimedOut", 0)]
    [InlineData("failed", "resources", 0, 0, 0, "Exited", 203)]
    [InlineData("dead", "success", 0, 0, 0, "Interrupted", 0)]
    public void Query_StatesOfSystemd_AreTheUnits(
        string subState,
        string result,
        int job,
        int code,
        int status,
        string phase,
        int exitCode
    )
    {
        host.Units.Start(Unit());
        standIn.Units[OnHost] = new()
        {
            SubState = subState,
            Result = result,
            Job = (uint)job,
            Code = code,
            Status = status,
        };
        host.Units.Query(Name).ShouldBe(new(Enum.Parse<UnitPhase>(phase), exitCode));
    }

    [Fact]
    public void Query_ResultThatWasSeen_StaysWhenSystemdForgetsIt()
    {
        host.Units.Start(Unit());
        standIn.Units[OnHost] = new()
        {
            SubState = "failed",
            Code = 1,
            Status = 3,
        };
        host.Units.Query(Name).ShouldBe(new(UnitPhase.Exited, 3));
        standIn.Units.Clear();
        host.Units.Query(Name).ShouldBe(new(UnitPhase.Exited, 3));
    }

    [Fact]
    public void Query_ProcessesLeftBehind_AreEndedFirst()
    {
        host.Units.Start(Unit());
        standIn.Units[OnHost] = new()
        {
            SubState = "exited",
            Code = 1,
            Processes = [new object[] { "/", 17u, "sleep" }],
        };
        host.Units.Query(Name).ShouldBe(UnitState.Running);
        standIn.Services.Calls.Last(c => c.Member == "KillUnit").Body.ShouldBe([OnHost, "all", 9]);
        host.Units.Query(Name).ShouldBe(new(UnitPhase.Exited));
    }

    [Fact]
    public void Start_NameThatIsKnown_IsNotStartedAgain()
    {
        host.Units.Start(Unit());
        host.Units.Start(Unit()).ShouldBe(UnitState.Running);
        standIn.Units.Clear();
        host.Units.Start(Unit()).ShouldBe(UnitState.Interrupted);
        Starts().ShouldBe(1);
    }

    [Fact]
    public async Task Start_AnotherStartOfTheHost_FindsTheUnitInterrupted()
    {
        host.Units.Start(Unit());
        standIn.Units.Clear();
        await host.DisposeAsync();
        standIn.Start++;
        host = await standIn.OpenAsync();
        host.Units.Start(Unit()).ShouldBe(UnitState.Interrupted);
        host.Units.List().ShouldBe([Name]);
        Starts().ShouldBe(1);
    }

    /// <summary>A crash between systemd's yes and the record of it.</summary>
    [Fact]
    public async Task Start_SystemdHasTheName_IsOurOwnStart()
    {
        standIn.Services.Fail("StartTransientUnit", "org.freedesktop.DBus.Error.NoReply");
        Should.Throw<EdgeDmException>(() => host.Units.Start(Unit())).Error.Name.ShouldBe("hostServiceUnavailable");
        standIn.Units[OnHost] = new();
        await host.DisposeAsync();
        host = await standIn.OpenAsync();
        host.Units.Start(Unit()).ShouldBe(UnitState.Running);
        Starts().ShouldBe(1);
    }

    /// <summary>Not known whether it was taken, and systemd does not have it: in the same start of the host it was not.</summary>
    [Fact]
    public async Task Start_NeverTaken_IsStartedInThisStartOfTheHostOnly()
    {
        standIn.Services.Fail("StartTransientUnit", "org.freedesktop.DBus.Error.NoReply");
        Should.Throw<EdgeDmException>(() => host.Units.Start(Unit()));
        host.Units.Query(Name).ShouldBe(UnitState.Missing);
        await host.DisposeAsync();
        standIn.Start++;
        host = await standIn.OpenAsync();
        host.Units.Query(Name).ShouldBe(UnitState.Interrupted);
    }

    [Fact]
    public void Start_RefusedBySystemd_IsToldAndForgotten()
    {
        standIn.Services.Fail("StartTransientUnit", "org.freedesktop.DBus.Error.InvalidArgs", "bad");
        Should.Throw<EdgeDmException>(() => host.Units.Start(Unit())).Error.Name.ShouldBe("hostServiceRefused");
        host.Units.List().ShouldBeEmpty();
    }

    [Theory]
    [InlineData("")]
    [InlineData("a/b")]
    [InlineData(".a")]
    [InlineData("a@b")]
    public void Start_NameThatIsNone_IsTheCallersError(string name) =>
        Should.Throw<ArgumentException>(() => host.Units.Start(Unit() with { Name = name }));

    private int Starts() => standIn.Services.Calls.Count(call => call.Member == "StartTransientUnit");

    private static UnitSpec Unit() =>
        new(
            Name,
            "/bin/true",
            [],
            "/work",
            new Dictionary<string, string>(StringComparer.Ordinal) { ["A"] = "1" },
            TimeSpan.FromMinutes(1)
        );
}
