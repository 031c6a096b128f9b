using System.CommandLine;
using EdgeDm.Contracts;

namespace EdgeDm.Cli;

/// <summary>The words of <c>edgedm job list</c>.</summary>
internal static class JobListCommand
{
    private const int Default = 20;
    private const int Most = 100;

    public static Command Create()
    {
        var type = new Option<string?>("--type") { Description = "Only jobs of this type.", HelpName = "type" };
        type.AcceptOnlyFromAmong([.. JobTypes.All]);
        var status = new Option<string?>("--status")
        {
            Description = "Only jobs with this status: enqueued, running, completed, failed, cancelled.",
            HelpName = "status",
        };
        status.AcceptOnlyFromAmong(
            JobStatuses.Enqueued,
            JobStatuses.Running,
            JobStatuses.Completed,
            JobStatuses.Failed,
            JobStatuses.Cancelled
        );
        var max = new Option<int>("--max")
        {
            Description = $"Most jobs to list, 1 to {Most}.",
            HelpName = "count",
            DefaultValueFactory = _ => Default,
        };
        var command = new Command("list", "Lists the gateway's jobs, the newest first.") { type, status, max };
        var hub = HubOptions.AddTo(command);
        return command.Runs(
            async (result, context, cancellationToken) =>
            {
                using var target = hub.Open(result, context);
                return await JobListHandler.RunAsync(
                    new(result.GetValue(type), result.GetValue(status), result.GetValue(max)),
                    target,
                    context,
                    cancellationToken
                );
            }
        );
    }
}
