using System.Text.Json.Serialization;
using EdgeDm.FirmwareDownload.Downloads;
using EdgeDm.FirmwareDownload.Store;

namespace EdgeDm.FirmwareDownload;

/// <summary>What this module keeps on disk.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true
)]
[JsonSerializable(typeof(DownloadRecord))]
[JsonSerializable(typeof(PartialCheckpoint))]
internal sealed partial class DownloadJson : JsonSerializerContext;
