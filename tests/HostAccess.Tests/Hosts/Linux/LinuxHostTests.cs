using EdgeDm.Contracts;
using EdgeDm.HostAccess.Tests.Hosts.Linux.Support;
using EdgeDm.HostAccess.Tests.Support;
using EdgeDm.Testing;

namespace EdgeDm.HostAccess.Tests.Hosts.Linux;

/// <summary>The Linux host's own logic; stand-ins on a real bus say what systemd and its peers would.</summary>
public sealed class LinuxHostTests : IAsyncLifetime
{
    private const string Manager = "org.freedesktop.login1.Manager";
    private const string TimeDate = "org.freedesktop.timedate1";
    private static readonly DateTimeOffset Noon = new(2030, 1, 2, 12, 0, 0, TimeSpan.Zero);

    private StandInHost standIn = null!;
    private string zone = "UTC";
    private bool ntp;
    private DateTimeOffset clock = Noon;

    public async ValueTask InitializeAsync()
    {
        standIn = await StandInHost.StartAsync();
        standIn
            .Services.Property(TimeDate, "Timezone", "s", () => zone)
            .Property(TimeDate, "NTP", "b", () => ntp)
            .Property(TimeDate, "CanNTP", "b", () => true)
            .Property(TimeDate, "NTPSynchronized", "b", () => false)
            .Property(TimeDate, "TimeUSec", "t", () => (ulong)clock.ToUnixTimeMilliseconds() * 1000);
    }

    public ValueTask DisposeAsync() => standIn.DisposeAsync();

    [Fact]
    public async Task Open_HostThatSystemdStarted_IsAnInstanceOfBootAndStart()
    {
        var time = new FakeTimeProvider();
        time.Advance(TimeSpan.FromSeconds(65));
        await using var host = await standIn.OpenAsync(time: time);
        host.InstanceId.ShouldBe("0b0c-4c4b40");
        host.Uptime.ShouldBe(TimeSpan.FromMinutes(1));
        host.Read().LastBootTime.ShouldBe(time.GetUtcNow() - TimeSpan.FromMinutes(1));
        host.Read().FirmwareVersion.ShouldBe("1.2");
        host.Read().MachineId.ShouldBe("00112233445566778899aabbccddeeff");
    }

    [Fact]
    public async Task BusRestarted_SameHost_FailsOnceAndGoesOn()
    {
        await using var host = await standIn.OpenAsync();
        await standIn.Bus.StopAsync();
        var error = Should.Throw<EdgeDmException>(() => host.Clock.Read()).Error;
        error.Name.ShouldBe("hostServiceUnavailable");
        HostErrors.IsPassing(new EdgeDmException(error)).ShouldBeTrue();
        await standIn.Services.DisposeAsync();
        await standIn.Bus.RestartAsync();
        await standIn.ServeAsync();
        host.Read().Manufacturer.ShouldBe("Contoso");
        host.Down.IsCompleted.ShouldBeFalse();
    }

    [Fact]
    public async Task BusRestarted_OtherStartOfTheHost_DoesNothingMoreAndEndsHostAccess()
    {
        await using var host = await standIn.OpenAsync();
        await standIn.Bus.StopAsync();
        await standIn.Services.DisposeAsync();
        await standIn.Bus.RestartAsync();
        standIn.Start++;
        await standIn.ServeAsync();
        Should.Throw<EdgeDmException>(() => host.Read());
        (await host.Down.WaitAsync(TestGateway.Patience)).ShouldBe(1);
        Should.Throw<EdgeDmException>(() => host.Reboot("test")).Error.Name.ShouldBe("hostServiceUnavailable");
        standIn.Services.Calls.ShouldNotContain(call => call.Interface == Manager);
    }

    [Fact]
    public async Task Capabilities_ServicesThatAreNotThere_AreLackingWithAReason()
    {
        standIn.Services.On("CanReboot", "s", _ => ["na"]);
        await using var host = await standIn.OpenAsync();
        var lacking = host.ReadCapabilities().Where(c => !c.Available).ToDictionary(c => c.Name, c => c.Reason!);
        lacking.Keys.ShouldBe(["reboot", "identity", "slots", "watchdog"]);
        lacking["reboot"].ShouldContain("'na'");
        lacking["identity"].ShouldContain("org.freedesktop.hostname1");
    }

    [Theory]
    [InlineData("shutdown:sleep", "block", true)]
    [InlineData("shutdown", "block-weak", true)]
    [InlineData("shutdown", "delay", false)]
    [InlineData("sleep", "block", false)]
    public async Task Reboot_LockOfAKind_RefusesOnlyWhatBlocksAShutdown(string what, string mode, bool refuses)
    {
        Inhibit(what, mode);
        standIn.Services.On("RebootWithFlags", "", _ => []);
        await using var host = await standIn.OpenAsync();
        var error = Record(() => host.Reboot("test"));
        error?.Name.ShouldBe("rebootInhibited");
        (error is not null).ShouldBe(refuses);
        standIn.Services.Calls.Any(call => call.Member == "RebootWithFlags").ShouldBe(!refuses);
    }

