using System.CommandLine;
using EdgeDm.Contracts;

namespace EdgeDm.Cli;

/// <summary>The words of <c>edgedm job create</c>.</summary>
internal static class JobCreateCommand
{
    private const int ShortestTimeout = 60;
    private const int LongestTimeout = 86_400;

    public static Command Create()
    {
        var type = new Argument<string>("type")
        {
            Description = $"The job's type: {string.Join(", ", JobTypes.All)}.",
            HelpName = "type",
        };
        type.AcceptOnlyFromAmong([.. JobTypes.All]);
        var payload = new Argument<string?>("payload")
        {
            Description = $"What the type needs, JSON: {InputText.Forms}.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var id = new Option<string?>("--id")
        {
            Description =
                "The job's id; the same id with the same content never makes a second job. [default: a new one]",
            HelpName = "job-id",
        };
        var jobTimeout = new Option<int?>("--job-timeout")
        {
            Description = $"Seconds that the gateway gives the job, {ShortestTimeout} to {LongestTimeout}.",
            HelpName = "seconds",
        };
        var follow = new Option<bool>("--watch") { Description = "Follow the job to its end, as 'job watch' does." };
        var command = new Command("create", "Creates a job on the gateway.") { type, payload, id, jobTimeout, follow };
        var watch = WatchOptions.AddTo(command);
        var hub = HubOptions.AddTo(command);
        return command.Runs(
            async (result, context, cancellationToken) =>
            {
                using var target = hub.Open(result, context);
                return await JobCreateHandler.RunAsync(
                    new(
                        result.GetRequiredValue(type),
                        result.GetValue(payload),
                        result.GetValue(id),
                        result.GetValue(jobTimeout),
                        result.GetValue(follow) ? watch.Read(result) : null
                    ),
                    target,
                    context,
                    cancellationToken
                );
            }
        );
    }
}
