using System.Text.Json;
using EdgeDm.Contracts;

namespace EdgeDm.Cli;

/// <summary>Lists jobs.</summary>
internal static class JobListHandler
{
    public static async Task<int> RunAsync(
        QueryJobsRequest options,
        HubTarget target,
        CliContext context,
        CancellationToken cancellationToken
    )
    {
        var list = await target.QueryJobsAsync(options, cancellationToken);
        context.Terminal.Result(
            () => JsonSerializer.SerializeToNode(list, ContractsJson.Default.JobList),
            words =>
                TextTable.Write(
                    words,
                    ["JOB", "TYPE", "STATUS", "STEP", "PERCENT", "CREATED", "ERROR"],
                    list.Jobs.Select(job =>
                        new[]
                        {
                            job.JobId,
                            job.Type,
                            job.Status,
                            job.Step ?? "-",
                            $"{job.Percent}",
                            job.CreatedTime.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss'Z'", null),
                            job.Error?.Name ?? "-",
                        }
                    )
                )
        );
        return ExitCodes.Done;
    }
}
