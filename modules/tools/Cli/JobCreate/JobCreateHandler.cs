using System.Text.Json;
using EdgeDm.Contracts;

namespace EdgeDm.Cli;

/// <summary>Creates a job.</summary>
internal static class JobCreateHandler
{
    private const int DigitsOfId = 8;

    public static async Task<int> RunAsync(
        JobCreateOptions options,
        HubTarget target,
        CliContext context,
        CancellationToken cancellationToken
    )
    {
        var payload = options.Payload is { } argument
            ? JsonText.Parse(await InputText.ReadAsync(argument, cancellationToken), "The payload")
            : null;
        var request = new CreateJobRequest(
            options.JobId
                ?? $"cli-{context.Time.GetUtcNow():yyyyMMddHHmmss}-{Guid.NewGuid().ToString("N")[..DigitsOfId]}",
            options.Type,
            payload is null ? null : JsonElement.Parse(JsonText.Compact(payload)),
            options.TimeoutSeconds
        );
        var job = await target.CreateJobAsync(request, cancellationToken);
        if (options.Watch is { } watch)
        {
            return await Watching.RunAsync(new JobSource(target, job.JobId), watch, context, cancellationToken);
        }
        context.Terminal.Result(
            () => JsonSerializer.SerializeToNode(job, ContractsJson.Default.JobDocument),
            words => JobText.Write(words, job)
        );
        return ExitCodes.Done;
    }
}

/// <summary>What was asked for.</summary>
/// <param name="Type">One of <see cref="JobTypes"/>.</param>
/// <param name="Payload">As typed; null = none.</param>
/// <param name="JobId">Null = a new one.</param>
/// <param name="TimeoutSeconds">Null = the gateway's default.</param>
/// <param name="Watch">How to follow it; null = not.</param>
internal sealed record JobCreateOptions(
    string Type,
    string? Payload,
    string? JobId,
    int? TimeoutSeconds,
    WatchSettings? Watch
);
