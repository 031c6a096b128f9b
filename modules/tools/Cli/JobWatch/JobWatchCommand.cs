using System.CommandLine;

namespace EdgeDm.Cli;

/// <summary>The words of <c>edgedm job watch</c>.</summary>
internal static class JobWatchCommand
{
    public static Command Create()
    {
        var jobId = new Argument<string?>("job-id")
        {
            Description = "The job; none = the desired firmware update, or else the newest job.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var command = new Command(
            "watch",
            """
            Follows a job to its end, through restarts of the gateway.

            Shows a progress bar on a terminal and one line per change elsewhere; with --json one JSON document per line and
            change. The exit code is the job's outcome: 0 completed, 5 failed, 6 cancelled.
            """
        )
        {
            jobId,
        };
        var watch = WatchOptions.AddTo(command);
        var hub = HubOptions.AddTo(command);
        return command.Runs(
            async (result, context, cancellationToken) =>
            {
                using var target = hub.Open(result, context);
                return await JobWatchHandler.RunAsync(
                    new(result.GetValue(jobId), watch.Read(result)),
                    target,
                    context,
                    cancellationToken
                );
            }
        );
    }
}
