using System.Diagnostics;
using EdgeDm.Contracts;
using EdgeDm.HostAccess.Configuration;
using EdgeDm.HostAccess.Hosts;
using EdgeDm.HostAccess.Hosts.Linux;
using EdgeDm.HostAccess.Tests.Support;

namespace EdgeDm.HostAccess.Tests.Hosts.Linux;

/// <summary>
/// The Linux host against a real systemd, that of a container made for it; never the machine's own. Run by hand: <c>EDGEDM_TEST_HOST_BUS</c>
/// is the container's system bus, <c>EDGEDM_TEST_HOST_FOLDER</c> a folder that it has under the same path, <c>EDGEDM_TEST_HOST_EXEC</c> the
/// command that runs a program in it, for example <c>docker exec NAME</c>. Rebooting the container is the last test's business.
/// </summary>
public sealed class RealHostTests : IAsyncLifetime
{
    private readonly string data = Path.Combine(Setting("FOLDER"), Guid.NewGuid().ToString("N"));
    private readonly LogSignals logs = new();
    private LinuxHost host = null!;

    public async ValueTask InitializeAsync()
    {
        Write("run/host/os-release", Execute("cat", "/etc/os-release"));
        Write("proc/sys/kernel/random/boot_id", Execute("cat", "/proc/sys/kernel/random/boot_id"));
        host = await OpenAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await host.DisposeAsync();
        Directory.Delete(data, recursive: true);
    }

    [Fact(Explicit = true)]
    public void Read_RealHost_TellsWhoItIsAndThatItCan()
    {
        var facts = host.Read();
        const string Version = """. /etc/os-release; echo "${IMAGE_VERSION:-$VERSION_ID}" """;
        facts.FirmwareVersion.ShouldBe(Execute("sh", "-c", Version));
        facts.Hostname.ShouldBe(Execute("hostname"));
        facts.MachineId.ShouldBe(Execute("cat", "/etc/machine-id"));
        host.Uptime.ShouldBeGreaterThan(TimeSpan.Zero);
        facts.LastBootTime.ShouldBe(DateTimeOffset.UtcNow - host.Uptime, TimeSpan.FromSeconds(3));
        // Whether a container has these is its engine's and its image's business.
        host.ReadCapabilities().Where(c => !c.Available && c.Name is not "slots" and not "watchdog").ShouldBeEmpty();
    }

    /// <summary>systemd takes the time although the container has no device; a folder of the test's plays the kernel that shows one.</summary>
    [Fact(Explicit = true)]
    public void Watchdog_ArmedAndPutBack_IsWhatSystemdSays()
    {
        Write("sys/class/watchdog/watchdog0/identity", "test\n");
        host.ArmWatchdog(TimeSpan.FromSeconds(60));
        Execute("systemctl", "show", "--property=RuntimeWatchdogUSec", "--value").ShouldBe("1min");
        host.PutWatchdogBack(TimeSpan.FromSeconds(60));
        Execute("systemctl", "show", "--property=RuntimeWatchdogUSec", "--value").ShouldBe("0");
    }

    [Fact(Explicit = true)]
    public async Task Units_ProgramThatExits_IsFoundByAnotherHostAccessWithItsExitCodeAndOutput()
    {
        host.Units.Start(
            Unit("exits", """printf '%s|' "$@"; echo "$WORD from $PWD"; echo error >&2; sleep 1; exit 3""")
        );
        host.Units.Query(Named("exits")).Phase.ShouldBe(UnitPhase.Running);
        await using var next = await OpenAsync();
        (await EndOfAsync(next, "exits")).ShouldBe(new(UnitPhase.Exited, 3));
        next.Units.ReadOutput(Named("exits")).ShouldBe($"$HOME|%n|a b|\"|hello from {data}\nerror\n");
        next.Units.Start(Unit("exits", "exit 4")).ShouldBe(new(UnitPhase.Exited, 3));
        next.Units.List().ShouldBe([Named("exits")]);
        next.Units.Remove(Named("exits"));
        next.Units.Query(Named("exits")).ShouldBe(UnitState.Missing);
        Execute("systemctl", "list-units", "--all", "--no-legend", "--plain", $"{Named("exits")}.service")
            .ShouldBeEmpty();
    }

    [Theory(Explicit = true)]
    [InlineData("exit 0", 0)]
    [InlineData("kill -TERM $$", 143)]
    [InlineData("kill -KILL $$", 137)]
    public async Task Units_AnyEnd_IsToldAsItWas(string script, int exitCode)
    {
        host.Units.Start(Unit("ends", script));
        (await EndOfAsync(host, "ends")).ShouldBe(new(UnitPhase.Exited, exitCode));
        host.Units.Remove(Named("ends"));
    }

