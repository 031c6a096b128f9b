using EdgeDm.Contracts;
using EdgeDm.HostAccess.Updates.Handlers;
using EdgeDm.Updates;

namespace EdgeDm.HostAccess.Updates;

/// <summary>The steps: one after the other, each with Device Update's four actions, and the reboots that they ask for.</summary>
internal sealed partial class UpdateEngine
{
    private async Task InstallAsync(UpdateRecord record, CancellationToken stopping)
    {
        var manifest = ManifestOf(record);
        if (FindBootFailure(record, manifest) is { } failure)
        {
            Fail(record.CommandId, failure);
            return;
        }
        foreach (var step in manifest.Steps)
        {
            while (record.State == HostUpdateState.Installing && !IsOver(record.Steps[step.Index]))
            {
                record = await RunActionAsync(record, step, stopping);
            }
        }
        if (record.State != HostUpdateState.Installing)
        {
            return;
        }
        Change(
            record,
            r =>
                r.RebootDeferred
                    ? r with
                    {
                        State = HostUpdateState.Rebooting,
                        RebootDeferred = false,
                        RebootFrom = parts.Host.InstanceId,
                    }
                    : r with
                    {
                        State = HostUpdateState.Verifying,
                        Percent = PercentInstalled,
                        Trial = new(parts.Host.InstanceId, parts.Host.Uptime, 1),
                    }
        );
    }

    private async Task<UpdateRecord> RunActionAsync(UpdateRecord record, ManifestStep step, CancellationToken stopping)
    {
        var commandId = record.CommandId;
        var action = record.Steps[step.Index].Action;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stopping, cancelling.Token);
        try
        {
            record = Begin(record, step.Index, action);
            // From the first change on, only the program's own stop interrupts, and that leaves the unit running.
            var result = await RunTellingAsync(record, step, action, record.Changing ? stopping : either.Token);
            if (result.Error is null)
            {
                return Change(record, r => After(r, step.Index, action, result));
            }
            Change(record, r => r.WithStep(step.Index, s => Ended(s, StepStates.Failed, result)));
            Fail(commandId, result.Error);
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            // A cancel is taken only while nothing was changed.
            End(commandId, HostUpdateState.Cancelled, CancelledError(commandId));
        }
        return parts.Journal.Get(commandId);
    }

    private async Task<ActionResult> RunTellingAsync(
        UpdateRecord record,
        ManifestStep step,
        StepAction action,
        CancellationToken cancel
    )
    {
        using var progress = new ThrottledProgress(
            record.Steps[step.Index].ActionPercent,
            percent =>
                parts.Journal.Tell(
                    record.CommandId,
                    r => WithPercent(r.WithStep(step.Index, s => s with { ActionPercent = percent }))
                ),
            parts.Time
        );
        return await HandlerOf(step).RunAsync(WorkOf(record, step) with { Progress = progress }, action, cancel);
    }

    /// <summary>On record before the action begins. Throws <see cref="OperationCanceledException"/> when it must not begin.</summary>
    private UpdateRecord Begin(UpdateRecord record, int index, StepAction action) =>
        Change(
            record,
            r =>
            {
                if (r.CancelRequested)
                {
                    throw new OperationCanceledException("The update was cancelled.");
                }
                var changes = action is StepAction.Install or StepAction.Apply;
                return r.WithStep(
                    index,
                    s =>
                        s with
                        {
                            State = StepStates.Running,
                            StartedAt = s.StartedAt ?? parts.Time.GetUtcNow(),
                            ChangedIn = s.ChangedIn ?? (changes ? parts.Host.InstanceId : null),
                        }
                ) with
                {
                    Changing = r.Changing || changes,
                };
            }
        );

    /// <summary>The record behind an action that succeeded.</summary>
    private UpdateRecord After(UpdateRecord record, int index, StepAction action, ActionResult result)
    {
        var isInstalled = ResultCodes.IsInstalled(result.ResultCode);
        var next = isInstalled ? StepAction.Done : action + 1;
        var state =
            next == StepAction.Done ? (isInstalled ? StepStates.Skipped : StepStates.Succeeded) : StepStates.Running;
        var after = record.WithStep(index, s => Ended(s, state, result) with { Action = next, ActionPercent = 0 }) with
        {
            RebootDeferred = record.RebootDeferred || ResultCodes.WantsRebootLater(result.ResultCode),
        };
        after = WithPercent(after);
        return ResultCodes.WantsRebootNow(result.ResultCode)
            ? after with
            {
                State = HostUpdateState.Rebooting,
                RebootFrom = parts.Host.InstanceId,
            }
            : after;
    }

    private StepRecord Ended(StepRecord step, string state, ActionResult result) =>
        step with
        {
            State = state,
            ResultCode = result.ResultCode,
            ExtendedResultCode = result.ExtendedResultCode,
            ResultDetails = result.Details,
            EndedAt = state == StepStates.Running ? null : parts.Time.GetUtcNow(),
        };

    private static UpdateRecord WithPercent(UpdateRecord record)
    {
        var ofSteps = record.Steps.Sum(step => step.Percent) / record.Steps.Length;
        var percent = PercentStaged + (PercentInstalled - PercentStaged) * ofSteps / 100;
        return record with { Percent = Math.Max(record.Percent, percent) };
    }

    private static bool IsOver(StepRecord step) => step.State is StepStates.Succeeded or StepStates.Skipped;

    private async Task RebootAsync(UpdateRecord record, CancellationToken stopping)
    {
        if (record.RebootFrom != parts.Host.InstanceId)
        {
            Change(record, r => r with { State = HostUpdateState.Installing, RebootFrom = null, RebootAttempts = 0 });
            return;
        }
        if (record.RebootAttempts >= MaxBoots)
        {
            Fail(
                record.CommandId,
                ErrorRegistry.RebootNotSeen.Told(
                    "reboot",
                    $"The host was asked {MaxBoots} times to restart and did not."
                )
            );
            return;
        }
        parts.Host.RequireRebootable(); // Waiting for a lock to go is no attempt.
        Change(record, r => r with { RebootAttempts = r.RebootAttempts + 1 });
        await GoDownAsync(record.CommandId, stopping);
    }

    private async Task GoDownAsync(string commandId, CancellationToken stopping)
    {
        parts.Host.Reboot($"update {commandId}");
        await Task.Delay(RebootPatience, parts.Time, stopping);
    }

    /// <summary>After a reboot: the first step that finds that the host did not come up as it should.</summary>
    private ErrorObject? FindBootFailure(UpdateRecord record, UpdateManifest manifest)
    {
        foreach (var step in manifest.Steps.Where(step => record.Steps[step.Index].State == StepStates.Succeeded))
        {
            var work = WorkOf(record, step);
            if (!work.Booted || HandlerOf(step).ConfirmBoot(work) is not { Error: { } error } result)
            {
                continue;
            }
            Change(record, r => r.WithStep(step.Index, s => Ended(s, StepStates.Failed, result)));
            return error;
        }
        return null;
    }

    private IUpdateHandler HandlerOf(ManifestStep step) =>
        parts.Handlers.Find(step.Handler)
        ?? throw new InvalidOperationException(
            $"Handler '{step.Handler}' was taken out of host-access.json during an update."
        );

    private StepWork WorkOf(UpdateRecord record, ManifestStep step) =>
        new(
            record.CommandId,
            step,
            parts.Staging.WorkFolder(record.CommandId, step.Index),
            Booted: record.Steps[step.Index].ChangedIn is { } instance && instance != parts.Host.InstanceId
        );
}
