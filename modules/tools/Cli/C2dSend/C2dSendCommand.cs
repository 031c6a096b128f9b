using System.CommandLine;

namespace EdgeDm.Cli;

/// <summary>The words of <c>edgedm c2d send</c>.</summary>
internal static class C2dSendCommand
{
    public static Command Create()
    {
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
        var expiry = new Option<int?>("--expiry")
        {
            Description = "Seconds that the message waits for the device, at most two days. [default: an hour]",
            HelpName = "seconds",
        };
        var command = new Command(
            "send",
            """
            Sends a message from the cloud to a device, which gets it when it is connected. Only the dev hub takes it so: IoT Hub does by
            AMQP alone.
            """
        )
        {
            body,
            properties,
            contentType,
            expiry,
        };
        var hub = HubOptions.AddTo(command);
        return command.Runs(
            async (result, context, cancellationToken) =>
            {
                using var target = hub.Open(result, context);
                return await C2dSendHandler.RunAsync(
                    new(
                        result.GetValue(body),
                        result.GetValue(properties) ?? [],
                        result.GetRequiredValue(contentType),
                        result.GetValue(expiry)
                    ),
                    target,
                    context,
                    cancellationToken
                );
            }
        );
    }
}
