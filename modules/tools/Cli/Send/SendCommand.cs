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
        var body = new Argument<string?>("body")
        {
            Description = $"The message: {InputText.Forms}. [default: empty]",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var properties = new Option<string[]>("--property")
        {
            Description =
                "Application property of the message, or a system property as $.cid; may be given several times. $.mid is made when absent.",
            HelpName = "name=value",
        };
        var contentType = new Option<string>("--content-type")
        {
            Description = "The message's content type.",
            HelpName = "type",
            DefaultValueFactory = _ => "application/json",
        };
        var command = new Command(
            "send",
            """
            Puts a message into a module's input, as a route would. Only the dev hub can: IoT Hub has no such call.
            """
        )
        {
            input,
            body,
            properties,
            contentType,
        };
        var hub = HubOptions.AddTo(command);
        return command.Runs(
            async (result, context, cancellationToken) =>
            {
                using var target = hub.Open(result, context);
                return await SendHandler.RunAsync(
                    new(
                        result.GetRequiredValue(input),
                        result.GetValue(body),
                        result.GetValue(properties) ?? [],
                        result.GetRequiredValue(contentType)
                    ),
                    target,
                    context,
                    cancellationToken
                );
            }
        );
    }
}
