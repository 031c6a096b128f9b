using System.Globalization;
using System.Text.Json.Nodes;

namespace EdgeDm.DevHub.Twins;

/// <summary>
/// <c>$metadata</c> of desired or reported properties: the same tree of names, each with <c>$lastUpdated</c>, desired ones also with
/// <c>$lastUpdatedVersion</c> (IoT Hub, "Device twins", twin metadata). Arguments are never changed and never shared with results.
/// </summary>
internal static class TwinMetadata
{
    private const string LastUpdated = "$lastUpdated";
    private const string LastUpdatedVersion = "$lastUpdatedVersion";

    /// <summary>The metadata after a patch.</summary>
    /// <param name="metadata">Before; null = of properties that nothing is known about, or that are replaced.</param>
    /// <param name="patch">What was written; null removes.</param>
    /// <param name="now">When.</param>
    /// <param name="version">The section's new version; null for reported properties, which tell none.</param>
    public static JsonObject After(JsonObject? metadata, JsonObject patch, DateTimeOffset now, long? version)
    {
        var result = metadata?.DeepClone().AsObject() ?? [];
        Merge(result, patch, Stamp(now, version));
        return result;
    }

    private static JsonObject Stamp(DateTimeOffset now, long? version)
    {
        var stamp = new JsonObject { [LastUpdated] = now.UtcDateTime.ToString("O", CultureInfo.InvariantCulture) };
        if (version is not null)
        {
            stamp[LastUpdatedVersion] = version;
        }
        return stamp;
    }

    private static void Merge(JsonObject target, JsonObject patch, JsonObject stamp)
    {
        foreach (var (name, value) in stamp)
        {
            target[name] = value!.DeepClone();
        }
        foreach (var (name, value) in patch)
        {
            switch (value)
            {
                case null:
                    target.Remove(name);
                    break;
                case JsonObject nested:
                    if (target[name] is not JsonObject child)
                    {
                        target[name] = child = [];
                    }
                    Merge(child, nested, stamp);
                    break;
                default:
                    target[name] = stamp.DeepClone();
                    break;
            }
        }
    }
}
