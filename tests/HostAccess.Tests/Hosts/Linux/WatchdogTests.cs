using EdgeDm.HostAccess.Tests.Hosts.Linux.Support;

namespace EdgeDm.HostAccess.Tests.Hosts.Linux;

/// <summary>The machine's watchdog, through a stand-in for systemd.</summary>
public sealed class WatchdogTests : IAsyncLifetime
{
    private const ulong Minute = 60_000_000;
    private static readonly TimeSpan OneMinute = TimeSpan.FromMinutes(1);

    private StandInHost standIn = null!;

    public async ValueTask InitializeAsync()
    {
        standIn = await StandInHost.StartAsync();
        standIn.Write("sys/class/watchdog/watchdog0/identity", "test\n");
    }

    public ValueTask DisposeAsync() => standIn.DisposeAsync();

    [Theory]
    [InlineData(0, Minute)]
    [InlineData(Minute + 1, Minute)]
    [InlineData(ulong.MaxValue, Minute)]
    [InlineData(Minute, Minute)]
    [InlineData(Minute - 1, Minute - 1)]
    public async Task Arm_WatchdogAsConfigured_IsNeverLessStrictBehindIt(ulong configured, ulong armed)
    {
        standIn.Watchdog = configured;
        await using var host = await standIn.OpenAsync();
        host.ArmWatchdog(OneMinute);
        standIn.Watchdog.ShouldBe(armed);
        host.ReadCapabilities().Single(c => c.Name == "watchdog").Available.ShouldBeTrue();
    }

    [Theory]
    [InlineData(Minute, ulong.MaxValue)]
    [InlineData(Minute - 1, Minute - 1)]
    [InlineData(0, 0)]
    public async Task PutBack_OnlyWhatWasArmed_IsAsSystemdIsConfigured(ulong present, ulong behind)
    {
        standIn.Watchdog = present;
        await using var host = await standIn.OpenAsync();
        host.PutWatchdogBack(OneMinute);
        standIn.Watchdog.ShouldBe(behind);
    }

    [Fact]
    public async Task Arm_HostWithoutAWatchdog_AsksNothingAndSaysWhy()
    {
        Directory.Delete(Path.Combine(standIn.Root, "sys/class/watchdog/watchdog0"), recursive: true);
        await using var host = await standIn.OpenAsync();
        host.ArmWatchdog(OneMinute);
        host.PutWatchdogBack(OneMinute);
        standIn.Watchdog.ShouldBe(0ul);
        var capability = host.ReadCapabilities().Single(c => c.Name == "watchdog");
        capability.Available.ShouldBeFalse();
        capability.Reason.ShouldBe("The host has no watchdog device.");
    }
}
