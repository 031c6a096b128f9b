using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using EdgeDm.Contracts;

namespace EdgeDm.Cli;

/// <summary>DeviceManagement's direct methods about jobs. A refusal is a <see cref="CliException"/> with the gateway's error.</summary>
internal static class JobMethods
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    public static Task<JobList> QueryJobsAsync(
        this HubTarget target,
        QueryJobsRequest request,
        CancellationToken cancellationToken
    ) =>
        CallAsync(
            target,
            "queryJobs",
            request,
            ContractsJson.Default.QueryJobsRequest,
            ContractsJson.Default.JobList,
            cancellationToken
        );

    public static Task<JobDocument> GetJobAsync(
        this HubTarget target,
        string jobId,
        CancellationToken cancellationToken
    ) => CallAsync(target, "getJob", jobId, cancellationToken);

    public static Task<JobDocument> CancelJobAsync(
        this HubTarget target,
        string jobId,
        CancellationToken cancellationToken
    ) => CallAsync(target, "cancelJob", jobId, cancellationToken);

    public static Task<JobDocument> CreateJobAsync(
        this HubTarget target,
        CreateJobRequest request,
        CancellationToken cancellationToken
    ) =>
        CallAsync(
            target,
            "createJob",
            request,
            ContractsJson.Default.CreateJobRequest,
            ContractsJson.Default.JobDocument,
            cancellationToken
        );

    /// <summary>The gateway's error from the payload of a method that refused; null when it is none.</summary>
    public static ErrorObject? ErrorOf(JsonNode? payload)
    {
        try
        {
            return payload is JsonObject ? payload.Deserialize(ContractsJson.Default.ErrorObject) : null;
        }
        catch (JsonException)
        {
            return null; // Another module's own form of error; the caller shows it as it is.
        }
    }

    /// <summary>The exception for a method that refused.</summary>
    public static CliException Refused(string method, MethodAnswer answer)
    {
        var error = ErrorOf(answer.Payload);
        return new(
            ExitCodes.Failed,
            error?.Message ?? $"{method} was refused with status {answer.Status}: {JsonText.Compact(answer.Payload)}",
            error
        );
    }

    private static Task<JobDocument> CallAsync(
        HubTarget target,
        string method,
        string jobId,
        CancellationToken cancellationToken
    ) =>
        CallAsync(
            target,
            method,
            new JobIdRequest(jobId),
            ContractsJson.Default.JobIdRequest,
            ContractsJson.Default.JobDocument,
            cancellationToken
        );

    private static async Task<TAnswer> CallAsync<TRequest, TAnswer>(
        HubTarget target,
        string method,
        TRequest request,
        JsonTypeInfo<TRequest> requestType,
        JsonTypeInfo<TAnswer> answerType,
        CancellationToken cancellationToken
    )
        where TAnswer : class
    {
        var payload = JsonSerializer.SerializeToNode(request, requestType);
        var answer = await target.Client.InvokeAsync(
            target.Device,
            target.Module,
            method,
            payload,
            Timeout,
            cancellationToken
        );
        if (!answer.IsSuccess)
        {
            throw Refused(method, answer);
        }
        try
        {
            return answer.Payload?.Deserialize(answerType) ?? throw new JsonException("The answer is empty.");
        }
        catch (JsonException error)
        {
            throw new CliException(
                ExitCodes.Failed,
                $"The answer of {method} cannot be read; the gateway's version may be too old or too new.",
                inner: error
            );
        }
    }
}
