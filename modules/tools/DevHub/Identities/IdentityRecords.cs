using System.Collections.Immutable;
using System.Globalization;
using System.Text;
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
/// <param name="Disabled">A device that may not connect, nor may its modules. Modules have no status of their own.</param>
/// <param name="StatusReason">Why, in the words of who set the status; may be null.</param>
/// <param name="StatusUpdated">When the status last changed; null = never.</param>
/// <param name="IotEdge">A device that has modules deployed to it by <c>$edgeAgent</c>.</param>
/// <param name="DeviceScope">The scope that an Edge device spans or a device below it is in; may be null.</param>
/// <param name="Revision">Counts the changes.</param>
/// <param name="ParentScope">Of an Edge device: the scope of the Edge device above it; null = none.</param>
public sealed record Identity(
    string DeviceId,
    string? ModuleId,
    string PrimaryKey,
    string SecondaryKey,
    string GenerationId,
    string? ManagedBy,
    DateTimeOffset Created,
    bool Disabled = false,
    string? StatusReason = null,
    DateTimeOffset? StatusUpdated = null,
    bool IotEdge = false,
    string? DeviceScope = null,
    long Revision = 0,
    string? ParentScope = null
)
{
    /// <summary>Its name.</summary>
    [JsonIgnore]
    public HubIdentity Id => new(DeviceId, ModuleId);

    /// <summary>Of a device: the scope of the Edge device above it; null = none.</summary>
    [JsonIgnore]
    public string? ScopeAbove => IotEdge ? ParentScope : DeviceScope;

    /// <summary>Changes when the identity does; without quotes.</summary>
    [JsonIgnore]
    public string ETag =>
        Convert.ToBase64String(
            Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{GenerationId}.{Revision}"))
        );
}

/// <summary>What a service says of an identity. Null = not said: a new identity gets the default, a known one keeps what it has.</summary>
/// <param name="Id">Whose.</param>
/// <param name="Keys">Both, base64; null = made by the hub.</param>
/// <param name="Disabled">For devices.</param>
/// <param name="StatusReason">For devices.</param>
/// <param name="IotEdge">For devices.</param>
/// <param name="DeviceScope">For devices below an Edge device: its scope; empty = none. What an Edge device says of its own is not heard.</param>
/// <param name="ManagedBy">For modules.</param>
/// <param name="ParentScope">For Edge devices below another: its scope; empty = none. Of other devices it may stand for <paramref name="DeviceScope"/>.</param>
public sealed record IdentityWrite(
    HubIdentity Id,
    (string Primary, string Secondary)? Keys = null,
    bool? Disabled = null,
    string? StatusReason = null,
    bool? IotEdge = null,
    string? DeviceScope = null,
    string? ManagedBy = null,
    string? ParentScope = null
);

/// <summary>How many there may be; one more is refused. What a deployment names counts too.</summary>
/// <param name="MostDevices">Devices of the hub.</param>
/// <param name="MostModules">Modules of one device, <c>$edgeAgent</c> and <c>$edgeHub</c> among them (IoT Hub's 50).</param>
/// <param name="MostNested">Edge devices one below the other (edgeHub's 5).</param>
public sealed record IdentityLimits(int MostDevices = 10_000, int MostModules = 50, int MostNested = 5);

/// <summary>A shared access policy of the service.</summary>
/// <param name="Name">For example <c>iothubowner</c>.</param>
/// <param name="Key">Base64.</param>
public sealed record ServicePolicy(string Name, string Key);

/// <summary>What the registry keeps on disk.</summary>
internal sealed record IdentityFile(ImmutableArray<Identity> Identities, ServicePolicy Owner);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(IdentityFile))]
internal sealed partial class IdentityJson : JsonSerializerContext;
