using System.Text.Json;
using EdgeDm.Contracts;

namespace EdgeDm.Cli;

/// <summary>Shows a job.</summary>
internal static class JobShowHandler
{
    public static async Task<int> RunAsync(
        string jobId,
        HubTarget target,
        CliContext context,
        CancellationToken cancellationToken
    )
    {
        var job = await target.GetJobAsync(jobId, cancellationToken);
        context.Terminal.Result(
            () => JsonSerializer.SerializeToNode(job, ContractsJson.Default.JobDocument),
            words => JobText.Write(words, job)
        );
        return ExitCodes.Done;
    }
}
