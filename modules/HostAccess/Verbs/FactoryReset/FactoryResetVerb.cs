using EdgeDm.Contracts;
using EdgeDm.Durable;
using EdgeDm.HostAccess.Audit;
using EdgeDm.HostAccess.Configuration;
using EdgeDm.HostAccess.Hosts;
using Microsoft.Extensions.Logging;

namespace EdgeDm.HostAccess.Verbs.FactoryReset;

/// <summary>
/// Runs the OEM's hooks one after the other, each a unit of the host, and restarts the host. Every step is on disk before and after it
/// acts. A hook that the host's going down interrupted is run again: hooks have to bear that. HostAccess's own folder survives, so that
/// the command is known afterwards and never acts twice.
/// </summary>
internal sealed partial class FactoryResetVerb : IAsyncDisposable
{
    /// <summary>The verb's name in policy and audit log.</summary>
    public const string Name = "factoryReset";

    /// <summary>A hook is started, and the host asked to restart, this often.</summary>
    public const int MostAttempts = 3;

    private const string UnitPrefix = "edgedm-reset-";

    private static readonly Failpoint Written = new("host.reset");

    /// <summary>The host has this long to go down after it was asked to.</summary>
    private static readonly TimeSpan RebootPatience = TimeSpan.FromMinutes(10);

    private readonly IHost host;
    private readonly HostTurn turn;
    private readonly VerbGate verbs;
    private readonly FactoryResetOptions options;
    private readonly FactoryResetHooks hooks;
    private readonly CommandLedger<FactoryResetEntry> ledger;
    private readonly CommandEntrance<FactoryResetEntry> entrance;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly Lock gate = new();
    private readonly CancellationTokenSource stop = new();
    private Task running = Task.CompletedTask;

    public FactoryResetVerb(
        IHost host,
        HostTurn turn,
        VerbGate verbs,
        FactoryResetOptions options,
        string ledgerFolder,
        TimeProvider time,
        ILogger logger
    )
    {
        this.host = host;
        this.turn = turn;
        this.verbs = verbs;
        this.options = options;
        this.time = time;
        this.logger = logger;
        hooks = new(options);
        ledger = new(Name, ledgerFolder, CommandLedgerJson.Default.FactoryResetEntry, Written, time, logger);
        entrance = new(Name, ledger, options.PerHour, turn);
    }

    /// <summary>Goes on with what was under way, and clears what an ended one left behind.</summary>
    public void Resume()
    {
        var open = ledger.All.FirstOrDefault(entry => !FactoryResetStates.IsTerminal(entry.State));
        foreach (var unit in host.Units.List().Where(IsHook))
        {
            if (open is null || unit != UnitName(open))
            {
                host.Units.Remove(unit);
            }
        }
        if (open is not null)
        {
            turn.Take(Name, open.CommandId);
            Start(open.CommandId);
        }
    }

    /// <summary>Accepts a command, or answers with the state of the one that has this id.</summary>
    public FactoryResetStatus Request(Caller caller, FactoryResetRequest request) =>
        verbs.Run(
            caller,
            Name,
            request.CommandId,
            options.Enabled,
            accept =>
            {
                CommandIds.Require(request.CommandId);
                RebootVerb.RequireReason(request.Reason);
                lock (gate)
                {
                    return StatusOf(
                        entrance.Take(
                            EntryOf(request),
                            accept,
                            request.Reason,
                            entry => entry with { Hooks = hooks.Read() },
                            entry => Start(entry.CommandId)
                        )
                    );
                }
            }
        );

    /// <summary>A command's state; throws <c>commandNotFound</c>.</summary>
    public FactoryResetStatus Find(string commandId)
    {
        lock (gate)
        {
            return ledger.Find(commandId) is { } entry
                ? StatusOf(entry)
                : throw ErrorRegistry.CommandNotFound.Refusal(
                    commandId,
                    "No factory reset with this command id was asked for."
                );
        }
    }

