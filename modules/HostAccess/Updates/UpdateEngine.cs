using EdgeDm.Contracts;
using EdgeDm.HostAccess.Audit;
using EdgeDm.HostAccess.Hosts;
using EdgeDm.HostAccess.Updates.Handlers;
using EdgeDm.HostAccess.Updates.Staging;
using EdgeDm.HostAccess.Verbs;
using EdgeDm.Updates;
using Microsoft.Extensions.Logging;

namespace EdgeDm.HostAccess.Updates;

/// <summary>What the engine works with.</summary>
internal sealed record UpdateEngineParts(
    IHost Host,
    HostTurn Turn,
    UpdateJournal Journal,
    UpdateAdmission Admission,
    UpdateHandlers Handlers,
    InstalledUpdates Installed,
    StagingArea Staging,
    HealthGate Gate,
    AuditLog Audit,
    TimeProvider Time,
    ILogger Logger
);

/// <summary>
/// Carries an update from <c>accepted</c> to a terminal state. Each phase is on disk before and after it acts, so the engine goes on
/// where it was after a kill, a reboot or a power cut, without the cloud. One update at a time.
/// </summary>
internal sealed partial class UpdateEngine : IAsyncDisposable
{
    /// <summary>Boots that an update on trial, or its undoing, may take.</summary>
    public const int MaxBoots = 3;

    private const int MaxUnexpectedErrors = 3;
    private const int PercentStaged = 40;
    private const int PercentInstalled = 90;

    /// <summary>The host has this long to go down after it was asked to.</summary>
    private static readonly TimeSpan RebootPatience = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan SettlePatience = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan HealthInterval = TimeSpan.FromSeconds(1);

    private readonly UpdateEngineParts parts;
    private readonly CancellationTokenSource stop = new();
    private readonly SemaphoreSlim evidenceCame = new(0, 1);
    private CancellationTokenSource cancelling = new();
    private Task running = Task.CompletedTask;
    private bool watchdogAsked;

    public UpdateEngine(UpdateEngineParts parts) => this.parts = parts;

    /// <summary>Goes on with what was under way, and clears what ended updates left behind.</summary>
    public void Resume()
    {
        foreach (
            var commandId in parts.Staging.List().Where(id => parts.Journal.Find(id) is null or { IsTerminal: true })
        )
        {
            CleanUp(commandId);
        }
        if (parts.Journal.Open.Count == 0)
        {
            PutWatchdogBack(); // A kill may have come ahead of it.
        }
        foreach (var record in parts.Journal.Open)
        {
            LogResume(parts.Logger, record.CommandId, record.State);
            parts.Turn.Take(UpdateVerbs.Name, record.CommandId);
            Start(record.CommandId);
        }
    }

    /// <summary>Begins an update that is in the journal and has the host's turn.</summary>
    public void Start(string commandId)
    {
        parts.Gate.Reset();
        cancelling = new();
        running = Task.Run(() => RunAsync(commandId, stop.Token), CancellationToken.None);
    }

    /// <summary>
    /// Waits while an update that has ended is cleared up: whoever saw its end may go on at once. Does not wait for one that runs.
    /// </summary>
    public Task SettleAsync(CancellationToken cancel) =>
        parts.Journal.Open.Count == 0
            ? running
                .WaitAsync(SettlePatience, parts.Time, cancel)
                .ContinueWith(
                    _ => { },
                    CancellationToken.None,
                    TaskContinuationOptions.ExecuteSynchronously,
                    TaskScheduler.Default
                )
            : Task.CompletedTask;

    /// <summary>The update shall end before it changes anything; its record says so already.</summary>
    public void WakeForCancel() => cancelling.Cancel();

    /// <summary>There is new evidence.</summary>
    public void WakeForEvidence()
    {
        lock (evidenceCame)
        {
            if (evidenceCame.CurrentCount == 0)
            {
                evidenceCame.Release();
            }
        }
    }

