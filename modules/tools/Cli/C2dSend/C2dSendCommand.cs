using System.CommandLine;

namespace EdgeDm.Cli;

/// <summary>The words of <c>edgedm c2d send</c>.</summary>
internal static class C2dSendCommand
{
    public static Command Create()
    {
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
        );
        var message = MessageOptions.AddTo(command);
        command.Options.Add(expiry);
        var hub = HubOptions.AddTo(command);
        return command.Runs(
            async (result, context, cancellationToken) =>
            {
                using var target = hub.Open(result, context);
                return await C2dSendHandler.RunAsync(
                    message.Of(result),
                    result.GetValue(expiry),
                    target,
                    context,
                    cancellationToken
                );
            }
        );
    }
}
