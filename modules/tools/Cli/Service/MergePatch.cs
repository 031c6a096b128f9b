using System.Text.Json.Nodes;

namespace EdgeDm.Cli;

/// <summary>Merge patches (RFC 7396) for twins: what is not named stays, so what must go is named with null.</summary>
internal static class MergePatch
{
    /// <summary>A patch that makes <paramref name="before"/> equal to <paramref name="after"/>.</summary>
    public static JsonObject Replacing(JsonNode? before, JsonObject after)
    {
        var patch = new JsonObject();
        foreach (var (name, value) in after)
        {
            var old = (before as JsonObject)?[name];
            patch[name] = value is JsonObject child ? Replacing(old, child) : value?.DeepClone();
        }
        foreach (var (name, _) in before as JsonObject ?? [])
        {
            if (!after.ContainsKey(name))
            {
                patch[name] = null;
            }
        }
        return patch;
    }
}
