using System.Text;
using System.Text.Json.Nodes;

namespace EdgeDm.Cli;

/// <summary>Puts a message into a module's input.</summary>
internal static class SendHandler
{
    public static async Task<int> RunAsync(
        SendOptions options,
        HubTarget target,
        CliContext context,
        CancellationToken cancellationToken
    )
    {
        var names = options.Input.Split('/');
        if (names.Length != 2 || names.Any(name => name.Length == 0))
        {
            throw new CliException(ExitCodes.Usage, $"'{options.Input}' is not module/input.");
        }
        MessageText.CheckContentType(options.ContentType);
        var properties = MessageText.Properties(options.Properties);
        var body = options.Body is { } argument ? await InputText.ReadAsync(argument, cancellationToken) : "";
        if (await target.Client.FindDevHubAsync(cancellationToken) is null)
        {
            throw new CliException(
                ExitCodes.Failed,
                "This hub is no dev hub, and IoT Hub cannot put messages into a module's input. Let a module send it along a route, or use 'edgedm method'."
            );
        }
        await target.Client.SendToInputAsync(
            names[0],
            names[1],
            Encoding.UTF8.GetBytes(body),
            options.ContentType,
            properties,
            cancellationToken
        );
        var messageId = MessageText.IdOf(properties);
        context.Terminal.Result(
            () => new JsonObject { ["messageId"] = messageId },
            words => words.Say($"Sent to {options.Input} as message {messageId}.")
        );
        return ExitCodes.Done;
    }
}

/// <summary>What was asked for.</summary>
/// <param name="Input"><c>module/input</c>.</param>
/// <param name="Body">As typed; null = empty.</param>
/// <param name="Properties"><c>name=value</c> each.</param>
/// <param name="ContentType">Of the body.</param>
internal sealed record SendOptions(string Input, string? Body, IReadOnlyList<string> Properties, string ContentType);
