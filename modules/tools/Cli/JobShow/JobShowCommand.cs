using System.CommandLine;

namespace EdgeDm.Cli;

/// <summary>The words of <c>edgedm job show</c>.</summary>
internal static class JobShowCommand
{
    public static Command Create()
    {
        var jobId = new Argument<string>("job-id") { Description = "The job's id, as 'job list' shows it." };
        var command = new Command("show", "Shows one job: its steps with their times, and its error.") { jobId };
        var hub = HubOptions.AddTo(command);
        return command.Runs(
            async (result, context, cancellationToken) =>
            {
                using var target = hub.Open(result, context);
                return await JobShowHandler.RunAsync(
                    result.GetRequiredValue(jobId),
                    target,
                    context,
                    cancellationToken
                );
            }
        );
    }
}