    [Fact(Explicit = true)]
    public async Task Units_ProgramThatIsNotThere_Ends203()
    {
        host.Units.Start(Unit("nowhere", "") with { Program = "/nowhere/program" });
        (await EndOfAsync(host, "nowhere")).ShouldBe(new(UnitPhase.Exited, UnitState.ExecFailed));
        host.Units.Remove(Named("nowhere"));
    }

    [Fact(Explicit = true)]
    public async Task Units_OverItsTime_IsEndedWithWhatItStarted()
    {
        host.Units.Start(Unit("long", "setsid sleep 1234 & sleep 1234") with { TimeLimit = TimeSpan.FromSeconds(1) });
        (await EndOfAsync(host, "long")).ShouldBe(UnitState.TimedOut);
        Processes("sleep 1234").ShouldBeEmpty();
        host.Units.Remove(Named("long"));
    }

    [Fact(Explicit = true)]
    public async Task Units_WhatASuccessLeavesBehind_IsEndedBeforeTheEndIsTold()
    {
        host.Units.Start(Unit("leaves", "setsid sleep 2345 & exit 0"));
        (await EndOfAsync(host, "leaves")).ShouldBe(new(UnitPhase.Exited, 0));
        Processes("sleep 2345").ShouldBeEmpty();
        host.Units.Remove(Named("leaves"));
    }

    [Fact(Explicit = true)]
    public void Units_RemovedWhileRunning_IsEnded()
    {
        host.Units.Start(Unit("removed", "trap '' TERM; while :; do sleep 3456; done"));
        host.Units.Remove(Named("removed"));
        Processes("sleep 3456").ShouldBeEmpty();
        host.Units.Query(Named("removed")).ShouldBe(UnitState.Missing);
    }

    [Fact(Explicit = true)]
    public async Task Units_StoppedBySomebodyElse_WasInterruptedAndIsNotStartedAgain()
    {
        host.Units.Start(Unit("stopped", "sleep 4567"));
        Execute("systemctl", "stop", $"{Named("stopped")}.service");
        (await EndOfAsync(host, "stopped")).ShouldBe(UnitState.Interrupted);
        host.Units.Start(Unit("stopped", "sleep 4567")).ShouldBe(UnitState.Interrupted);
        host.Units.Remove(Named("stopped"));
    }

    [Fact(Explicit = true)]
    public async Task Units_OutputWithoutEnd_IsCutShort()
    {
        host.Units.Start(Unit("loud", "yes abcdefg | head -c 3000000; echo end; sleep 1"));
        (await EndOfAsync(host, "loud")).ShouldBe(new(UnitPhase.Exited, 0));
        var output = host.Units.ReadOutput(Named("loud"));
        output.ShouldEndWith("end\n");
        output.Length.ShouldBeLessThanOrEqualTo(UnitOutput.Limit);
        host.Units.Remove(Named("loud"));
    }

    [Fact(Explicit = true)]
    public void Units_ArgumentsThatSystemdRefuses_AreToldAndForgotten()
    {
        var wrong = Unit("wrong", "") with { WorkingFolder = "no/absolute/path" };
        Should.Throw<EdgeDmException>(() => host.Units.Start(wrong)).Error.Name.ShouldBe("hostServiceRefused");
        host.Units.Query(Named("wrong")).ShouldBe(UnitState.Missing);
    }

    [Fact(Explicit = true)]
    public void Clock_Timezone_IsSetAndAnUnknownOneRefused()
    {
        host.Clock.SetTimezone("Asia/Tokyo").Timezone.ShouldBe("Asia/Tokyo");
        Execute("readlink", "/etc/localtime").ShouldEndWith("Asia/Tokyo");
        Should.Throw<EdgeDmException>(() => host.Clock.SetTimezone("Mars/Olympus")).Error.Name.ShouldBe("invalidValue");
        host.Clock.SetTimezone("UTC").Timezone.ShouldBe("UTC");
    }

    /// <summary>In a container timesyncd's condition fails, and timedated says yes all the same.</summary>
    [Fact(Explicit = true)]
    public void Clock_NetworkTimeThatDoesNotStart_IsNoticed()
    {
        var error = Should.Throw<EdgeDmException>(() => host.Clock.SetNtp(enabled: true)).Error;
        error.Name.ShouldBe("noEffect");
        error.Parameters["found"].ShouldBe("off");
        host.Clock.SetNtp(enabled: false).NtpEnabled.ShouldBeFalse();
    }

