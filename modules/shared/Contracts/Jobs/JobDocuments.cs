using System.Collections.Immutable;
using System.Text.Json;

namespace EdgeDm.Contracts;

/// <summary>The six job types, with the names of the 2016 IoT Hub service.</summary>
public static class JobTypes
{
    public const string FirmwareUpdate = "firmwareUpdate";
    public const string RebootDevice = "rebootDevice";
    public const string FactoryResetDevice = "factoryResetDevice";
    public const string UpdateDeviceConfiguration = "updateDeviceConfiguration";
    public const string ReadDeviceProperties = "readDeviceProperties";
    public const string WriteDeviceProperties = "writeDeviceProperties";

    public static ImmutableArray<string> All { get; } =
    [
        FirmwareUpdate,
        RebootDevice,
        FactoryResetDevice,
        UpdateDeviceConfiguration,
        ReadDeviceProperties,
        WriteDeviceProperties,
    ];
}

/// <summary>Job statuses, with the names of the 2016 IoT Hub service.</summary>
public static class JobStatuses
{
    public const string Enqueued = "enqueued";
    public const string Running = "running";
    public const string Completed = "completed";
    public const string Failed = "failed";
    public const string Cancelled = "cancelled";

    public static bool IsTerminal(string status) => status is Completed or Failed or Cancelled;
}

/// <summary>Payload of <c>createJob</c>, and of a message on input <c>commands</c>.</summary>
/// <param name="JobId">1 to 128 of letters, digits, '-', '_', '.'. The same id with the same content returns that job; with other content 409.</param>
/// <param name="Type">One of <see cref="JobTypes"/>.</param>
/// <param name="Payload">What the type needs: for <c>firmwareUpdate</c> the same properties as the desired group.</param>
/// <param name="TimeoutSeconds">60 to 86,400; null = 1,800 for a firmware update, 600 otherwise. A firmware update's time counts from its start.</param>
public sealed record CreateJobRequest(
    string JobId,
    string Type,
    JsonElement? Payload = null,
    int? TimeoutSeconds = null
);

/// <summary>Payload of <c>getJob</c> and <c>cancelJob</c>.</summary>
public sealed record JobIdRequest(string JobId);

/// <summary>Payload of <c>queryJobs</c>; every member narrows.</summary>
/// <param name="Type">One of <see cref="JobTypes"/>.</param>
/// <param name="Status">One of <see cref="JobStatuses"/>.</param>
/// <param name="MaxCount">1 to 100; 20 when absent. Newest first.</param>
public sealed record QueryJobsRequest(string? Type = null, string? Status = null, int? MaxCount = null);

/// <summary>Answer of <c>queryJobs</c>.</summary>
public sealed record JobList(ImmutableArray<JobDocument> Jobs);

/// <summary>A job as everybody sees it: methods, events, <c>edgedm job</c>.</summary>
/// <param name="JobId">Its id.</param>
/// <param name="Type">One of <see cref="JobTypes"/>.</param>
/// <param name="Status">One of <see cref="JobStatuses"/>.</param>
/// <param name="Source">What asked for it: <c>twin:firmwareUpdate</c>, <c>method:createJob</c>, <c>route:&lt;module&gt;</c>, ...</param>
/// <param name="CreatedTime">UTC.</param>
/// <param name="StartTime">UTC; null while enqueued.</param>
/// <param name="EndTime">UTC; null until terminal.</param>
/// <param name="Step">The present or last step's name.</param>
/// <param name="Percent">0 to 100 of the present step.</param>
/// <param name="Bytes">Of the download; null for other types.</param>
/// <param name="Steps">Every step that began, in order.</param>
/// <param name="UpdateId">Firmware update: JSON text of the update id, once known.</param>
/// <param name="Error">Why it failed; null otherwise.</param>
/// <param name="Result">What a completed job brought, for example property values.</param>
public sealed record JobDocument(
    string JobId,
    string Type,
    string Status,
    string Source,
    DateTimeOffset CreatedTime,
    int Percent,
    ImmutableArray<JobStepDocument> Steps,
    DateTimeOffset? StartTime = null,
    DateTimeOffset? EndTime = null,
    string? Step = null,
    DownloadBytes? Bytes = null,
    string? UpdateId = null,
    ErrorObject? Error = null,
    JsonElement? Result = null
);

/// <summary>A step of a job.</summary>
/// <param name="Name">For a firmware update <c>check</c>, <c>download</c>, <c>install</c>, <c>verify</c>.</param>
/// <param name="StartedAt">UTC; recorded before the step acts.</param>
/// <param name="EndedAt">UTC; null while it runs.</param>
/// <param name="Attempts">How often it was begun; more than 1 after a restart in its middle.</param>
public sealed record JobStepDocument(
    string Name,
    DateTimeOffset StartedAt,
    int Attempts,
    DateTimeOffset? EndedAt = null
);

/// <summary>A job event on output <c>events</c>: created, each change of status.</summary>
public sealed record JobEvent(string JobId, string Type, string Status, DateTimeOffset Time, ErrorObject? Error = null);

/// <summary>Answer on <c>commandResults</c> to a job request from another module.</summary>
/// <param name="RequestId">The request message's <c>$.mid</c>.</param>
/// <param name="To">The sender, <c>deviceId/moduleId</c>; others skip the message.</param>
public sealed record JobResult(string RequestId, string To, JobDocument? Job = null, ErrorObject? Error = null);