    /// <summary>Stops working; units of the host go on, and the next start takes up here.</summary>
    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stop.Dispose();
        cancelling.Dispose();
        evidenceCame.Dispose();
    }

    private async Task RunAsync(string commandId, CancellationToken stopping)
    {
        var errors = new List<Exception>();
        var retry = new HostRetry($"Update {commandId}", parts.Time, parts.Logger);
        while (!parts.Journal.Get(commandId).IsTerminal)
        {
            try
            {
                if (errors.Count >= MaxUnexpectedErrors)
                {
                    Fail(commandId, InternalError(errors[^1]));
                    errors.Clear();
                    continue;
                }
                await AdvanceAsync(parts.Journal.Get(commandId), stopping);
                errors.Clear();
                retry.WentOn();
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception error) when (HostRetry.IsWaitedFor(error))
            {
                // The record says where to go on; nothing may happen that is not on record.
                await retry.PauseAsync(error, stopping);
            }
            catch (Exception error)
            {
                LogUnexpected(parts.Logger, error, commandId);
                errors.Add(error);
            }
        }
        PutWatchdogBack();
        CleanUp(commandId);
        parts.Turn.Release(UpdateVerbs.Name, commandId);
    }

    private Task AdvanceAsync(UpdateRecord record, CancellationToken stopping)
    {
        switch (record.State)
        {
            case HostUpdateState.Accepted:
                Change(record, r => r with { State = HostUpdateState.Staging });
                return Task.CompletedTask;
            case HostUpdateState.Staging:
                return StageAsync(record, stopping);
            case HostUpdateState.Installing:
                return InstallAsync(record, stopping);
            case HostUpdateState.Rebooting:
                return RebootAsync(record, stopping);
            case HostUpdateState.Verifying:
                return VerifyAsync(record, stopping);
            case HostUpdateState.RollingBack:
                return RollBackAsync(record, stopping);
            default:
                throw new InvalidOperationException($"An update cannot be in state '{record.State}'.");
        }
    }

    /// <summary>Ends an update that failed: at once when it changed nothing, else by undoing what it changed.</summary>
    private void Fail(string commandId, ErrorObject error)
    {
        var record = parts.Journal.Get(commandId);
        if (!record.Changing || record.State == HostUpdateState.RollingBack)
        {
            End(commandId, HostUpdateState.Failed, error);
            return;
        }
        LogFailed(parts.Logger, commandId, error.Message);
        Change(
            record,
            r => r with { State = HostUpdateState.RollingBack, Error = error, RebootFrom = null, HealthMissing = [] }
        );
    }

    private void End(string commandId, string state, ErrorObject? error)
    {
        parts.Audit.Write(Caller.Self, UpdateVerbs.Name, commandId, state, error?.Name);
        parts.Journal.Change(
            commandId,
            r =>
                r with
                {
                    State = state,
                    Error = error,
                    Percent = state == HostUpdateState.Committed ? 100 : r.Percent,
                    EndedAt = parts.Time.GetUtcNow(),
                    RebootFrom = null,
                    HealthMissing = [],
                    UpdateManifest = null,
                    UpdateManifestSignature = null,
                }
        );
        LogEnded(parts.Logger, commandId, state, error?.Message ?? "");
    }

    /// <summary>The units go first: their copies are what tells the next start that there is something to clear.</summary>
    private void CleanUp(string commandId)
    {
        try
        {
            parts.Handlers.CleanUp(commandId);
            parts.Staging.Remove(commandId);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or EdgeDmException)
        {
            LogLeftBehind(parts.Logger, error, commandId); // The next start tries again.
        }
    }

    private UpdateRecord Change(UpdateRecord record, Func<UpdateRecord, UpdateRecord> change) =>
        parts.Journal.Change(record.CommandId, change);

    private UpdateManifest ManifestOf(UpdateRecord record) =>
        parts.Staging.ReadManifest(record.CommandId, record.UpdateManifest!);

    private static ErrorObject CancelledError(string commandId) =>
        ErrorRegistry.JobCancelled.Told(commandId, "The update was cancelled before it changed anything.");

    private static ErrorObject InternalError(Exception error) =>
        error is EdgeDmException told
            ? told.Error
            : ErrorRegistry.Internal.Told("update", $"The update failed with {error.GetType().Name}.");

    [LoggerMessage(Level = LogLevel.Information, Message = "Update {CommandId} goes on in state {State}")]
    private static partial void LogResume(ILogger logger, string commandId, string state);

    [LoggerMessage(Level = LogLevel.Information, Message = "Update {CommandId} ended: {State}. {Message}")]
    private static partial void LogEnded(ILogger logger, string commandId, string state, string message);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Update {CommandId} failed and is undone: {Message}")]
    private static partial void LogFailed(ILogger logger, string commandId, string message);

    [LoggerMessage(Level = LogLevel.Error, Message = "Update {CommandId}: unexpected error")]
    private static partial void LogUnexpected(ILogger logger, Exception error, string commandId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Files of update {CommandId} could not be removed")]
    private static partial void LogLeftBehind(ILogger logger, Exception error, string commandId);
}
