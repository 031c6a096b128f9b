using EdgeDm.Contracts;
using EdgeDm.HostAccess.Verbs;
using EdgeDm.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeDm.HostAccess.Tests.Verbs;

public sealed class RebootLedgerTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("edh").FullName;
    private readonly FakeTimeProvider time = new();

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void RequireRate_AnHourLater_AllowsAgain()
    {
        var ledger = Ledger();
        Add(ledger, "a");
        Should.Throw<EdgeDmException>(() => ledger.RequireRate(1)).Error.Name.ShouldBe("rateExceeded");
        time.Advance(TimeSpan.FromHours(1) - TimeSpan.FromTicks(1));
        Should.Throw<EdgeDmException>(() => ledger.RequireRate(1));
        time.Advance(TimeSpan.FromTicks(1));
        ledger.RequireRate(1);
    }

    [Fact]
    public void RequireRate_EntryFromTheFuture_Counts()
    {
        time.Advance(TimeSpan.FromDays(3650));
        Add(Ledger(), "a");
        // A new ledger under a clock that was set back.
        var ledger = new RebootLedger(folder, new FakeTimeProvider(), NullLogger.Instance);
        Should.Throw<EdgeDmException>(() => ledger.RequireRate(1));
    }

    [Fact]
    public void Add_OneMoreThanIsKept_ForgetsTheOldest()
    {
        var ledger = Ledger();
        for (var i = 0; i <= RebootLedger.MostEntries; i++)
        {
            Add(ledger, $"c{i}");
            time.Advance(TimeSpan.FromSeconds(1));
        }
        ledger.All.Count.ShouldBe(RebootLedger.MostEntries);
        ledger.Find("c0").ShouldBeNull();
        Ledger().Find("c1").ShouldNotBeNull();
    }

    private RebootLedger Ledger() => new(folder, time, NullLogger.Instance);

    private void Add(RebootLedger ledger, string id) =>
        ledger.Add(new(id, "", 0, time.GetUtcNow(), TimeSpan.Zero, "instance"));
}
