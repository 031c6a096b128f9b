using System.CommandLine;

namespace EdgeDm.Cli;

/// <summary>The words of <c>edgedm twin set</c>.</summary>
internal static class TwinSetCommand
{
    public static Command Create()
    {
        var values = new Argument<string[]>("path=value")
        {
            Description =
                "Desired property and its value: names parted by dots, value as JSON or else as text; null removes it.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var file = new Option<string?>("--file")
        {
            Description = "JSON object to merge into the desired properties; - for standard input.",
            HelpName = "file",
        };
        var command = new Command(
            "set",
            """
            Changes a module's desired properties, by merging.

            Example: edgedm twin set rebootInfo.scheduled=true firmwareUpdate.workflow.id=second-try
            """
        )
        {
            values,
            file,
        };
        var hub = HubOptions.AddTo(command, hasModule: true);
        return command.Runs(
            async (result, context, cancellationToken) =>
            {
                using var target = hub.Open(result, context);
                return await TwinSetHandler.RunAsync(
                    new(result.GetValue(values) ?? [], result.GetValue(file)),
                    target,
                    context,
                    cancellationToken
                );
            }
        );
    }
}