    /// <summary>Stops working; a hook that runs goes on, and the next start takes up here.</summary>
    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stop.Dispose();
    }

    private FactoryResetEntry EntryOf(FactoryResetRequest request) =>
        new(
            request.CommandId,
            request.Reason,
            Hooks: [],
            NextHook: 0,
            Starts: 0,
            FactoryResetStates.Erasing,
            RebootAttempts: 0,
            Error: null,
            time.GetUtcNow(),
            host.Uptime,
            host.InstanceId
        );

    private void Start(string commandId) => running = Task.Run(() => RunAsync(commandId), CancellationToken.None);

    private async Task RunAsync(string commandId)
    {
        var retry = new HostRetry($"Factory reset {commandId}", time, logger);
        ErrorObject? failure = null;
        while (ledger.Find(commandId) is { } entry && !FactoryResetStates.IsTerminal(entry.State))
        {
            try
            {
                if (failure is not null)
                {
                    Fail(entry, failure);
                    continue;
                }
                await AdvanceAsync(entry);
                retry.WentOn();
            }
            catch (Exception error) when (HostRetry.IsWaitedFor(error))
            {
                // The command was answered, so it must not be forgotten.
                await retry.PauseAsync(error, stop.Token);
            }
            catch (EdgeDmException refused)
            {
                failure = refused.Error;
            }
        }
    }

    private Task AdvanceAsync(FactoryResetEntry entry)
    {
        if (entry.State == FactoryResetStates.Rebooting)
        {
            return RebootAsync(entry);
        }
        if (entry.NextHook < entry.Hooks.Length)
        {
            return RunHookAsync(entry);
        }
        ledger.Change(
            entry.CommandId,
            e => e with { State = FactoryResetStates.Rebooting, RebootFrom = host.InstanceId }
        );
        return Task.CompletedTask;
    }

    private async Task RunHookAsync(FactoryResetEntry entry)
    {
        var hook = entry.Hooks[entry.NextHook];
        var unit = UnitName(entry);
        if (host.Units.Query(unit).Phase == UnitPhase.Interrupted)
        {
            host.Units.Remove(unit);
        }
        if (host.Units.Query(unit).Phase == UnitPhase.Missing)
        {
            if (entry.Starts >= MostAttempts)
            {
                Fail(entry, Failed(hook, $"The host went down {MostAttempts} times while it ran."));
                return;
            }
            var program = hooks.PathOf(hook);
            ledger.Change(entry.CommandId, e => e with { Starts = e.Starts + 1 });
            host.Units.Start(new(unit, program, [], options.Hooks, UnitEnvironment.For(host), options.HookTimeout));
        }
        var ended = await host.Units.WaitAsync(unit, time, stop.Token);
        LogHook(logger, hook, ended.Phase, ended.ExitCode, host.Units.ReadOutput(unit));
        switch (ended)
        {
            case { Phase: UnitPhase.Exited, ExitCode: 0 }:
                ledger.Change(entry.CommandId, e => e with { NextHook = e.NextHook + 1, Starts = 0 });
                host.Units.Remove(unit);
                break;
            case { Phase: UnitPhase.Interrupted or UnitPhase.Missing }:
                break; // Again, up to a bound.
            case { Phase: UnitPhase.TimedOut }:
                Fail(entry, Failed(hook, $"It did not end within {options.HookTimeout.TotalSeconds:0} s."));
                break;
            default:
                Fail(entry, Failed(hook, $"It ended with exit code {ended.ExitCode}."));
                break;
        }
    }

    private async Task RebootAsync(FactoryResetEntry entry)
    {
        if (entry.RebootFrom != host.InstanceId)
        {
            End(entry, e => e with { State = FactoryResetStates.Completed });
            LogCompleted(logger, entry.CommandId);
            return;
        }
        if (entry.RebootAttempts >= MostAttempts)
        {
            Fail(
                entry,
                ErrorRegistry.RebootNotSeen.Told(
                    "reboot",
                    $"The host was asked {MostAttempts} times to restart after a factory reset and did not."
                )
            );
            return;
        }
        host.RequireRebootable(); // A host that is held up now spends no attempt.
        ledger.Change(entry.CommandId, e => e with { RebootAttempts = e.RebootAttempts + 1 });
        host.Reboot($"factory reset {entry.CommandId}");
        await Task.Delay(RebootPatience, time, stop.Token);
    }

    private void Fail(FactoryResetEntry entry, ErrorObject error)
    {
        End(entry, e => e with { State = FactoryResetStates.Failed, Error = error });
        LogFailed(logger, entry.CommandId, error.Message);
        host.Units.Remove(UnitName(entry));
    }

    /// <summary>Whoever sees the end finds the host's turn free.</summary>
    private void End(FactoryResetEntry entry, Func<FactoryResetEntry, FactoryResetEntry> change)
    {
        lock (gate)
        {
            ledger.Change(entry.CommandId, change);
            turn.Release(Name, entry.CommandId);
        }
    }

    private static string UnitName(FactoryResetEntry entry) => $"{UnitPrefix}{entry.CommandId}-{entry.NextHook}";

    /// <summary>A step of an update whose id begins with <c>reset-</c> ends in the word of an action, not in a number.</summary>
    private static bool IsHook(string unit) =>
        unit.StartsWith(UnitPrefix, StringComparison.Ordinal)
        && unit[(unit.LastIndexOf('-') + 1)..] is { Length: > 0 } number
        && number.All(char.IsAsciiDigit);

    private FactoryResetStatus StatusOf(FactoryResetEntry entry) =>
        new(entry.CommandId, entry.State, entry.NextHook, entry.Hooks.Length, host.InstanceId, entry.Error);

    private static ErrorObject Failed(string hook, string what) =>
        ErrorRegistry.FactoryResetFailed.Told(
            hook,
            $"The factory reset's hook '{hook}' failed. {what}",
            ("hook", hook)
        );

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Factory reset: hook {Hook} ended: {Phase}, exit code {ExitCode}. {Output}"
    )]
    private static partial void LogHook(ILogger logger, string hook, UnitPhase phase, int exitCode, string output);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Factory reset {CommandId} is completed")]
    private static partial void LogCompleted(ILogger logger, string commandId);

    [LoggerMessage(Level = LogLevel.Error, Message = "Factory reset {CommandId} failed: {Reason}")]
    private static partial void LogFailed(ILogger logger, string commandId, string reason);
}
