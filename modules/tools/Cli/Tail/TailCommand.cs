using System.CommandLine;

namespace EdgeDm.Cli;

/// <summary>The words of <c>edgedm tail</c>.</summary>
internal static class TailCommand
{
    public static Command Create()
    {
        var upstream = new Option<bool>("--upstream")
        {
            Description = "Only messages that go to the cloud ($upstream).",
        };
        var logs = new Option<bool>("--logs") { Description = "The modules' output, too." };
        var count = new Option<int?>("--count") { Description = "End after so many.", HelpName = "n" };
        count.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int?>() < 1)
            {
                result.AddError("--count must be at least 1.");
            }
        });
        var command = new Command(
            "tail",
            """
            Shows messages as they pass the dev hub: from where, along which route, to where, and what they say. Until Ctrl-C. Only
            the dev hub can.

            Example: edgedm tail --upstream --json | jq .body
            """
        )
        {
            upstream,
            logs,
            count,
        };
        var hub = HubOptions.AddTo(command);
        return command.Runs(
            async (result, context, cancellationToken) =>
            {
                using var target = hub.Open(result, context);
                return await TailHandler.RunAsync(
                    new(result.GetValue(upstream), result.GetValue(logs), result.GetValue(count)),
                    target,
                    context,
                    cancellationToken
                );
            }
        );
    }
}
