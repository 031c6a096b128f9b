using EdgeDm.Contracts;
using EdgeDm.HostAccess.Verbs;
using EdgeDm.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeDm.HostAccess.Tests.Verbs;

public sealed class CommandLedgerTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("edh").FullName;
    private readonly FakeTimeProvider time = new();

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void RequireRate_AnHourLater_AllowsAgain()
    {
        var ledger = Ledger();
        Add(ledger, "a");
        Should.Throw<EdgeDmException>(() => Require(ledger)).Error.Name.ShouldBe("rateExceeded");
        time.Advance(TimeSpan.FromHours(1) - TimeSpan.FromTicks(1));
        Should.Throw<EdgeDmException>(() => Require(ledger));
        time.Advance(TimeSpan.FromTicks(1));
        Require(ledger);
    }

    [Theory]
    [InlineData(3652)]
    [InlineData(-3652)]
    public void RequireRate_ClockIsSetByYears_CountsByUptime(int days)
    {
        var ledger = Ledger();
        Add(ledger, "a");
        time.StepClock(TimeSpan.FromDays(days));
        Should.Throw<EdgeDmException>(() => Require(ledger));
        time.Advance(TimeSpan.FromHours(1));
        Require(ledger);
    }

    [Fact]
    public void RequireRate_OfAnEarlierInstance_CountsWithinTheHour()
    {
        var ledger = Ledger();
        Add(ledger, "a");
        time.Advance(TimeSpan.FromMinutes(59));
        Should.Throw<EdgeDmException>(() => ledger.RequireRate(1, "next", TimeSpan.FromMinutes(1)));
        time.Advance(TimeSpan.FromMinutes(1));
        ledger.RequireRate(1, "next", TimeSpan.FromMinutes(2));
    }

    [Fact]
    public void RequireRate_OfAnEarlierInstanceAndTheFuture_CountsForOneHourOnly()
    {
        var ledger = Ledger();
        Add(ledger, "a");
        time.StepClock(TimeSpan.FromDays(-3652));
        Should.Throw<EdgeDmException>(() => ledger.RequireRate(1, "next", TimeSpan.FromMinutes(59)));
        ledger.RequireRate(1, "next", TimeSpan.FromHours(1));
    }

    [Fact]
    public void Add_ClockWasSetBack_ForgetsTheOldestAllTheSame()
    {
        var ledger = Ledger();
        Add(ledger, "first");
        time.StepClock(TimeSpan.FromDays(-3652));
        for (var i = 0; i < CommandLedger<RebootEntry>.MostEntries; i++)
        {
            Add(ledger, $"c{i}");
        }
        ledger.Find("first").ShouldBeNull();
        ledger.Find("c0").ShouldNotBeNull();
    }

    [Fact]
    public void Add_OneMoreThanIsKept_ForgetsTheOldest()
    {
        var ledger = Ledger();
        for (var i = 0; i <= CommandLedger<RebootEntry>.MostEntries; i++)
        {
            Add(ledger, $"c{i}");
            time.Advance(TimeSpan.FromSeconds(1));
        }
        ledger.All.Count.ShouldBe(CommandLedger<RebootEntry>.MostEntries);
        ledger.Find("c0").ShouldBeNull();
        Ledger().Find("c1").ShouldNotBeNull();
    }

    private CommandLedger<RebootEntry> Ledger() =>
        new("reboot", folder, CommandLedgerJson.Default.RebootEntry, new("test"), time, NullLogger.Instance);

    /// <summary>The host came up when the test began.</summary>
    private TimeSpan Uptime => time.GetElapsedTime(0);

    private void Require(CommandLedger<RebootEntry> ledger) => ledger.RequireRate(1, "instance", Uptime);

    private void Add(CommandLedger<RebootEntry> ledger, string id) =>
        ledger.Add(new(id, "", 0, time.GetUtcNow(), Uptime, "instance"));
}
