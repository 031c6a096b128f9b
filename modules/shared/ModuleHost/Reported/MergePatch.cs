using System.Text.Json.Nodes;

namespace EdgeDm.ModuleHost;

/// <summary>JSON merge patches (RFC 7396): objects are merged, null removes, everything else replaces.</summary>
internal static class MergePatch
{
    /// <summary>
    /// The smallest patch that makes <paramref name="to"/> of <paramref name="from"/>; null when they are equal. A null in an object
    /// of <paramref name="to"/> is the same as nothing there. Arrays are replaced whole.
    /// </summary>
    public static JsonObject? Diff(JsonObject from, JsonObject to)
    {
        var patch = new JsonObject();
        foreach (var (name, value) in to)
        {
            if (value is null)
            {
                continue;
            }
            var old = from[name];
            if (old is JsonObject oldObject && value is JsonObject newObject)
            {
                if (Diff(oldObject, newObject) is { } inner)
                {
                    patch[name] = inner;
                }
            }
            else if (!JsonNode.DeepEquals(old, value))
            {
                patch[name] = WithoutNulls(value);
            }
        }
        foreach (var (name, value) in from)
        {
            if (value is not null && to[name] is null)
            {
                patch[name] = null;
            }
        }
        return patch.Count > 0 ? patch : null;
    }

    /// <summary>Changes <paramref name="target"/> by a patch.</summary>
    public static void Apply(JsonObject target, JsonObject patch)
    {
        foreach (var (name, value) in patch)
        {
            switch (value)
            {
                case null:
                    target.Remove(name);
                    break;
                case JsonObject inner:
                    var into = target[name] as JsonObject ?? [];
                    Apply(into, inner);
                    if (into.Parent is null)
                    {
                        target[name] = into;
                    }
                    break;
                default:
                    target[name] = value.DeepClone();
                    break;
            }
        }
    }

    /// <summary>A copy without the nulls in its objects.</summary>
    public static JsonNode WithoutNulls(JsonNode value)
    {
        if (value is not JsonObject source)
        {
            return value.DeepClone();
        }
        var copy = new JsonObject();
        foreach (var (name, inner) in source)
        {
            if (inner is not null)
            {
                copy[name] = WithoutNulls(inner);
            }
        }
        return copy;
    }
}
