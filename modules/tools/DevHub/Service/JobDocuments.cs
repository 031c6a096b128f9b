using System.Text.Json.Nodes;
using EdgeDm.DevHub.Jobs;
using EdgeDm.DevHub.Queries;

namespace EdgeDm.DevHub.Service;

/// <summary>Jobs in the form in which IoT Hub tells them.</summary>
internal sealed class JobDocuments(JobStore jobs)
{
    /// <summary>A job as a whole.</summary>
    public JsonObject Of(ScheduledJob job)
    {
        var document = new JsonObject
        {
            ["jobId"] = job.JobId,
            ["type"] = TypeOf(job.Type),
            [job.Type == JobType.ScheduleUpdateTwin ? "updateTwin" : "cloudToDeviceMethod"] = JsonObject.Create(
                job.Action
            ),
            ["queryCondition"] = job.QueryCondition,
            ["createdTime"] = Json.Time(job.Created),
            ["startTime"] = Json.Time(job.Start),
            ["maxExecutionTimeInSeconds"] = job.MaxExecutionSeconds,
            ["status"] = StatusOf(job.Status),
        };
        if (job.End is { } end)
        {
            document["endTime"] = Json.Time(end);
        }
        if (job.FailureReason is not null)
        {
            document["failureReason"] = job.FailureReason;
        }
        var devices = jobs.DevicesOf(job.JobId);
        document["deviceJobStatistics"] = new JsonObject
        {
            ["deviceCount"] = devices.Count,
            ["failedCount"] = Count(DeviceJobStatus.Failed),
            ["succeededCount"] = Count(DeviceJobStatus.Completed),
            ["runningCount"] = Count(DeviceJobStatus.Running),
            ["pendingCount"] = Count(DeviceJobStatus.Pending),
        };
        return document;

        int Count(DeviceJobStatus status) => devices.Count(device => device.Status == status);
    }

    /// <summary>What all jobs do and did on each device, for queries.</summary>
    public IEnumerable<QueryRow> Rows() =>
        from job in jobs.List()
        from device in jobs.DevicesOf(job.JobId)
        select new QueryRow($"{device.JobId}/{device.Id}", Of(job, device));

    private static JsonObject Of(ScheduledJob job, DeviceJob device)
    {
        var document = new JsonObject { ["deviceId"] = device.DeviceId };
        if (device.ModuleId is not null)
        {
            document["moduleId"] = device.ModuleId;
        }
        document["jobId"] = device.JobId;
        document["jobType"] = TypeOf(device.Type);
        document["status"] = device.Status.ToString().ToLowerInvariant();
        document["startTimeUtc"] = Json.Time(device.Started ?? job.Start);
        if (device.Ended is { } ended)
        {
            document["endTimeUtc"] = Json.Time(ended);
        }
        document["createdDateTimeUtc"] = Json.Time(device.Created);
        document["lastUpdatedDateTimeUtc"] = Json.Time(device.Updated);
        if (device.Error is { } error)
        {
            document["error"] = new JsonObject { ["code"] = error.Code, ["description"] = error.Description };
        }
        if (device.Outcome is { } outcome)
        {
            document["outcome"] = new JsonObject { ["deviceMethodResponse"] = JsonObject.Create(outcome) };
        }
        return document;
    }

    /// <summary>As IoT Hub writes a job's type.</summary>
    public static string TypeOf(JobType type) =>
        type == JobType.ScheduleUpdateTwin ? "scheduleUpdateTwin" : "scheduleDeviceMethod";

    /// <summary>As IoT Hub writes a job's status.</summary>
    public static string StatusOf(JobStatus status) => status.ToString().ToLowerInvariant();
}
