using System.CommandLine;

namespace EdgeDm.Cli;

/// <summary>The words of <c>edgedm hub page</c>.</summary>
internal static class HubPageCommand
{
    public static Command Create()
    {
        var command = new Command(
            "page",
            """
            Prints an address that opens the dev hub's page once, in a browser on the hub's own machine.
            """
        );
        var hub = HubOptions.AddTo(command);
        return command.Runs(
            async (result, context, cancellationToken) =>
            {
                using var target = hub.Open(result, context);
                return await HubPageHandler.RunAsync(target, context, cancellationToken);
            }
        );
    }
}
