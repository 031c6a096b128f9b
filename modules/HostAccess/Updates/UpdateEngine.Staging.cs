using EdgeDm.Contracts;

namespace EdgeDm.HostAccess.Updates;

/// <summary>Ahead of the steps: everything is checked once more, and copied to where nobody else can change it.</summary>
internal sealed partial class UpdateEngine
{
    private async Task StageAsync(UpdateRecord record, CancellationToken stopping)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stopping, cancelling.Token);
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
            await parts.Staging.StageAsync(
                record.CommandId,
                update,
                percent => ReportStaged(record.CommandId, percent),
                either.Token
            );
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

    private void ReportStaged(string commandId, int percent)
    {
        const int Stride = 5; // Each report is a write to disk.
        var scaled = percent * PercentStaged / 100 / Stride * Stride;
        parts.Journal.Change(commandId, r => r.Percent >= scaled ? r : r with { Percent = scaled });
    }

    private void RequireNotCancelled(string commandId)
    {
        if (parts.Journal.Get(commandId).CancelRequested)
        {
            throw new OperationCanceledException("The update was cancelled.");
        }
    }
}
