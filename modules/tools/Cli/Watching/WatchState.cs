using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeDm.Contracts;

namespace EdgeDm.Cli;

/// <summary>A job as it was last seen.</summary>
/// <param name="JobId">Its id; empty when the update was refused before there was a job.</param>
/// <param name="Status">One of <see cref="JobStatuses"/>.</param>
/// <param name="Step">Its present step.</param>
/// <param name="Percent">0 to 100 of that step.</param>
/// <param name="Bytes">Of the download.</param>
/// <param name="Error">Why it failed.</param>
/// <param name="Job">The whole document; null when only the twin could be read.</param>
/// <param name="Away">Why the gateway cannot be asked now; null when it answered.</param>
internal sealed record WatchState(
    string JobId,
    string Status,
    string? Step,
    int Percent,
    DownloadBytes? Bytes,
    ErrorObject? Error,
    JobDocument? Job,
    string? Away = null
)
{
    public bool IsTerminal => JobStatuses.IsTerminal(Status);

    /// <summary>What the shell learns of it.</summary>
    public int ExitCode =>
        Status switch
        {
            JobStatuses.Completed => ExitCodes.Done,
            JobStatuses.Cancelled => ExitCodes.JobCancelled,
            _ => ExitCodes.JobFailed,
        };

    public static WatchState Of(JobDocument job) =>
        new(job.JobId, job.Status, job.Step, job.Percent, job.Bytes, job.Error, job);

    public JsonObject ToJson()
    {
        var document = new JsonObject
        {
            ["jobId"] = JobId,
            ["status"] = Status,
            ["step"] = Step,
            ["percent"] = Percent,
        };
        if (Bytes is not null)
        {
            document["bytes"] = JsonSerializer.SerializeToNode(Bytes, ContractsJson.Default.DownloadBytes);
        }
        if (Error is not null)
        {
            document["error"] = JsonSerializer.SerializeToNode(Error, ContractsJson.Default.ErrorObject);
        }
        if (IsTerminal && Job is not null)
        {
            document["job"] = JsonSerializer.SerializeToNode(Job, ContractsJson.Default.JobDocument);
        }
        return document;
    }
}
