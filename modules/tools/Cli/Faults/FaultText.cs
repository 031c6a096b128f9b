using System.Globalization;
using System.Text.Json.Nodes;

namespace EdgeDm.Cli;

/// <summary>The dev hub's faults in words.</summary>
internal static class FaultText
{
    /// <summary>One line: its number, what is wrong, with whom, until when.</summary>
    public static string Of(JsonNode fault) => $"{fault["id"]}: {What(fault)}, {Whom(fault)}, {Until(fault)}";

    private static string What(JsonNode fault) =>
        (string?)fault["kind"] switch
        {
            "cut" =>
                $"{(IsTrue(fault, "silent") ? "silent cut" : "cut")}{(IsTrue(fault, "https") ? ", HTTPS too" : "")}",
            "slow" =>
                $"{fault["latencyMilliseconds"]} ms slower{(fault["bytesPerSecond"] is { } rate ? $", at most {rate} bytes/s" : "")}",
            _ => $"{fault["what"]} dropped, {Which(fault)}, {fault["dropped"]} so far",
        };

    private static string Which(JsonNode fault) =>
        fault["next"] is { } next ? $"the next {next}" : $"{fault["share"]} of all with seed {fault["seed"]}";

    private static string Whom(JsonNode fault) =>
        fault["clients"] is JsonArray { Count: > 0 } clients
            ? $"of {string.Join(", ", clients.Select(client => client!.ToString()))}"
            : "of everybody";

    private static string Until(JsonNode fault) =>
        DateTimeOffset.TryParse((string?)fault["ends"], CultureInfo.InvariantCulture, out var end)
            ? $"until {end.ToLocalTime().ToString("HH:mm:ss", CultureInfo.InvariantCulture)}"
            : "until it is ended";

    private static bool IsTrue(JsonNode fault, string name) => (bool?)fault[name] == true;
}