    /// <summary>The container must not have the right: its clock is the machine's.</summary>
    [Fact(Explicit = true)]
    public void Clock_HostThatMayNot_IsToldSo() =>
        Should
            .Throw<EdgeDmException>(() => host.Clock.SetTime(DateTimeOffset.UtcNow))
            .Error.Name.ShouldBe("hostServiceRefused");

    [Fact(Explicit = true)]
    public async Task Reboot_BlockedByALock_NamesItsHolder()
    {
        host.RequireRebootable();
        using var holder = Process.Start(
            Command(
                "systemd-inhibit",
                "--what=shutdown",
                "--who=Press 4",
                "--why=a part is in it",
                "--mode=block",
                "sleep",
                "300"
            )
        )!;
        var error = await ThrownAsync(host.RequireRebootable);
        error.Name.ShouldBe("rebootInhibited");
        error.Parameters["who"].ShouldBe("Press 4");
        error.Parameters["why"].ShouldBe("a part is in it");
        Should.Throw<EdgeDmException>(() => host.Reboot("test")).Error.Name.ShouldBe("rebootInhibited");
        Execute("pkill", "-f", "sleep 300");
        await holder.WaitForExitAsync();
    }

    [Fact(Explicit = true)]
    public async Task Reboot_OverALock_IsAnotherInstanceWithTheUnitInterrupted()
    {
        host.Units.Start(Unit("cut", "sleep 5678"));
        var before = host.InstanceId;
        using var holder = Process.Start(
            Command("systemd-inhibit", "--what=shutdown", "--mode=block", "sleep", "300")
        )!;
        await ThrownAsync(host.RequireRebootable);
        await using (var overriding = await OpenAsync(overrideInhibitors: true))
        {
            overriding.Reboot("test");
        }
        await UntilAsync(() =>
        {
            try
            {
                host.Read();
                return host.Down.IsCompleted;
            }
            catch (EdgeDmException)
            {
                return host.Down.IsCompleted;
            }
        });
        await using var next = await OpenAsync();
        next.InstanceId.ShouldNotBe(before);
        next.Uptime.ShouldBeLessThan(host.Uptime);
        next.Units.Query(Named("cut")).ShouldBe(UnitState.Interrupted);
        next.Units.Start(Unit("cut", "exit 0")).ShouldBe(UnitState.Interrupted);
        next.Units.Remove(Named("cut"));
    }

    private static string Setting(string name)
    {
        var value = Environment.GetEnvironmentVariable($"EDGEDM_TEST_HOST_{name}");
        Assert.SkipWhen(value is null, $"EDGEDM_TEST_HOST_{name} is not set.");
        return value!;
    }

    private Task<LinuxHost> OpenAsync(bool overrideInhibitors = false) =>
        LinuxHost.OpenAsync(
            new LinuxHostOptions("Contoso", "Gateway", Setting("BUS"), overrideInhibitors),
            data,
            TimeProvider.System,
            logs,
            Path.Combine(data, "root")
        );

    private void Write(string path, string text)
    {
        var full = Path.Combine(data, "root", path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, text);
    }

    private string Named(string name) => $"edgedm-{Path.GetFileName(data)}-{name}";

    private UnitSpec Unit(string name, string script) =>
        new(
            Named(name),
            "/bin/sh",
            ["-c", script, "sh", "$HOME", "%n", "a b", "\""],
            data,
            new Dictionary<string, string>(StringComparer.Ordinal) { ["WORD"] = "hello", ["PATH"] = "/usr/bin:/bin" },
            TimeSpan.FromMinutes(1)
        );

    private async Task<UnitState> EndOfAsync(LinuxHost of, string name)
    {
        var state = UnitState.Running;
        await UntilAsync(() => (state = of.Units.Query(Named(name))).Phase != UnitPhase.Running);
        return state;
    }

    /// <summary>A lock is taken by another program, which takes its time.</summary>
    private static async Task<ErrorObject> ThrownAsync(Action action)
    {
        ErrorObject? error = null;
        await UntilAsync(() =>
        {
            try
            {
                action();
                return false;
            }
            catch (EdgeDmException thrown)
            {
                error = thrown.Error;
                return true;
            }
        });
        return error!;
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(TestGateway.Patience);
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (!condition())
        {
            await tick.WaitForNextTickAsync(limit.Token);
        }
    }

    private static string Processes(string commandLine) =>
        string.Join('\n', Execute("ps", "-eo", "args").Split('\n').Where(line => line == commandLine));

    private static string Execute(params string[] command)
    {
        using var process = Process.Start(Command(command))!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return output.Trim();
    }

    private static ProcessStartInfo Command(params string[] command)
    {
        var words = Setting("EXEC").Split(' ');
        return new(words[0], [.. words[1..], .. command]) { RedirectStandardOutput = true, UseShellExecute = false };
    }
}
