using System.Text.Json.Serialization;
using EdgeDm.DeviceManagement.Jobs;
using EdgeDm.DeviceManagement.Jobs.FirmwareUpdate;
using EdgeDm.DeviceManagement.Twin;

namespace EdgeDm.DeviceManagement;

/// <summary>Serializer of what this module keeps on disk.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull
)]
[JsonSerializable(typeof(JobRecord))]
[JsonSerializable(typeof(FirmwareUpdateState))]
[JsonSerializable(typeof(DesiredRecord))]
[JsonSerializable(typeof(GroupRecords))]
internal sealed partial class DeviceManagementJson : JsonSerializerContext;
