using System.CommandLine;

namespace EdgeDm.Cli;

/// <summary>The words of <c>edgedm hub status</c>.</summary>
internal static class HubStatusCommand
{
    public static Command Create()
    {
        var command = new Command(
            "status",
            """
            Tells whether the hub can be reached, and which modules of the gateway are connected to it.
            """
        );
        var hub = HubOptions.AddTo(command);
        return command.Runs(
            async (result, context, cancellationToken) =>
            {
                using var target = hub.Open(result, context);
                return await HubStatusHandler.RunAsync(target, context, cancellationToken);
            }
        );
    }
}
