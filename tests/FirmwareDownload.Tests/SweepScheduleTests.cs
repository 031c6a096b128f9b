using EdgeDm.FirmwareDownload.Store;
using EdgeDm.Testing;

namespace EdgeDm.FirmwareDownload.Tests;

public sealed class SweepScheduleTests
{
    private static readonly TimeSpan Delay = TimeSpan.FromHours(1);

    private readonly FakeTimeProvider time = new();

    [Fact]
    public void IsDue_AfterAStart_OnlyWhenTheDelayHasPassed()
    {
        var schedule = new SweepSchedule(Delay, time);
        schedule.IsDue().ShouldBeFalse();
        time.Advance(Delay - TimeSpan.FromTicks(1));
        schedule.IsDue().ShouldBeFalse();
        time.Advance(TimeSpan.FromTicks(1));
        schedule.IsDue().ShouldBeTrue();
    }

    [Fact]
    public void IsDue_Swept_NotBeforeTheNextDay()
    {
        var schedule = Steady();
        schedule.Swept();
        time.Advance(SweepSchedule.Interval - TimeSpan.FromTicks(1));
        schedule.IsDue().ShouldBeFalse();
        time.Advance(TimeSpan.FromTicks(1));
        schedule.IsDue().ShouldBeTrue();
    }

    [Theory]
    [InlineData(3652)]
    [InlineData(-3652)]
    public void IsDue_ClockIsSetByYears_WaitsAnew(int days)
    {
        var schedule = Steady();
        time.StepClock(TimeSpan.FromDays(days));
        schedule.IsDue().ShouldBeFalse();
        time.Advance(Delay);
        schedule.IsDue().ShouldBeTrue();
    }

    private SweepSchedule Steady()
    {
        var schedule = new SweepSchedule(Delay, time);
        time.Advance(Delay);
        schedule.IsDue().ShouldBeTrue();
        return schedule;
    }
}
