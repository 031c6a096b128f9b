using System.Text.Json;
using System.Text.Json.Serialization;
using EdgeDm.DevHub.Identities;

namespace EdgeDm.DevHub.Jobs;

/// <summary>What a job does on each of its devices or modules.</summary>
internal enum JobType
{
    ScheduleUpdateTwin,
    ScheduleDeviceMethod,
}

/// <summary>Where a job as a whole stands.</summary>
internal enum JobStatus
{
    /// <summary>Its time has come, and its devices are not chosen yet.</summary>
    Queued,

    /// <summary>Its time has not come.</summary>
    Scheduled,
    Running,

    /// <summary>It was done everywhere.</summary>
    Completed,

    /// <summary>It failed somewhere, or its time ran out.</summary>
    Failed,
    Cancelled,
}

/// <summary>A job by which a service does one thing on many devices or modules (IoT Hub, "Schedule jobs").</summary>
/// <param name="JobId">Its id.</param>
/// <param name="Type">What it does.</param>
/// <param name="QueryCondition">On whom; looked at when it starts.</param>
/// <param name="Action">The twin's patch or the method's call, as the service gave it.</param>
/// <param name="Created">When it was asked for.</param>
/// <param name="Start">When it is to start.</param>
/// <param name="MaxExecutionSeconds">How long it may run from then.</param>
/// <param name="Status">Where it stands.</param>
/// <param name="End">When it ended; null = it has not.</param>
/// <param name="FailureReason">Why it failed as a whole; null = it did not.</param>
internal sealed record ScheduledJob(
    string JobId,
    JobType Type,
    string QueryCondition,
    JsonElement Action,
    DateTimeOffset Created,
    DateTimeOffset Start,
    int MaxExecutionSeconds,
    JobStatus Status,
    DateTimeOffset? End = null,
    string? FailureReason = null
)
{
    /// <summary>True when nothing will change any more, but for devices that are still at it after a cancellation.</summary>
    [JsonIgnore]
    public bool IsOver => Status is JobStatus.Completed or JobStatus.Failed or JobStatus.Cancelled;

    /// <summary>When its time is over.</summary>
    [JsonIgnore]
    public DateTimeOffset Deadline => Start + TimeSpan.FromSeconds(MaxExecutionSeconds);
}

/// <summary>Where a job stands on one device or module.</summary>
internal enum DeviceJobStatus
{
    Pending,
    Running,
    Completed,
    Failed,
    Canceled,
}

/// <summary>A job on one device or module.</summary>
/// <param name="JobId">The job.</param>
/// <param name="Type">What it does.</param>
/// <param name="DeviceId">The device.</param>
/// <param name="ModuleId">The module; null = the device itself.</param>
/// <param name="Status">Where it stands.</param>
/// <param name="Created">When the device was chosen.</param>
/// <param name="Updated">When the status changed.</param>
/// <param name="Started">When it was begun.</param>
/// <param name="Ended">When it ended.</param>
/// <param name="Error">Why it failed; null = it did not.</param>
/// <param name="Outcome">What the method answered, <c>{"status":n,"payload":..}</c>; null = nothing.</param>
internal sealed record DeviceJob(
    string JobId,
    JobType Type,
    string DeviceId,
    string? ModuleId,
    DeviceJobStatus Status,
    DateTimeOffset Created,
    DateTimeOffset Updated,
    DateTimeOffset? Started = null,
    DateTimeOffset? Ended = null,
    DeviceJobError? Error = null,
    JsonElement? Outcome = null
)
{
    /// <summary>On whom.</summary>
    [JsonIgnore]
    public HubIdentity Id => new(DeviceId, ModuleId);
}

/// <summary>Why a job failed on a device.</summary>
/// <param name="Code">IoT Hub's name of the error.</param>
/// <param name="Description">In words.</param>
internal sealed record DeviceJobError(string Code, string Description);

/// <summary>How many jobs there may be and how fast they go.</summary>
/// <param name="MostActive">Jobs that are not over; one more is refused.</param>
/// <param name="MostKept">Jobs that are over; the oldest are forgotten.</param>
/// <param name="Parallel">Devices of one job at a time.</param>
/// <param name="LongestExecution">Most of <c>maxExecutionTimeInSeconds</c>.</param>
public sealed record JobLimits(
    int MostActive = 50,
    int MostKept = 200,
    int Parallel = 10,
    int LongestExecution = 48 * 60 * 60
);

[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true
)]
[JsonSerializable(typeof(ScheduledJob))]
[JsonSerializable(typeof(DeviceJob))]
internal sealed partial class JobJson : JsonSerializerContext;
