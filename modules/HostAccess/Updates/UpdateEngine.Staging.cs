using EdgeDm.Contracts;

namespace EdgeDm.HostAccess.Updates;

/// <summary>Ahead of the steps: everything is checked once more, and copied to where nobody else can change it.</summary>
internal sealed partial class UpdateEngine
{
    private async Task StageAsync(UpdateRecord record, CancellationToken stopping)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stopping, cancelling.Token);
        using var progress = new ThrottledProgress(0, percent => TellStaged(record.CommandId, percent), parts.Time);
        try
        {
            RequireNotCancelled(record.CommandId);
            var update = parts.Admission.Admit(record.UpdateManifest!, record.UpdateManifestSignature!);
            if (update.Full is null)
            {
                throw ErrorRegistry.StagedFileMissing.Refusal(
                    update.Signed.DetachedManifestFileId!,
                    "The detached manifest is not in the package store."
                );
            }
            await parts.Staging.StageAsync(record.CommandId, update, progress.Report, either.Token);
            Change(record, r => r with { State = HostUpdateState.Installing, Percent = PercentStaged });
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            End(record.CommandId, HostUpdateState.Cancelled, CancelledError(record.CommandId));
        }
        catch (EdgeDmException refusal)
        {
            End(record.CommandId, HostUpdateState.Failed, refusal.Error);
        }
    }

    private void TellStaged(string commandId, int percent) =>
        parts.Journal.Tell(commandId, r => r with { Percent = Math.Max(r.Percent, percent * PercentStaged / 100) });

    private void RequireNotCancelled(string commandId)
    {
        if (parts.Journal.Get(commandId).CancelRequested)
        {
            throw new OperationCanceledException("The update was cancelled.");
        }
    }
}
