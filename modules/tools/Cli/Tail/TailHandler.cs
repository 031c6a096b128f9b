using System.Globalization;
using System.Text.Json.Nodes;

namespace EdgeDm.Cli;

/// <summary>What <c>edgedm tail</c> shows.</summary>
/// <param name="UpstreamOnly">Messages to the cloud alone.</param>
/// <param name="Logs">Lines of the modules, too.</param>
/// <param name="Count">Ends after so many; null = never.</param>
internal sealed record TailChoice(bool UpstreamOnly, bool Logs, int? Count);

/// <summary>Follows what passes the dev hub.</summary>
internal static class TailHandler
{
    private const string Upstream = "$upstream";

    public static async Task<int> RunAsync(
        TailChoice choice,
        HubTarget target,
        CliContext context,
        CancellationToken cancellationToken
    )
    {
        await target.RequireDevHubAsync("IoT Hub shows no messages as they pass.", cancellationToken);
        var shown = 0;
        await foreach (
            var happened in target.Client.TailAsync(() => context.Terminal.Say("Listening."), cancellationToken)
        )
        {
            if (!IsWanted(happened, choice))
            {
                continue;
            }
            if (context.Terminal.Json)
            {
                context.Terminal.WriteJsonLine(happened);
            }
            else
            {
                context.Terminal.Say(Words(happened));
            }
            if ((string?)happened["kind"] != "lost" && ++shown == choice.Count)
            {
                break;
            }
        }
        return ExitCodes.Done;
    }

    private static bool IsWanted(JsonObject happened, TailChoice choice) =>
        (string?)happened["kind"] switch
        {
            "message" => !choice.UpstreamOnly || (string?)happened["to"] == Upstream,
            "line" => choice.Logs,
            _ => true, // That some were lost concerns everybody.
        };

    private static string Words(JsonObject happened) =>
        (string?)happened["kind"] switch
        {
            "message" =>
                $"{Time(happened)}  {happened["from"]} -> {happened["to"]?.ToString() ?? "(no route)"}  {Body(happened)}",
            "line" => $"{Time(happened)}  {happened["module"]} | {happened["text"]}",
            "lost" => $"({happened["count"]} were lost: this reader is too slow)",
            _ => JsonText.Compact(happened),
        };

    private static string Body(JsonObject message) =>
        message["body"] is { } body
            ? JsonText.Compact(body)
            : $"{message["text"]}{(message["cut"] is null ? "" : "...")}";

    private static string Time(JsonObject happened) =>
        DateTimeOffset.TryParse((string?)happened["time"], CultureInfo.InvariantCulture, out var time)
            ? time.ToLocalTime().ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture)
            : "";
}
