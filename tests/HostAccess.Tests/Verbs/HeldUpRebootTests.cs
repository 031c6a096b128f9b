using EdgeDm.Contracts;
using EdgeDm.HostAccess.Audit;
using EdgeDm.HostAccess.Hosts;
using EdgeDm.HostAccess.Tests.Hosts.Linux.Support;
using EdgeDm.HostAccess.Verbs;
using EdgeDm.Testing;

namespace EdgeDm.HostAccess.Tests.Verbs;

/// <summary>Reboots of a Linux host of which somebody holds a lock; stand-ins on a real bus say so.</summary>
public sealed class HeldUpRebootTests : IAsyncLifetime
{
    private readonly FakeTimeProvider time = new();
    private StandInHost standIn = null!;

    public async ValueTask InitializeAsync()
    {
        standIn = await StandInHost.StartAsync();
        standIn.Services.On("RebootWithFlags", "", _ => []);
        Directory.CreateDirectory(standIn.Data);
    }

    public ValueTask DisposeAsync() => standIn.DisposeAsync();

    [Fact]
    public async Task Request_WhileALockIsHeld_IsRefusedAndLeavesTheHostFree()
    {
        await using var host = await standIn.OpenAsync();
        await using var reboot = Verb(host);
        Lock(held: true);
        var refused = Should.Throw<EdgeDmException>(() => reboot.Request(Caller.Self, new("r1", "test")));
        refused.Error.Name.ShouldBe("rebootInhibited");
        Should.Throw<EdgeDmException>(() => reboot.Find("r1")).Error.Name.ShouldBe("commandNotFound");
        Lock(held: false);
        reboot.Request(Caller.Self, new("r1", "test")).State.ShouldBe("accepted");
    }

    [Fact]
    public async Task Accepted_ThenALockIsTaken_WaitsIsToldOnceAndHappens()
    {
        Lock(held: false);
        await using var host = await standIn.OpenAsync();
        await using var reboot = Verb(host);
        reboot.Request(Caller.Self, new("r1", "test"));
        Lock(held: true);
        time.Advance(TimeSpan.FromSeconds(1));
        for (var tries = 0; tries < 3; tries++)
        {
            await time.WaitForTimerAsync(TimeSpan.FromSeconds(5));
            time.Advance(TimeSpan.FromSeconds(5));
        }
        await time.WaitForTimerAsync(TimeSpan.FromSeconds(5));
        standIn.Logs.Text.Split("Reboot command r1 waits").Length.ShouldBe(2);
        standIn.Services.Calls.ShouldNotContain(call => call.Member == "RebootWithFlags");
        Lock(held: false);
        time.Advance(TimeSpan.FromSeconds(5));
        await standIn.Services.CalledAsync("RebootWithFlags");
    }

    private RebootVerb Verb(IHost host) =>
        new(
            host,
            new HostTurn(),
            new VerbGate(new AuditLog(standIn.Data, time), requireNoNetwork: false, standIn.Logs, time),
            new(UpdateEnabled: false, RebootEnabled: true, RebootsPerHour: 3),
            Path.Combine(standIn.Data, "reboots"),
            time,
            standIn.Logs
        );

    private void Lock(bool held)
    {
        object[] locks = held ? [new object[] { "shutdown", "who", "why", "block", 0u, 1u }] : [];
        standIn.Services.On("ListInhibitors", "a(ssssuu)", _ => [locks]);
    }
}
