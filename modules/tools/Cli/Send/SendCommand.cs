using System.CommandLine;

namespace EdgeDm.Cli;

/// <summary>The words of <c>edgedm send</c>.</summary>
internal static class SendCommand
{
    public static Command Create()
    {
        var input = new Argument<string>("module/input")
        {
            Description = "Where to, for example DeviceManagement/commands.",
        };
        var command = new Command(
            "send",
            """
            Puts a message into a module's input, as a route would. Only the dev hub can: IoT Hub has no such call.
            """
        )
        {
            input,
        };
        var message = MessageOptions.AddTo(command);
        var hub = HubOptions.AddTo(command);
        return command.Runs(
            async (result, context, cancellationToken) =>
            {
                using var target = hub.Open(result, context);
                return await SendHandler.RunAsync(
                    result.GetRequiredValue(input),
                    message.Of(result),
                    target,
                    context,
                    cancellationToken
                );
            }
        );
    }
}
