using System.Text.Json;
using EdgeDm.Contracts;

namespace EdgeDm.Cli;

/// <summary>Cancels a job.</summary>
internal static class JobCancelHandler
{
    public static async Task<int> RunAsync(
        string jobId,
        HubTarget target,
        CliContext context,
        CancellationToken cancellationToken
    )
    {
        var job = await target.CancelJobAsync(jobId, cancellationToken);
        context.Terminal.Result(
            () => JsonSerializer.SerializeToNode(job, ContractsJson.Default.JobDocument),
            words => JobText.Write(words, job)
        );
        return ExitCodes.Done;
    }
}
