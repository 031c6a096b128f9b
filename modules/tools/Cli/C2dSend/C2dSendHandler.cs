using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace EdgeDm.Cli;

/// <summary>Sends a message from the cloud to a device.</summary>
internal static class C2dSendHandler
{
    private const string Expiry = "$.exp";

    public static async Task<int> RunAsync(
        C2dSendOptions options,
        HubTarget target,
        CliContext context,
        CancellationToken cancellationToken
    )
    {
        MessageText.CheckContentType(options.ContentType);
        var properties = MessageText.Properties(options.Properties);
        if (options.ExpirySeconds is { } seconds)
        {
            if (seconds < 1)
            {
                throw new CliException(ExitCodes.Usage, "--expiry takes seconds, 1 or more.");
            }
            var end = context.Time.GetUtcNow().AddSeconds(seconds).UtcDateTime;
            properties.Add(new(Expiry, end.ToString("O", CultureInfo.InvariantCulture)));
        }
        var body = options.Body is { } argument ? await InputText.ReadAsync(argument, cancellationToken) : "";
        if (await target.Client.FindDevHubAsync(cancellationToken) is null)
        {
            throw new CliException(
                ExitCodes.Failed,
                "This hub is no dev hub, and IoT Hub takes messages to devices by AMQP alone. Use 'az iot device c2d-message send'."
            );
        }
        await target.Client.SendToDeviceAsync(
            target.Device,
            Encoding.UTF8.GetBytes(body),
            options.ContentType,
            properties,
            cancellationToken
        );
        var messageId = MessageText.IdOf(properties);
        context.Terminal.Result(
            () => new JsonObject { ["messageId"] = messageId },
            words => words.Say($"Message {messageId} waits for {target.Device}.")
        );
        return ExitCodes.Done;
    }
}

/// <summary>What was asked for.</summary>
/// <param name="Body">As typed; null = empty.</param>
/// <param name="Properties"><c>name=value</c> each.</param>
/// <param name="ContentType">Of the body.</param>
/// <param name="ExpirySeconds">How long it waits; null = as the hub says.</param>
internal sealed record C2dSendOptions(
    string? Body,
    IReadOnlyList<string> Properties,
    string ContentType,
    int? ExpirySeconds
);
