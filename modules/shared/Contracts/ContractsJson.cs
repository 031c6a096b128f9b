using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace EdgeDm.Contracts;

/// <summary>
/// The one serializer of everything that crosses a boundary: camelCase, no nulls written, unknown members ignored on
/// reading (the other side may be one version ahead).
/// </summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    AllowOutOfOrderMetadataProperties = true,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true
)]
[JsonSerializable(typeof(ErrorObject))]
[JsonSerializable(typeof(Ping))]
[JsonSerializable(typeof(Pong))]
[JsonSerializable(typeof(DownloadRequest))]
[JsonSerializable(typeof(DownloadCancel))]
[JsonSerializable(typeof(DownloadProgress))]
[JsonSerializable(typeof(DownloadCompleted))]
[JsonSerializable(typeof(DownloadFailed))]
[JsonSerializable(typeof(Observations))]
[JsonSerializable(typeof(Notification))]
[JsonSerializable(typeof(HostAccessInfo))]
[JsonSerializable(typeof(HostInventory))]
[JsonSerializable(typeof(UpdateVerification))]
[JsonSerializable(typeof(VerifiedUpdate))]
[JsonSerializable(typeof(UpdateSubmission))]
[JsonSerializable(typeof(UpdateStatus))]
[JsonSerializable(typeof(HealthEvidence))]
[JsonSerializable(typeof(RootListSubmission))]
[JsonSerializable(typeof(RootListStatus))]
[JsonSerializable(typeof(RebootRequest))]
[JsonSerializable(typeof(RebootStatus))]
[JsonSerializable(typeof(TimeRequest))]
[JsonSerializable(typeof(TimeStatus))]
[JsonSerializable(typeof(HostTime))]
[JsonSerializable(typeof(FactoryResetRequest))]
[JsonSerializable(typeof(FactoryResetStatus))]
[JsonSerializable(typeof(CreateJobRequest))]
[JsonSerializable(typeof(JobIdRequest))]
[JsonSerializable(typeof(QueryJobsRequest))]
[JsonSerializable(typeof(JobList))]
[JsonSerializable(typeof(JobDocument))]
[JsonSerializable(typeof(JobEvent))]
[JsonSerializable(typeof(JobResult))]
[JsonSerializable(typeof(FirmwareUpdateDesired))]
[JsonSerializable(typeof(FirmwareUpdateReported))]
[JsonSerializable(typeof(InstallResult))]
[JsonSerializable(typeof(GroupMeta))]
[JsonSerializable(typeof(TwinSummary))]
[JsonSerializable(typeof(ImmutableSortedDictionary<string, ErrorObject>))]
public sealed partial class ContractsJson : JsonSerializerContext;
