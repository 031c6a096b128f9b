using EdgeDm.Contracts;
using EdgeDm.Durable;
using EdgeDm.HostAccess.Audit;
using EdgeDm.HostAccess.Configuration;
using EdgeDm.HostAccess.Hosts;
using Microsoft.Extensions.Logging;

namespace EdgeDm.HostAccess.Verbs;

/// <summary>
/// Restarts the host. A command is on disk before it is answered, answered before it happens, and proved by the host's next
/// instance id. The same command never restarts the host twice.
/// </summary>
internal sealed partial class RebootVerb : IAsyncDisposable
{
    /// <summary>The verb's name in policy and audit log.</summary>
    public const string Name = "reboot";

    /// <summary>Longest reason.</summary>
    public const int LongestReason = 256;

    /// <summary>Longest delay in seconds.</summary>
    public const int LongestDelay = 3_600;

    /// <summary>Lets the answer and what the caller does with it come first.</summary>
    private static readonly TimeSpan AtLeast = TimeSpan.FromSeconds(1);

    private static readonly Failpoint Written = new("host.reboot");

    private readonly IHost host;
    private readonly HostTurn turn;
    private readonly VerbGate verbs;
    private readonly VerbOptions options;
    private readonly CommandLedger<RebootEntry> ledger;
    private readonly CommandEntrance<RebootEntry> entrance;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly CancellationTokenSource stop = new();
    private Task pending = Task.CompletedTask;

    public RebootVerb(
        IHost host,
        HostTurn turn,
        VerbGate verbs,
        VerbOptions options,
        string ledgerFolder,
        TimeProvider time,
        ILogger logger
    )
    {
        this.host = host;
        this.turn = turn;
        this.verbs = verbs;
        this.options = options;
        ledger = new(Name, ledgerFolder, CommandLedgerJson.Default.RebootEntry, Written, time, logger);
        entrance = new(Name, ledger, options.RebootsPerHour, turn);
        this.time = time;
        this.logger = logger;
    }

    /// <summary>Takes up a command that was accepted before HostAccess restarted within the same host instance.</summary>
    public void Resume()
    {
        if (ledger.All.FirstOrDefault(entry => entry.AcceptedInstanceId == host.InstanceId) is { } entry)
        {
            turn.Take(Name, entry.CommandId);
            Schedule(entry);
        }
    }

    /// <summary>Accepts a command, or answers with the state of the one that has this id.</summary>
    public RebootStatus Request(Caller caller, RebootRequest request) =>
        verbs.Run(
            caller,
            Name,
            request.CommandId,
            options.RebootEnabled,
            accept =>
            {
                Check(request);
                return StatusOf(entrance.Take(EntryOf(request), accept, request.Reason, RequireRebootable, Schedule));
            }
        );

    /// <summary>A command's state; throws <c>commandNotFound</c>.</summary>
    public RebootStatus Find(string commandId) =>
        ledger.Find(commandId) is { } entry
            ? StatusOf(entry)
            : throw ErrorRegistry.CommandNotFound.Refusal(commandId, "No reboot with this command id was asked for.");

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await pending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stop.Dispose();
    }

    private RebootEntry EntryOf(RebootRequest request) =>
        new(request.CommandId, request.Reason, request.DelaySeconds, time.GetUtcNow(), host.Uptime, host.InstanceId);

    private RebootEntry RequireRebootable(RebootEntry entry)
    {
        host.RequireRebootable();
        return entry;
    }

    private void Schedule(RebootEntry entry)
    {
        var due = entry.AcceptedUptime + TimeSpan.FromSeconds(entry.DelaySeconds) - host.Uptime;
        pending = RebootLaterAsync(entry, due > AtLeast ? due : AtLeast);
    }

    private async Task RebootLaterAsync(RebootEntry entry, TimeSpan delay)
    {
        await Task.Delay(delay, time, stop.Token);
        var retry = new HostRetry($"Reboot command {entry.CommandId}", time, logger);
        while (true)
        {
            try
            {
                host.Reboot($"command {entry.CommandId}");
                LogReboot(logger, entry.CommandId);
                return;
            }
            catch (Exception error) when (error is IOException or EdgeDmException)
            {
                // The command was answered; it must not be forgotten.
                await retry.PauseAsync(error, stop.Token);
            }
        }
    }

    private RebootStatus StatusOf(RebootEntry entry) =>
        new(
            entry.CommandId,
            entry.AcceptedInstanceId == host.InstanceId ? "accepted" : "completed",
            entry.AcceptedInstanceId,
            host.InstanceId
        );

    private static void Check(RebootRequest request)
    {
        CommandIds.Require(request.CommandId);
        if (request.DelaySeconds is < 0 or > LongestDelay)
        {
            throw ErrorRegistry.InvalidValue.Refusal(
                "delaySeconds",
                $"delaySeconds is {request.DelaySeconds} and must be from 0 to {LongestDelay}."
            );
        }
        RequireReason(request.Reason);
    }

    /// <summary>Throws <c>invalidValue</c> unless the text may stand in a log.</summary>
    internal static void RequireReason(string reason)
    {
        if (reason.Length > LongestReason || reason.Any(char.IsControl))
        {
            throw ErrorRegistry.InvalidValue.Refusal(
                "reason",
                $"reason must be a text of at most {LongestReason} characters in one line."
            );
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Reboot command {CommandId} was carried out")]
    private static partial void LogReboot(ILogger logger, string commandId);
}
