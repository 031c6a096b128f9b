using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace EdgeDm.DevHub.Identities;

/// <summary>A device or module that may connect.</summary>
/// <param name="DeviceId">The device.</param>
/// <param name="ModuleId">The module; null for the device itself.</param>
/// <param name="PrimaryKey">Base64.</param>
/// <param name="SecondaryKey">Base64; as good as the primary.</param>
/// <param name="GenerationId">Tells this identity from a later one of the same name.</param>
/// <param name="ManagedBy">Who made it, for example <c>iotEdge</c>; may be null.</param>
/// <param name="Created">When.</param>
public sealed record Identity(
    string DeviceId,
    string? ModuleId,
    string PrimaryKey,
    string SecondaryKey,
    string GenerationId,
    string? ManagedBy,
    DateTimeOffset Created
)
{
    /// <summary>Its name.</summary>
    [JsonIgnore]
    public HubIdentity Id => new(DeviceId, ModuleId);

    /// <summary>Changes when the identity does.</summary>
    [JsonIgnore]
    public string ETag => Convert.ToBase64String(System.Text.Encoding.ASCII.GetBytes(GenerationId));
}

/// <summary>A shared access policy of the service.</summary>
/// <param name="Name">For example <c>iothubowner</c>.</param>
/// <param name="Key">Base64.</param>
public sealed record ServicePolicy(string Name, string Key);

/// <summary>What the registry keeps on disk.</summary>
internal sealed record IdentityFile(ImmutableArray<Identity> Identities, ServicePolicy Owner);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(IdentityFile))]
internal sealed partial class IdentityJson : JsonSerializerContext;
