using System.CommandLine;

namespace EdgeDm.Cli;

/// <summary>The words of <c>edgedm hub restore</c>.</summary>
internal static class HubRestoreCommand
{
    public static Command Create()
    {
        var fault = new Argument<int?>("fault")
        {
            Description = "Its number, as 'edgedm hub faults' shows it. [default: all]",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var command = new Command(
            "restore",
            """
            Ends what goes wrong on purpose at the dev hub.
            """
        )
        {
            fault,
        };
        var hub = HubOptions.AddTo(command);
        return command.Runs(
            async (result, context, cancellationToken) =>
            {
                using var target = hub.Open(result, context);
                return await HubRestoreHandler.RunAsync(result.GetValue(fault), target, context, cancellationToken);
            }
        );
    }
}
