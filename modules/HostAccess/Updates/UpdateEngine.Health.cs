using System.Collections.Immutable;
using EdgeDm.Contracts;
using EdgeDm.HostAccess.Updates.Handlers;
using EdgeDm.Updates;
using Microsoft.Extensions.Logging;

namespace EdgeDm.HostAccess.Updates;

/// <summary>After the steps: on trial, then committed or undone.</summary>
internal sealed partial class UpdateEngine
{
    private async Task VerifyAsync(UpdateRecord record, CancellationToken stopping)
    {
        if (record.CommitDecided)
        {
            Commit(record);
            return;
        }
        ArmWatchdog();
        if (FindBootFailure(record, ManifestOf(record)) is { } bootFailure)
        {
            Fail(record.CommandId, bootFailure);
            return;
        }
        if (record.Trial!.InstanceId != parts.Host.InstanceId)
        {
            ContinueTrial(record, record.Trial);
            return;
        }
        var verdict = parts.Gate.Judge(record.Trial, parts.Host.Uptime);
        if (!verdict.Missing.SequenceEqual(record.HealthMissing))
        {
            Change(record, r => r with { HealthMissing = verdict.Missing });
        }
        switch (verdict.State)
        {
            case HealthState.Healthy:
                Change(record, r => r with { CommitDecided = true });
                break;
            case HealthState.TooLate:
                Fail(record.CommandId, HealthError(verdict.Missing));
                break;
            default:
                await evidenceCame.WaitAsync(HealthInterval, stopping);
                break;
        }
    }

    /// <summary>An operating system on trial may hang, and then nobody asks for its evidence. Once for each start of the program.</summary>
    private void ArmWatchdog()
    {
        if (!watchdogAsked && parts.Gate.Watchdog > TimeSpan.Zero)
        {
            watchdogAsked = true;
            AskForWatchdog(() => parts.Host.ArmWatchdog(parts.Gate.Watchdog));
        }
    }

    private void PutWatchdogBack()
    {
        watchdogAsked = false;
        if (parts.Gate.Watchdog > TimeSpan.Zero)
        {
            AskForWatchdog(() => parts.Host.PutWatchdogBack(parts.Gate.Watchdog));
        }
    }

    /// <summary>A help that an update goes without where the host refuses it.</summary>
    private void AskForWatchdog(Action ask)
    {
        try
        {
            ask();
        }
        catch (EdgeDmException error)
        {
            LogWatchdog(parts.Logger, error.Message);
        }
    }

    /// <summary>The host went down on trial. It gets its time anew, but not for ever: it may be going down because it is ill.</summary>
    private void ContinueTrial(UpdateRecord record, TrialRecord trial)
    {
        if (trial.Instances >= MaxBoots)
        {
            Fail(
                record.CommandId,
                ErrorRegistry.HealthTimedOut.Told(
                    "health",
                    $"The host started {MaxBoots} times with the update and was never healthy for long enough."
                )
            );
            return;
        }
        Change(record, r => r with { Trial = new(parts.Host.InstanceId, parts.Host.Uptime, trial.Instances + 1) });
    }

    /// <summary>Each part can be done again, should HostAccess be killed in between.</summary>
    private void Commit(UpdateRecord record)
    {
        var manifest = ManifestOf(record);
        foreach (var step in Changed(record, manifest))
        {
            HandlerOf(step).Commit(WorkOf(record, step));
        }
        parts.Installed.Commit(manifest.UpdateId, record.ManifestCreated ?? manifest.CreatedDateTime);
        End(record.CommandId, HostUpdateState.Committed, error: null);
    }

    private async Task RollBackAsync(UpdateRecord record, CancellationToken stopping)
    {
        var undone = Changed(record, ManifestOf(record))
            .Reverse()
            .Select(step => (step.Index, Result: HandlerOf(step).Undo(WorkOf(record, step))))
            .ToList();
        if (undone.Exists(step => step.Result == UndoResult.NeedsReboot))
        {
            if (record.RollbackBoots >= MaxBoots)
            {
                End(
                    record.CommandId,
                    HostUpdateState.Failed,
                    ErrorRegistry.RollbackFailed.Told(
                        "rollback",
                        $"The host was restarted {MaxBoots} times to go back to the old version and did not. The update failed: {record.Error!.Message}"
                    )
                );
                return;
            }
            parts.Host.RequireRebootable();
            Change(record, r => r with { RollbackBoots = r.RollbackBoots + 1 });
            await GoDownAsync(record.CommandId, stopping);
            return;
        }
        foreach (var (index, _) in undone.Where(step => step.Result != UndoResult.Unsupported))
        {
            Change(record, r => r.WithStep(index, s => s with { State = StepStates.Restored }));
        }
        End(
            record.CommandId,
            undone.Exists(step => step.Result == UndoResult.SwitchedBack)
                ? HostUpdateState.RolledBack
                : HostUpdateState.Failed,
            WithWhatStays(record.Error!, undone)
        );
    }

    /// <summary>An update that failed on health and of which nothing could be undone says so: the new version may still run.</summary>
    private static ErrorObject WithWhatStays(ErrorObject error, List<(int Index, UndoResult Result)> undone)
    {
        var stays = undone
            .Where(step => step.Result == UndoResult.Unsupported)
            .Select(step => step.Index)
            .Order()
            .ToList();
        if (stays.Count == 0)
        {
            return error;
        }
        var list = string.Join(',', stays);
        return error.Code == ErrorRegistry.HealthTimedOut.Code && stays.Count == undone.Count
            ? ErrorRegistry.RollbackUnsupported.Told(
                "rollback",
                $"The update was not healthy in time and its steps ({list}) cannot be undone.",
                [.. error.Parameters.Select(p => (p.Key, p.Value)), ("cause", error.Name), ("notUndone", list)]
            )
            : error with
            {
                Parameters = error.Parameters.SetItem("notUndone", list),
            };
    }

    private static IEnumerable<ManifestStep> Changed(UpdateRecord record, UpdateManifest manifest) =>
        manifest.Steps.Where(step => record.Steps[step.Index].ChangedIn is not null);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The host's watchdog stays as it is: {Reason}")]
    private static partial void LogWatchdog(ILogger logger, string reason);

    private static ErrorObject HealthError(ImmutableArray<string> missing)
    {
        var list = missing.Length == 0 ? "a long enough healthy time" : string.Join(", ", missing);
        return ErrorRegistry.HealthTimedOut.Told(
            "health",
            $"The host was not healthy in time; missing: {list}.",
            ("missing", list)
        );
    }
}
