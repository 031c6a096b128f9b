using System.Text.Json.Nodes;

namespace EdgeDm.DevHub.Twins;

/// <summary>
/// JSON merge patches as twins use them (RFC 7396): objects merge, null removes, everything else (arrays too) replaces.
/// Arguments are never changed and never shared with results.
/// </summary>
public static class MergePatch
{
    /// <summary><paramref name="document"/> with <paramref name="patch"/> applied.</summary>
    public static JsonObject Apply(JsonObject document, JsonObject patch)
    {
        var result = document.DeepClone().AsObject();
        Merge(result, patch);
        return result;
    }

    /// <summary>The smallest patch that makes <paramref name="later"/> of <paramref name="earlier"/>; empty when they are equal.</summary>
    public static JsonObject Between(JsonObject earlier, JsonObject later)
    {
        var patch = new JsonObject();
        foreach (var (name, _) in earlier)
        {
            if (!later.ContainsKey(name))
            {
                patch[name] = null;
            }
        }
        foreach (var (name, value) in later)
        {
            var known = earlier.TryGetPropertyValue(name, out var before);
            if (known && JsonNode.DeepEquals(before, value))
            {
                continue;
            }
            patch[name] = before is JsonObject old && value is JsonObject now ? Between(old, now) : value?.DeepClone();
        }
        return patch;
    }

    private static void Merge(JsonObject target, JsonObject patch)
    {
        foreach (var (name, value) in patch)
        {
            switch (value)
            {
                case null:
                    target.Remove(name);
                    break;
                case JsonObject nested:
                    // Also into nothing: nulls inside a new object must not become values.
                    var child = target[name] as JsonObject;
                    if (child is null)
                    {
                        child = [];
                        target[name] = child;
                    }
                    Merge(child, nested);
                    break;
                default:
                    target[name] = value.DeepClone();
                    break;
            }
        }
    }
}
