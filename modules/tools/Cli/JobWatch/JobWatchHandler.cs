using EdgeDm.Contracts;

namespace EdgeDm.Cli;

/// <summary>Follows a job to its end.</summary>
internal static class JobWatchHandler
{
    public static async Task<int> RunAsync(
        JobWatchOptions options,
        HubTarget target,
        CliContext context,
        CancellationToken cancellationToken
    )
    {
        var source = options.JobId is { } jobId
            ? new JobSource(target, jobId)
            : await ChooseAsync(target, cancellationToken);
        return await Watching.RunAsync(source, options.Watch, context, cancellationToken);
    }

    private static async Task<IWatchSource> ChooseAsync(HubTarget target, CancellationToken cancellationToken)
    {
        var twin = TwinDocument.Of(await target.GetTwinAsync(cancellationToken));
        if (twin.Desired.ContainsKey(TwinNames.FirmwareUpdate))
        {
            return new FirmwareSource(target);
        }
        var newest = await target.QueryJobsAsync(new(MaxCount: 1), cancellationToken);
        return newest.Jobs is [var job, ..]
            ? new JobSource(target, job.JobId)
            : throw new CliException(
                ExitCodes.Failed,
                "There is nothing to watch: the twin desires no firmware update and the gateway has no jobs."
            );
    }
}

/// <summary>What was asked for.</summary>
/// <param name="JobId">Null = the desired firmware update, or the newest job.</param>
/// <param name="Watch">How to watch.</param>
internal sealed record JobWatchOptions(string? JobId, WatchSettings Watch);