    [Fact]
    public async Task Reboot_LockTakenInBetween_IsRefusedByTheLoginManager()
    {
        standIn.Services.On("ListInhibitors", "a(ssssuu)", _ => [Array.Empty<object>()]);
        standIn.Services.Fail("RebootWithFlags", "org.freedesktop.DBus.Error.AccessDenied", "active block inhibitor");
        await using var host = await standIn.OpenAsync();
        var error = Record(() => host.Reboot("test"))!;
        error.Name.ShouldBe("rebootInhibited");
        error.Parameters["why"].ShouldBe("active block inhibitor");
    }

    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 16)]
    public async Task Reboot_OlderLoginManager_IsAskedAgainInItsOwnWay(bool overrides, ulong flag)
    {
        Inhibit("shutdown", overrides ? "block" : "delay");
        standIn.Services.Fail("RebootWithFlags", "org.freedesktop.DBus.Error.InvalidArgs").On("Reboot", "", _ => []);
        await using var host = await standIn.OpenAsync(overrides);
        host.RequireRebootable();
        host.Reboot("test");
        var calls = standIn.Services.Calls.Where(call => call.Interface == Manager && call.Member != "ListInhibitors");
        calls.Select(call => call.Member).ShouldBe(["RebootWithFlags", "Reboot"]);
        calls.First().Body.ShouldBe([flag]);
        calls.Last().Body.ShouldBe([false]);
    }

    [Fact]
    public async Task SetTimezone_ReadBack_IsTheAnswerOrAnError()
    {
        standIn.Services.On("SetTimezone", "", call => Do(() => zone = call.Read<string>()));
        await using var host = await standIn.OpenAsync();
        host.Clock.SetTimezone("Europe/Berlin").Timezone.ShouldBe("Europe/Berlin");
        standIn.Services.On("SetTimezone", "", _ => []);
        var error = Record(() => host.Clock.SetTimezone("Asia/Tokyo"))!;
        error.Name.ShouldBe("noEffect");
        error.Parameters["found"].ShouldBe("Europe/Berlin");
        standIn.Services.Fail("SetTimezone", "org.freedesktop.DBus.Error.InvalidArgs");
        Record(() => host.Clock.SetTimezone("Mars/Olympus"))!.Name.ShouldBe("invalidValue");
    }

    [Fact]
    public async Task SetTime_ReadBack_IsTheAnswerOrAnError()
    {
        var wanted = Noon.AddYears(1);
        standIn.Services.On(
            "SetTime",
            "",
            call => Do(() => clock = DateTimeOffset.UnixEpoch.AddMicroseconds(call.Read<long>()))
        );
        await using var host = await standIn.OpenAsync();
        host.Clock.SetTime(wanted).Time.ShouldBe(wanted);
        standIn.Services.On("SetTime", "", _ => []);
        Record(() => host.Clock.SetTime(Noon))!.Name.ShouldBe("noEffect");
        standIn.Services.Fail("SetTime", "org.freedesktop.timedate1.AutomaticTimeSyncEnabled");
        Record(() => host.Clock.SetTime(Noon))!.Name.ShouldBe("clockSynchronized");
        standIn.Services.Fail("SetTime", "org.freedesktop.DBus.Error.AccessDenied", "Operation not permitted");
        Record(() => host.Clock.SetTime(Noon))!
            .Parameters["dbusError"]
            .ShouldBe("org.freedesktop.DBus.Error.AccessDenied");
    }

    [Fact]
    public async Task SetNtp_ServiceThatStartsAndFails_IsNoSuccess()
    {
        // On while it starts, off when it has failed: it has to look the same twice.
        standIn.Services.On("SetNTP", "", call => Do(() => ntp = call.Read<bool>()));
        await using var host = await standIn.OpenAsync();
        host.Clock.SetNtp(enabled: true).NtpEnabled.ShouldBeTrue();
        var looks = 0;
        ntp = false;
        standIn.Services.On("SetNTP", "", _ => []).Property(TimeDate, "NTP", "b", () => ++looks == 1);
        Record(() => host.Clock.SetNtp(enabled: true))!.Name.ShouldBe("noEffect");
        standIn.Services.Fail("SetNTP", "org.freedesktop.timedate1.NoNTPSupport");
        Record(() => host.Clock.SetNtp(enabled: true))!.Name.ShouldBe("notSupportedOnHost");
    }

    private void Inhibit(string what, string mode) =>
        standIn.Services.On(
            "ListInhibitors",
            "a(ssssuu)",
            _ => [new object[] { new object[] { what, "who", "why", mode, 0u, 1u } }]
        );

    private static object[] Do(Action action)
    {
        action();
        return [];
    }

    private static ErrorObject? Record(Action action)
    {
        try
        {
            action();
            return null;
        }
        catch (EdgeDmException error)
        {
            return error.Error;
        }
    }
}
