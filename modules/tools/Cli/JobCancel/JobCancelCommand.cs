using System.CommandLine;

namespace EdgeDm.Cli;

/// <summary>The words of <c>edgedm job cancel</c>.</summary>
internal static class JobCancelCommand
{
    public static Command Create()
    {
        var jobId = new Argument<string>("job-id") { Description = "The job's id, as 'job list' shows it." };
        var command = new Command("cancel", "Cancels a job. Refused once a step runs that cannot be left.") { jobId };
        var hub = HubOptions.AddTo(command);
        return command.Runs(
            async (result, context, cancellationToken) =>
            {
                using var target = hub.Open(result, context);
                return await JobCancelHandler.RunAsync(
                    result.GetRequiredValue(jobId),
                    target,
                    context,
                    cancellationToken
                );
            }
        );
    }
}
