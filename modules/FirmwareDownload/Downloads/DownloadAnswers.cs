using System.Text.Json;
using EdgeDm.Contracts;
using EdgeDm.ModuleHost;

namespace EdgeDm.FirmwareDownload.Downloads;

/// <summary>
/// What DeviceManagement is told: ends for certain and always under the same message id, progress while somebody listens
/// and not too often.
/// </summary>
internal sealed class DownloadAnswers(IModuleHub hub, DownloadOptions options, TimeProvider time)
{
    private readonly Lock gate = new();
    private string lastJob = "";
    private long lastAt;

    /// <summary>Tells progress unless that was done just now; called with every read, so the totals are made only then.</summary>
    public void Progress(string jobId, DownloadRun run)
    {
        if (IsDue(jobId))
        {
            Tell(jobId, run.Bytes);
        }
    }

    /// <summary>Tells progress unless that was done just now.</summary>
    public void Progress(string jobId, DownloadBytes bytes)
    {
        if (IsDue(jobId))
        {
            Tell(jobId, bytes);
        }
    }

    /// <summary>Tells why a request does not go on at present.</summary>
    public void Waits(string jobId, DownloadBytes bytes, ErrorObject reason) => Tell(jobId, bytes, reason);

    /// <summary>Tells the end of a request, again if it was told before.</summary>
    public void End(DownloadRecord record)
    {
        if (record.Completed is { } completed)
        {
            hub.Post(
                Routes.Downloads,
                Schemas.DownloadCompleted,
                JsonSerializer.SerializeToUtf8Bytes(completed, ContractsJson.Default.DownloadCompleted),
                record.AnswerId
            );
        }
        else if (record.Error is { } error)
        {
            hub.Post(
                Routes.Downloads,
                Schemas.DownloadFailed,
                JsonSerializer.SerializeToUtf8Bytes(
                    new(record.JobId, error, record.Bytes),
                    ContractsJson.Default.DownloadFailed
                ),
                record.AnswerId
            );
        }
    }

    private bool IsDue(string jobId)
    {
        lock (gate)
        {
            if (lastJob == jobId && time.GetElapsedTime(lastAt) < options.ProgressInterval)
            {
                return false;
            }
            lastJob = jobId;
            lastAt = time.GetTimestamp();
            return true;
        }
    }

    private void Tell(string jobId, DownloadBytes bytes, ErrorObject? waits = null) =>
        hub.PostVolatile(
            Routes.Downloads,
            Schemas.DownloadProgress,
            JsonSerializer.SerializeToUtf8Bytes(new(jobId, bytes, waits), ContractsJson.Default.DownloadProgress),
            replaceKey: $"progress-{jobId}"
        );
}
