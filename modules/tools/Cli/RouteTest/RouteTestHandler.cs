using System.Text.Json;
using System.Text.Json.Nodes;

namespace EdgeDm.Cli;

/// <summary>Tries a route at the dev hub.</summary>
internal static class RouteTestHandler
{
    public static async Task<int> RunAsync(
        string route,
        string? messageFile,
        HubTarget target,
        CliContext context,
        CancellationToken cancellationToken
    )
    {
        var text = await InputText.ReadAsync(route, cancellationToken);
        var message = messageFile is null ? null : await ReadMessageAsync(messageFile, cancellationToken);
        await target.RequireDevHubAsync("IoT Hub cannot try routes.", cancellationToken);
        var answer = await target.Client.TryRouteAsync(text, message, cancellationToken);
        context.Terminal.Result(() => answer, words => Tell(words, answer));
        return answer["result"]?["taken"]?.GetValue<bool>() == false ? ExitCodes.Failed : ExitCodes.Done;
    }

    private static async Task<JsonObject> ReadMessageAsync(string file, CancellationToken cancellationToken)
    {
        var text = await InputText.ReadAsync(file == "-" ? file : $"@{file}", cancellationToken);
        try
        {
            return JsonNode.Parse(text) as JsonObject ?? throw new JsonException("An object is expected.");
        }
        catch (JsonException error)
        {
            throw new CliException(ExitCodes.Usage, $"'{file}' holds no message: {error.Message}");
        }
    }

    private static void Tell(Terminal terminal, JsonObject answer)
    {
        if (answer["result"] is not JsonObject result)
        {
            terminal.Say("The route is good.");
            return;
        }
        var taken = result["taken"]!.GetValue<bool>();
        terminal.Say(taken ? $"Taken: the message goes to {answer["sink"]}." : $"Not taken: {Reason(answer, result)}.");
        foreach (var (name, value) in result["values"]!.AsObject())
        {
            terminal.Say($"  {name} is {value}");
        }
    }

    private static string Reason(JsonObject answer, JsonObject result) =>
        result["sourceMatches"]!.GetValue<bool>()
            ? $"the condition is {result["condition"]}"
            : $"the message's source is {result["messageSource"]}, the route is FROM {answer["source"]}";
}
