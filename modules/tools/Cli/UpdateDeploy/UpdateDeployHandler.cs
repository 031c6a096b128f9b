using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeDm.Contracts;

namespace EdgeDm.Cli;

/// <summary>Sets the desired firmware update.</summary>
internal static class UpdateDeployHandler
{
    public static async Task<int> RunAsync(
        UpdateDeployOptions options,
        HubTarget target,
        CliContext context,
        CancellationToken cancellationToken
    )
    {
        var group = await FirmwareUpdateDocument.MakeAsync(options, cancellationToken);
        var label = DesiredGroup.Label(group, options.Deployment, context.Time);
        TwinFit.Require(group);
        var (before, after) = await DesiredGroup.ReplaceAsync(
            TwinNames.FirmwareUpdate,
            group,
            target,
            cancellationToken
        );
        if (options.Watch is { } watch)
        {
            context.Terminal.Say($"deployed as {label}");
            var exitCode = await Watching.RunAsync(new FirmwareSource(target), watch, context, cancellationToken);
            await HintAsync(exitCode, before, target, context, cancellationToken);
            return exitCode;
        }
        context.Terminal.Result(
            () =>
                new JsonObject
                {
                    ["deploymentId"] = label,
                    ["desiredVersion"] = after.Desired["$version"]?.DeepClone(),
                },
            words => words.Say($"Deployed as {label}. Follow it with 'edgedm job watch'.")
        );
        return ExitCodes.Done;
    }

    /// <summary>The gateway never repeats a failed update by itself; a deployment of the same content changes nothing.</summary>
    private static async Task HintAsync(
        int exitCode,
        TwinDocument before,
        HubTarget target,
        CliContext context,
        CancellationToken cancellationToken
    )
    {
        if (exitCode is not (ExitCodes.JobFailed or ExitCodes.JobCancelled))
        {
            return;
        }
        var after = TwinDocument.Of(await target.GetTwinAsync(cancellationToken));
        if (JobIdOf(after) is { } jobId && jobId == JobIdOf(before))
        {
            context.Terminal.Warn(
                "This is the result of an earlier deployment of the same update. Retry it with '--workflow <new id>'."
            );
        }
    }

    private static string? JobIdOf(TwinDocument twin) =>
        twin.Reported[TwinNames.FirmwareUpdate] is JsonObject group
        && group["jobId"] is JsonValue value
        && value.GetValueKind() == JsonValueKind.String
            ? value.GetValue<string>()
            : null;
}

/// <summary>What was asked for.</summary>
/// <param name="Update">A folder, a bundle, or a bundle's address.</param>
/// <param name="BaseUrl">Where it is served; null = none given.</param>
/// <param name="Workflow">The operator's id; null = none.</param>
/// <param name="Deployment">The operator's label; null = a new one.</param>
/// <param name="Watch">How to follow it; null = not.</param>
internal sealed record UpdateDeployOptions(
    string Update,
    string? BaseUrl,
    string? Workflow,
    string? Deployment,
    WatchSettings? Watch
);
