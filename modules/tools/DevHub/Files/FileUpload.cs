using System.Text.Json;
using System.Text.Json.Serialization;

namespace EdgeDm.DevHub.Files;

/// <summary>Where an upload stands.</summary>
internal enum FileUploadState
{
    /// <summary>The device was told where to.</summary>
    Granted,

    /// <summary>The file is there; the device has not said that it is whole.</summary>
    Written,

    /// <summary>The device said that it is whole.</summary>
    Succeeded,

    /// <summary>The device said that it gave up.</summary>
    Failed,
}

/// <summary>A file that a device uploads, or did (IoT Hub, "Upload files").</summary>
/// <param name="CorrelationId">Its id.</param>
/// <param name="DeviceId">Whose.</param>
/// <param name="BlobName">Its name: the device's id, a slash, and what the device calls it.</param>
/// <param name="TokenHash">Base64 of the SHA-256 of the token that lets it be written.</param>
/// <param name="Created">When the device asked.</param>
/// <param name="Expires">When the token is dead.</param>
/// <param name="State">Where it stands.</param>
/// <param name="Size">Bytes; null = not written.</param>
/// <param name="Ended">When the device said how it ended.</param>
/// <param name="StatusCode">The device's word.</param>
/// <param name="StatusDescription">The device's words.</param>
internal sealed record FileUpload(
    string CorrelationId,
    string DeviceId,
    string BlobName,
    string TokenHash,
    DateTimeOffset Created,
    DateTimeOffset Expires,
    FileUploadState State = FileUploadState.Granted,
    long? Size = null,
    DateTimeOffset? Ended = null,
    int? StatusCode = null,
    string? StatusDescription = null
)
{
    /// <summary>True until the device says how it ended.</summary>
    [JsonIgnore]
    public bool IsOpen => Ended is null;
}

/// <summary>How much may be uploaded.</summary>
/// <param name="MostActive">Uploads of one device whose end it has not told (IoT Hub's 10).</param>
/// <param name="LargestFile">Bytes.</param>
/// <param name="MostBlocks">Parts of one file (Azure Storage's 50,000).</param>
/// <param name="MostKept">Uploads remembered, with their files; the oldest that ended is forgotten.</param>
/// <param name="Life">How long a token is good.</param>
public sealed record FileUploadLimits(
    int MostActive = 10,
    long LargestFile = 256 * 1024 * 1024,
    int MostBlocks = 50_000,
    int MostKept = 1000,
    TimeSpan? Life = null
)
{
    /// <summary><see cref="Life"/>: an hour where nothing is said.</summary>
    public TimeSpan EffectiveLife => Life ?? TimeSpan.FromHours(1);
}

[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true
)]
[JsonSerializable(typeof(FileUpload))]
internal sealed partial class FileUploadJson : JsonSerializerContext;
