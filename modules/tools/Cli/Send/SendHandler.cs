using System.Text.Json.Nodes;

namespace EdgeDm.Cli;

/// <summary>Puts a message into a module's input.</summary>
internal static class SendHandler
{
    /// <param name="input"><c>module/input</c>.</param>
    /// <param name="typed">The message.</param>
    /// <param name="target">The hub.</param>
    /// <param name="context">The terminal.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<int> RunAsync(
        string input,
        TypedMessage typed,
        HubTarget target,
        CliContext context,
        CancellationToken cancellationToken
    )
    {
        var names = input.Split('/');
        if (names.Length != 2 || names.Any(name => name.Length == 0))
        {
            throw new CliException(ExitCodes.Usage, $"'{input}' is not module/input.");
        }
        var message = await typed.ReadAsync(cancellationToken);
        await target.RequireDevHubAsync(
            "IoT Hub cannot put messages into a module's input. Let a module send it along a route, or use 'edgedm method'.",
            cancellationToken
        );
        await target.Client.SendToInputAsync(names[0], names[1], message, cancellationToken);
        context.Terminal.Result(
            () => new JsonObject { ["messageId"] = message.Id },
            words => words.Say($"Sent to {input} as message {message.Id}.")
        );
        return ExitCodes.Done;
    }
}
