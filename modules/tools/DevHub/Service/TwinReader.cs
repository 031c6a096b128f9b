using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeDm.DevHub.Twins;

namespace EdgeDm.DevHub.Service;

/// <summary>Reads what a service writes to a twin: <c>{"tags":{..},"properties":{"desired":{..}}}</c>.</summary>
internal static class TwinReader
{
    /// <summary>What the document wants. <c>reported</c> is the client's and is passed over, as IoT Hub does.</summary>
    /// <exception cref="JsonException">A part is no object.</exception>
    public static TwinWrite Read(JsonObject document, bool replace, string? ifMatch)
    {
        var desired = Json.ObjectAt(document, "properties") is { } properties
            ? Json.ObjectAt(properties, "desired")
            : null;
        return new(Plain(Json.ObjectAt(document, "tags")), Plain(desired), replace, ifMatch);
    }

    // Who sends back what was read sends the hub's own marks with it.
    private static JsonObject? Plain(JsonObject? document)
    {
        document?.Remove("$metadata");
        document?.Remove("$version");
        return document;
    }
}
