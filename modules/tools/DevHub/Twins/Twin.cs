using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using EdgeDm.DevHub.Identities;

namespace EdgeDm.DevHub.Twins;

/// <summary>A device's or module's twin at one moment.</summary>
/// <param name="DeviceId">The device.</param>
/// <param name="ModuleId">The module; null for the device's own twin.</param>
/// <param name="Version">Counts every write.</param>
/// <param name="ServiceVersion">Counts the service's writes (tags, desired); the etag is made of it.</param>
/// <param name="Tags">The service's own; no client sees them.</param>
/// <param name="Desired">What the service wants.</param>
/// <param name="Reported">What the client told.</param>
public sealed record Twin(
    string DeviceId,
    string? ModuleId,
    long Version,
    long ServiceVersion,
    JsonElement Tags,
    TwinSection Desired,
    TwinSection Reported
)
{
    private static readonly JsonElement Nothing = JsonElement.Parse("{}");

    /// <summary>Whose.</summary>
    [JsonIgnore]
    public HubIdentity Id => new(DeviceId, ModuleId);

    /// <summary>Changes with every write of the service; without quotes.</summary>
    [JsonIgnore]
    public string ETag
    {
        get
        {
            Span<byte> bytes = stackalloc byte[sizeof(long)];
            BinaryPrimitives.WriteInt64BigEndian(bytes, ServiceVersion);
            return Convert.ToBase64String(bytes);
        }
    }

    /// <summary>A twin that nothing was written to yet.</summary>
    public static Twin Empty(HubIdentity id, DateTimeOffset now) =>
        new(id.DeviceId, id.ModuleId, 1, 1, Nothing, new(Nothing, 1, now), new(Nothing, 1, now));

    /// <summary>The client's view: <c>{"desired":{..,"$version":n},"reported":{..,"$version":n}}</c>.</summary>
    public JsonObject ForClient() =>
        new() { ["desired"] = Desired.WithVersion(), ["reported"] = Reported.WithVersion() };
}

/// <summary>Desired or reported properties.</summary>
/// <param name="Properties">Without <c>$version</c> and <c>$metadata</c>.</param>
/// <param name="Version">Counts the writes of this section, from 1.</param>
/// <param name="Updated">Time of the last.</param>
/// <param name="Metadata">When each property was written; null = all at the last write, as far as is known.</param>
public sealed record TwinSection(
    JsonElement Properties,
    long Version,
    DateTimeOffset Updated,
    JsonElement? Metadata = null
)
{
    /// <summary>A copy with <c>$version</c>.</summary>
    public JsonObject WithVersion()
    {
        var copy = JsonObject.Create(Properties)!;
        copy["$version"] = Version;
        return copy;
    }

    /// <summary>A copy with <c>$metadata</c> and <c>$version</c>, as a service sees it.</summary>
    /// <param name="isDesired">Desired properties tell versions in their metadata.</param>
    public JsonObject WithMetadata(bool isDesired)
    {
        var copy = JsonObject.Create(Properties)!;
        copy["$metadata"] = MetadataOr(isDesired);
        copy["$version"] = Version;
        return copy;
    }

    internal TwinSection Next(JsonObject properties, JsonObject patch, bool replace, bool isDesired, DateTimeOffset now)
    {
        var metadata = TwinMetadata.After(
            replace ? null : MetadataOr(isDesired),
            patch,
            now,
            isDesired ? Version + 1 : null
        );
        return new(ElementOf(properties), Version + 1, now, ElementOf(metadata));
    }

    internal static JsonElement ElementOf(JsonObject node) => JsonElement.Parse(node.ToJsonString());

    private JsonObject MetadataOr(bool isDesired) =>
        Metadata is { } known
            ? JsonObject.Create(known)!
            : TwinMetadata.After(null, JsonObject.Create(Properties)!, Updated, isDesired ? Version : null);
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Twin))]
internal sealed partial class TwinJson : JsonSerializerContext;
