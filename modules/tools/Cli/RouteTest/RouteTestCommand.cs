using System.CommandLine;

namespace EdgeDm.Cli;

/// <summary>The words of <c>edgedm route test</c>.</summary>
internal static class RouteTestCommand
{
    public static Command Create()
    {
        var route = new Argument<string>("route") { Description = $"The route: {InputText.Forms}." };
        var message = new Option<string?>("--message")
        {
            Description =
                "JSON file with a message: systemProperties, properties, body or bodyBase64; - for standard input. Without it only the route's text is checked.",
            HelpName = "file",
        };
        var command = new Command(
            "test",
            """
            Tells whether a message takes a route, and why not; or what is wrong with the route. Only the dev hub can.

            The exit code is 0 when the message takes the route, else 1.

            Example: edgedm route test "FROM /messages/* WHERE level = '3' INTO $upstream" --message message.json
            """
        )
        {
            route,
            message,
        };
        var hub = HubOptions.AddTo(command);
        return command.Runs(
            async (result, context, cancellationToken) =>
            {
                using var target = hub.Open(result, context);
                return await RouteTestHandler.RunAsync(
                    result.GetRequiredValue(route),
                    result.GetValue(message),
                    target,
                    context,
                    cancellationToken
                );
            }
        );
    }
}
