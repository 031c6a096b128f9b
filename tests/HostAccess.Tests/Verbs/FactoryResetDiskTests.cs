using EdgeDm.Contracts;
using EdgeDm.HostAccess.Audit;
using EdgeDm.HostAccess.Tests.Hosts.Linux.Support;
using EdgeDm.HostAccess.Verbs;
using EdgeDm.HostAccess.Verbs.FactoryReset;
using EdgeDm.Testing;

namespace EdgeDm.HostAccess.Tests.Verbs;

/// <summary>A factory reset whose end cannot be written: what erases may well leave a full disk behind.</summary>
public sealed class FactoryResetDiskTests : IAsyncLifetime
{
    private const UnixFileMode Executable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly FakeTimeProvider time = new();
    private readonly HostTurn turn = new();
    private StandInHost standIn = null!;

    private string Ledger => Path.Combine(standIn.Data, "factory-resets");

    private string Hooks => Path.Combine(standIn.Data, "hooks");

    public async ValueTask InitializeAsync()
    {
        standIn = await StandInHost.StartAsync();
        Directory.CreateDirectory(Hooks);
        File.WriteAllText(Path.Combine(Hooks, "10-first"), "");
        File.SetUnixFileMode(Path.Combine(Hooks, "10-first"), Executable);
        File.SetUnixFileMode(Hooks, Executable);
    }

    public ValueTask DisposeAsync() => standIn.DisposeAsync();

    [Fact]
    public async Task Reset_HostRefusesAHookAndTheEndCannotBeWritten_IsWrittenLaterAndTheTurnIsFreeThen()
    {
        await using var host = await standIn.OpenAsync();
        await using var reset = new FactoryResetVerb(
            host,
            turn,
            new VerbGate(new AuditLog(standIn.Data, time), requireNoNetwork: false, standIn.Logs, time),
            new(Enabled: true, PerHour: 1, Hooks, TimeSpan.FromMinutes(1)),
            Ledger,
            time,
            standIn.Logs
        );
        standIn.Services.On("StartTransientUnit", _ => RefuseOnAFullDisk());

        reset.Request(Caller.Self, new("f1", "")).State.ShouldBe(FactoryResetStates.Erasing);
        await time.WaitForTimerAsync(HostRetry.Pause);
        reset.Find("f1").State.ShouldBe(FactoryResetStates.Erasing);
        Should.Throw<EdgeDmException>(() => turn.Take("reboot", "r1")).Error.Name.ShouldBe("hostBusy");

        File.Delete(Ledger);
        Directory.Move(Ledger + ".away", Ledger);
        time.Advance(HostRetry.Pause);
        await standIn.Logs.WaitForAsync("Factory reset f1 failed");

        turn.Take("reboot", "r1");
        reset.Find("f1").Error!.Name.ShouldBe("hostServiceRefused");
        standIn.Services.Calls.Count(call => call.Member == "StartTransientUnit").ShouldBe(1);
    }

    private Answer RefuseOnAFullDisk()
    {
        Directory.Move(Ledger, Ledger + ".away");
        File.WriteAllText(Ledger, "");
        return new("s", ["no"], "org.freedesktop.DBus.Error.AccessDenied");
    }
}
