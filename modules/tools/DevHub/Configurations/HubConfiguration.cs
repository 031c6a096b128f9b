using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace EdgeDm.DevHub.Configurations;

/// <summary>
/// Desired properties for all twins that a condition means (IoT Hub, "Automatic device and module management"); with modules, a
/// deployment (IoT Edge, "Understand automatic deployments").
/// </summary>
/// <param name="Id">Its id.</param>
/// <param name="SchemaVersion">As the service gave it.</param>
/// <param name="Labels">The service's own.</param>
/// <param name="Content">As the service gave it, for good.</param>
/// <param name="TargetCondition">For whom; empty = nobody.</param>
/// <param name="Priority">Where two want different things, the higher one has it; of equal ones the newer.</param>
/// <param name="MetricQueries">Queries whose rows are counted, by name.</param>
/// <param name="Created">When it was made.</param>
/// <param name="Updated">When it was changed.</param>
/// <param name="Revision">Counts the changes.</param>
internal sealed record HubConfiguration(
    string Id,
    string SchemaVersion,
    ImmutableSortedDictionary<string, string> Labels,
    JsonElement Content,
    string TargetCondition,
    int Priority,
    ImmutableSortedDictionary<string, string> MetricQueries,
    DateTimeOffset Created,
    DateTimeOffset Updated,
    long Revision = 1
)
{
    /// <summary>Changes when it does; without quotes.</summary>
    [JsonIgnore]
    public string ETag =>
        Convert.ToBase64String(
            Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Created.UtcTicks}.{Revision}"))
        );
}

/// <summary>What configurations did to one twin.</summary>
/// <param name="DeviceId">The device.</param>
/// <param name="ModuleId">The module; null = the device itself.</param>
/// <param name="Applied">Which were merged into it, in this order; when they are the same again, nothing is written.</param>
/// <param name="Status">What each that means it came to.</param>
internal sealed record ConfiguredTwin(
    string DeviceId,
    string? ModuleId,
    ImmutableArray<string> Applied,
    ImmutableSortedDictionary<string, ConfigurationStatus> Status
);

/// <summary>What a configuration came to on a twin.</summary>
internal enum ConfigurationStatus
{
    /// <summary>It means the twin, and another of higher priority has it, or it cannot be applied.</summary>
    Targeted,
    Applied,
}

/// <summary>How many configurations there may be and how often they are looked at.</summary>
/// <param name="MostConfigurations">One more is refused (IoT Hub's 100).</param>
/// <param name="LongestContent">Characters of the content as JSON.</param>
/// <param name="Interval">Twins may change often; their conditions are looked at at most once in this time.</param>
public sealed record ConfigurationLimits(
    int MostConfigurations = 100,
    int LongestContent = 128 * 1024,
    TimeSpan? Interval = null
)
{
    /// <summary><see cref="Interval"/> with its default.</summary>
    public TimeSpan EffectiveInterval => Interval ?? TimeSpan.FromMilliseconds(500);
}

[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true
)]
[JsonSerializable(typeof(HubConfiguration))]
[JsonSerializable(typeof(ConfiguredTwin))]
internal sealed partial class ConfigurationJson : JsonSerializerContext;
