using System.CommandLine;

namespace EdgeDm.Cli;

/// <summary>The words of <c>edgedm hub faults</c>.</summary>
internal static class HubFaultsCommand
{
    public static Command Create()
    {
        var command = new Command(
            "faults",
            """
            Lists what goes wrong on purpose at the dev hub now, by 'hub cut', 'hub slow' and 'hub drop'.
            """
        );
        var hub = HubOptions.AddTo(command);
        return command.Runs(
            async (result, context, cancellationToken) =>
            {
                using var target = hub.Open(result, context);
                return await HubFaultsHandler.RunAsync(target, context, cancellationToken);
            }
        );
    }
}
