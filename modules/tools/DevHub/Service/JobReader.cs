using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeDm.DevHub.Identities;
using EdgeDm.DevHub.Jobs;
using EdgeDm.DevHub.Twins;

namespace EdgeDm.DevHub.Service;

/// <summary>Reads a request for a job, checked as far as it can be before the job starts.</summary>
internal static class JobReader
{
    private const int LongestId = 64;
    private const int DefaultExecution = 60 * 60;

    /// <summary>The job that a body asks for.</summary>
    /// <exception cref="HubException">It is wrong.</exception>
    /// <exception cref="JsonException">A part is of another type.</exception>
    public static ScheduledJob Read(string jobId, JsonObject body, JobLimits limits, DateTimeOffset now)
    {
        if (jobId.Length > LongestId || !HubIdentity.IsValidId(jobId))
        {
            throw Invalid(
                $"'{jobId}' is no valid job id: 1 to {LongestId} letters, digits, '-', '_', ':' and '.' are."
            );
        }
        if (Json.TextAt(body, "jobId") is { } named && named != jobId)
        {
            throw Invalid($"'jobId' is '{named}', and the address says '{jobId}'.");
        }
        var condition = Json.TextAt(body, "queryCondition") ?? throw Invalid("'queryCondition' is missing.");
        JobRunner.ReadCondition(condition);
        var longest = Json.IntegerAt(body, "maxExecutionTimeInSeconds", DefaultExecution);
        if (longest < 1 || longest > limits.LongestExecution)
        {
            throw Invalid($"'maxExecutionTimeInSeconds' must be 1 to {limits.LongestExecution}.");
        }
        var start = StartOf(body) ?? now;
        var (type, action) = ActionOf(body);
        return new(
            jobId,
            type,
            condition,
            JsonElement.Parse(action.ToJsonString()),
            now,
            start,
            longest,
            start > now ? JobStatus.Scheduled : JobStatus.Queued
        );
    }

    private static DateTimeOffset? StartOf(JsonObject body)
    {
        if (Json.TextAt(body, "startTime") is not { Length: > 0 } text)
        {
            return null;
        }
        return DateTimeOffset.TryParse(
            text,
            CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
            out var start
        )
            ? start
            : throw Invalid($"'startTime' is '{text}', which is no time as 2026-01-31T12:00:00Z is one.");
    }

    private static (JobType, JsonObject) ActionOf(JsonObject body)
    {
        switch (Json.TextAt(body, "type"))
        {
            case "scheduleUpdateTwin":
                var twin = Json.ObjectAt(body, "updateTwin") ?? throw Invalid("'updateTwin' is missing.");
                if (Json.TextAt(twin, "etag") != "*")
                {
                    throw Invalid("'updateTwin.etag' must be '*': a job is for whatever the twins are then.");
                }
                var write = TwinReader.Read(twin.DeepClone().AsObject(), replace: false, ifMatch: null);
                foreach (var part in new[] { write.Tags, write.Desired })
                {
                    if (part is not null)
                    {
                        TwinLimits.CheckContent(part);
                    }
                }
                return (JobType.ScheduleUpdateTwin, twin);
            case "scheduleDeviceMethod":
                var call =
                    Json.ObjectAt(body, "cloudToDeviceMethod") ?? throw Invalid("'cloudToDeviceMethod' is missing.");
                MethodCall.Read(call);
                return (JobType.ScheduleDeviceMethod, call);
            case var other:
                throw Invalid($"'type' is '{other}' instead of 'scheduleUpdateTwin' or 'scheduleDeviceMethod'.");
        }
    }

    private static HubException Invalid(string what) => new(HubError.ArgumentInvalid, what);
}
