using EdgeDm.Contracts;
using EdgeDm.HostAccess.Configuration;
using EdgeDm.HostAccess.Hosts.Simulated;
using EdgeDm.HostAccess.Tests.Support;
using EdgeDm.Testing;

namespace EdgeDm.HostAccess.Tests.Hosts;

public sealed class SimulatedHostTests : IDisposable
{
    private static readonly DateTimeOffset Noon = new(2030, 1, 2, 12, 0, 0, TimeSpan.Zero);

    private readonly string folder = Directory.CreateTempSubdirectory("edh").FullName;
    private readonly FakeTimeProvider time = new();

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Open_AfterAReboot_IsANewInstanceWithItsUptimeAnew()
    {
        var first = Open();
        time.Advance(TimeSpan.FromMinutes(1));
        Open().InstanceId.ShouldBe(first.InstanceId);
        Open().Uptime.ShouldBe(TimeSpan.FromMinutes(1));
        first.Reboot("test");
        first.Reboot("test");
        first.Down.IsCompleted.ShouldBeTrue();
        var second = Open();
        second.InstanceId.ShouldNotBe(first.InstanceId);
        second.Uptime.ShouldBe(TimeSpan.Zero);
        Open().InstanceId.ShouldBe(second.InstanceId);
    }

    [Fact]
    public void Clock_SetThenRebooted_KeepsZoneAndOffsetUntilNetworkTimeIsOn()
    {
        var host = Open();
        host.Clock.SetTimezone("Europe/Berlin").Timezone.ShouldBe("Europe/Berlin");
        Should.Throw<EdgeDmException>(() => host.Clock.SetTime(Noon)).Error.Name.ShouldBe("clockSynchronized");
        host.Clock.SetNtp(enabled: false).NtpSynchronized.ShouldBeFalse();
        host.Clock.SetTime(Noon).Time.ShouldBe(Noon);
        host.Reboot("test");
        time.Advance(TimeSpan.FromMinutes(1));
        var after = Open().Clock;
        after
            .Read()
            .ShouldBe(
                new(
                    Noon + TimeSpan.FromMinutes(1),
                    "Europe/Berlin",
                    NtpAvailable: true,
                    NtpEnabled: false,
                    NtpSynchronized: false
                )
            );
        after.SetNtp(enabled: true).Time.ShouldBe(time.GetUtcNow());
    }

    [Fact]
    public void SetTimezone_UnknownZone_IsRefusedAndChangesNothing()
    {
        var host = Open();
        var before = host.Clock.Read();
        Should.Throw<EdgeDmException>(() => host.Clock.SetTimezone("Mars/Olympus")).Error.Name.ShouldBe("invalidValue");
        host.Clock.Read().ShouldBe(before);
    }

    [Fact]
    public void Slots_StagedImage_RunsOnTrialFromTheNextBootAndFallsBackAfterThree()
    {
        var slots = SimulatedSlots.Fresh("1.0.0").Stage("2.0.0", fails: false);
        slots.ActiveVersion.ShouldBe("1.0.0");
        for (var boot = 1; boot <= SimulatedSlots.BootLimit; boot++)
        {
            slots = slots.Boot();
            slots.ActiveVersion.ShouldBe("2.0.0");
        }
        slots.Boot().ActiveVersion.ShouldBe("1.0.0");
        slots.Boot().OnTrial.ShouldBeFalse();
        slots.Commit().Boot().ActiveVersion.ShouldBe("2.0.0");
    }

    [Fact]
    public void Slots_GivenUpOrFailingImage_TheNextBootIsTheOldOne()
    {
        var staged = SimulatedSlots.Fresh("1.0.0").Stage("2.0.0", fails: false);
        staged.Boot().GiveUp().Boot().ActiveVersion.ShouldBe("1.0.0");
        staged.Unstage().Boot().ActiveVersion.ShouldBe("1.0.0");
        SimulatedSlots.Fresh("1.0.0").Stage("2.0.0", fails: true).Boot().ActiveVersion.ShouldBe("1.0.0");
    }

    [Fact]
    public void Slots_SecondUpdate_GoesIntoTheSlotThatIsFree()
    {
        var second = SimulatedSlots.Fresh("1.0.0").Stage("2.0.0", fails: false).Boot().Commit();
        var third = second.Stage("3.0.0", fails: false).Boot();
        third.ActiveVersion.ShouldBe("3.0.0");
        third.FallBack().ActiveVersion.ShouldBe("2.0.0");
    }

    private SimulatedHost Open() =>
        SimulatedHost.Open(
            new SimulatedHostOptions(folder, "Contoso", "Gateway", "1.0.0", 129),
            new("/nowhere", []),
            time,
            new LogSignals()
        );
}
