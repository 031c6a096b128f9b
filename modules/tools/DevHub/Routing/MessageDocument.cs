using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace EdgeDm.DevHub.Routing;

/// <summary>Messages as people and programs read them.</summary>
internal static class MessageDocument
{
    /// <summary>
    /// <c>{systemProperties, properties, body}</c>; a body that is not JSON, or does not say so, stands as <c>bodyBase64</c>.
    /// </summary>
    public static JsonObject ToDocument(this HubMessage message)
    {
        var document = new JsonObject
        {
            ["systemProperties"] = Properties(message.System),
            ["properties"] = Properties(message.Properties),
        };
        if (TryReadJson(message, out var json))
        {
            document["body"] = json;
        }
        else
        {
            document["bodyBase64"] = Convert.ToBase64String(message.Body.Span);
        }
        return document;
    }

    private static JsonObject Properties(MessageBag properties)
    {
        var document = new JsonObject();
        foreach (var (name, value) in properties.Entries)
        {
            document[name] = value;
        }
        return document;
    }

    private static bool TryReadJson(HubMessage message, out JsonNode? json)
    {
        json = null;
        if (message.System[MessageProperties.ContentType] != "application/json")
        {
            return false;
        }
        try
        {
            json = JsonNode.Parse(message.Body.Span);
            return true;
        }
        catch (Exception error) when (error is JsonException or DecoderFallbackException)
        {
            return false;
        }
    }
}
