using System.Text.Json.Nodes;

namespace EdgeDm.Cli;

/// <summary>The parts of a twin that matter here.</summary>
/// <param name="Desired">Desired properties; empty when there are none.</param>
/// <param name="Reported">Reported properties; likewise.</param>
/// <param name="Etag">For a conditional change; null when the hub sent none.</param>
/// <param name="ConnectionState"><c>Connected</c> or <c>Disconnected</c>; null when the hub does not say.</param>
internal sealed record TwinDocument(JsonObject Desired, JsonObject Reported, string? Etag, string? ConnectionState)
{
    public static TwinDocument Of(JsonObject twin)
    {
        var properties = twin["properties"] as JsonObject;
        return new(
            properties?["desired"] as JsonObject ?? [],
            properties?["reported"] as JsonObject ?? [],
            Text(twin["etag"]),
            Text(twin["connectionState"])
        );
    }

    private static string? Text(JsonNode? node) =>
        node is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;
}
