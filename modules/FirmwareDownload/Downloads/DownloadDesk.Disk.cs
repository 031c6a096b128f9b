using EdgeDm.Contracts;
using EdgeDm.Durable;

namespace EdgeDm.FirmwareDownload.Downloads;

/// <content>What it leaves on the disks, and what it says when they are full.</content>
internal sealed partial class DownloadDesk
{
    private static ErrorObject NotKept(string jobId, IOException error) =>
        FullDisk.IsCauseOf(error)
            ? ErrorRegistry.NoSpace.Error(
                Subsystems.FirmwareDownload,
                "data",
                $"The folder of FirmwareDownload's records is full, so '{jobId}' waits until it can be recorded.",
                ("available", "0")
            )
            : ErrorRegistry.Internal.Error(
                Subsystems.FirmwareDownload,
                "data",
                $"FirmwareDownload cannot write its records ({error.GetType().Name}), so '{jobId}' waits."
            );

    /// <summary>What came in of a request that has failed for good, unless another one that waits needs the same file.</summary>
    private void RemoveParts(DownloadRecord record)
    {
        var needed = records
            .Values.Where(r => !r.IsTerminal && r.JobId != record.JobId)
            .SelectMany(r => r.PartNames)
            .ToHashSet(StringComparer.Ordinal);
        foreach (var part in record.PartNames.Where(name => !needed.Contains(name)))
        {
            try
            {
                store.RemovePart(part);
            }
            catch (EdgeDmException error)
            {
                LogPartStays(logger, record.JobId, error.Error.Message); // The sweep tries again.
            }
        }
    }

    private void Sweep()
    {
        lock (gate)
        {
            var oldest = time.GetUtcNow() - options.KeepFor;
            foreach (var old in records.Values.Where(r => r.IsTerminal && r.ChangedAt < oldest).ToList())
            {
                disk.Delete(old.JobId);
                records.Remove(old.JobId);
            }
            var live = records
                .Values.SelectMany(r => r.PartNames.Concat(r.Completed?.Files.Select(f => f.Sha256) ?? []))
                .ToHashSet(StringComparer.Ordinal);
            var removed = store.Sweep(live);
            if (removed > 0)
            {
                LogSwept(logger, removed);
            }
        }
    }
}
