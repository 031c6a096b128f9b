using System.Globalization;
using System.Text.Json.Nodes;

namespace EdgeDm.Cli;

/// <summary>Sends a message from the cloud to a device.</summary>
internal static class C2dSendHandler
{
    private const string Expiry = "$.exp";

    /// <param name="typed">The message.</param>
    /// <param name="expirySeconds">How long it waits; null = as the hub says.</param>
    /// <param name="target">The device.</param>
    /// <param name="context">Clock and terminal.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<int> RunAsync(
        TypedMessage typed,
        int? expirySeconds,
        HubTarget target,
        CliContext context,
        CancellationToken cancellationToken
    )
    {
        if (expirySeconds < 1)
        {
            throw new CliException(ExitCodes.Usage, "--expiry takes seconds, 1 or more.");
        }
        var message = await typed.ReadAsync(cancellationToken);
        if (expirySeconds is { } seconds)
        {
            var end = context.Time.GetUtcNow().AddSeconds(seconds).UtcDateTime;
            message = message with
            {
                Properties = [.. message.Properties, new(Expiry, end.ToString("O", CultureInfo.InvariantCulture))],
            };
        }
        await target.RequireDevHubAsync(
            "IoT Hub takes messages to devices by AMQP alone. Use 'az iot device c2d-message send'.",
            cancellationToken
        );
        await target.Client.SendToDeviceAsync(target.Device, message, cancellationToken);
        context.Terminal.Result(
            () => new JsonObject { ["messageId"] = message.Id },
            words => words.Say($"Message {message.Id} waits for {target.Device}.")
        );
        return ExitCodes.Done;
    }
}
