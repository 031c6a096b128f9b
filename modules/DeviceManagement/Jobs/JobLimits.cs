using System.Text.Json;
using EdgeDm.Contracts;
using EdgeDm.Durable;

namespace EdgeDm.DeviceManagement.Jobs;

/// <summary>The engine's bounds.</summary>
internal sealed record JobLimits
{
    /// <summary>Jobs that wait or run; more are refused: nobody watches a longer queue.</summary>
    public int MaxLiveJobs { get; init; } = 20;

    /// <summary>Records kept in all; the oldest ended ones make room.</summary>
    public int MaxKeptJobs { get; init; } = 200;

    /// <summary>Answers of a query that names no count.</summary>
    public int DefaultQueryCount { get; init; } = 20;

    /// <summary>The most that a query may ask for; keeps the answer below a direct method's 128 KB.</summary>
    public int MaxQueryCount { get; init; } = 100;

    /// <summary>As the 2016 service: one minute.</summary>
    public int MinTimeoutSeconds { get; init; } = 60;

    /// <summary>As the 2016 service: one day.</summary>
    public int MaxTimeoutSeconds { get; init; } = 86_400;

    /// <summary>How long a job rests when its record cannot be written.</summary>
    public TimeSpan DiskRetryDelay { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Throws <c>invalidValue</c> when the request lies outside these bounds.</summary>
    public void Check(CreateJobRequest request)
    {
        if (!RecordIds.IsValid(request.JobId))
        {
            throw ErrorRegistry.InvalidValue.Exception(
                Subsystems.DeviceManagement,
                "jobId",
                "A job id is 1 to 128 letters, digits, '-', '_' or '.', and does not begin with '.'."
            );
        }
        if (request.TimeoutSeconds is { } seconds && (seconds < MinTimeoutSeconds || seconds > MaxTimeoutSeconds))
        {
            throw ErrorRegistry.InvalidValue.Exception(
                Subsystems.DeviceManagement,
                "timeoutSeconds",
                $"timeoutSeconds is {seconds} and must be from {MinTimeoutSeconds} to {MaxTimeoutSeconds}."
            );
        }
    }
}

/// <summary>The work ended without success and with a result to tell, for example step results.</summary>
internal sealed class JobFailedException(string status, ErrorObject error, JsonElement? result)
    : Exception(error.Message)
{
    /// <summary><c>failed</c> or <c>cancelled</c>.</summary>
    public string Status { get; } = status;

    public ErrorObject Error { get; } = error;

    public JsonElement? Result { get; } = result;
}
