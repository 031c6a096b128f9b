using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeDm.Contracts;

namespace EdgeDm.Cli;

/// <summary>
/// The desired firmware update: which job it is, and how it ended, says the twin, which can be read while the gateway
/// restarts; the rest says the gateway. The twin's word counts for the end, because a gateway that has just got a new
/// deployment may still name the job of the one before.
/// </summary>
internal sealed class FirmwareSource(HubTarget target) : IWatchSource
{
    public async Task<WatchState?> ReadAsync(CancellationToken cancellationToken)
    {
        var twin = TwinDocument.Of(await target.GetTwinAsync(cancellationToken));
        var desired =
            twin.Desired[TwinNames.FirmwareUpdate] as JsonObject
            ?? throw new CliException(ExitCodes.Failed, "The twin desires no firmware update any more.");
        if (
            twin.Reported[TwinNames.FirmwareUpdate] is not JsonObject reported
            || DeploymentIdOf(desired) != DeploymentIdOf(reported)
        )
        {
            return null;
        }
        var status = (reported[TwinNames.Meta] as JsonObject)?["deploymentStatus"]?.GetValue<string>();
        var told = Told(reported, status);
        if (told.JobId.Length == 0)
        {
            return told.IsTerminal ? told : null;
        }
        try
        {
            var job = WatchState.Of(await target.GetJobAsync(told.JobId, cancellationToken));
            return job.IsTerminal && !told.IsTerminal ? null : job;
        }
        catch (ServiceException error) when (error.IsTransient)
        {
            return told with { Away = error.Message };
        }
    }

    private static WatchState Told(JsonObject reported, string? deploymentStatus)
    {
        var data = Read(reported, ContractsJson.Default.FirmwareUpdateReported);
        var errors = Read(
            reported[TwinNames.Errors] as JsonObject,
            ContractsJson.Default.ImmutableSortedDictionaryStringErrorObject
        );
        return new(
            data?.JobId ?? "",
            deploymentStatus switch
            {
                DeploymentStatuses.Succeeded => JobStatuses.Completed,
                DeploymentStatuses.Failed => JobStatuses.Failed,
                _ => JobStatuses.Running,
            },
            data?.Step,
            data?.Percent ?? 0,
            data?.Bytes,
            errors?.Values.FirstOrDefault(),
            Job: null
        );
    }

    private static string? DeploymentIdOf(JsonObject group) =>
        (group[TwinNames.Meta] as JsonObject)?["deploymentId"]?.GetValue<string>();

    private static T? Read<T>(JsonObject? node, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return node?.Deserialize(type);
        }
        catch (JsonException)
        {
            return null; // Reported with less detail (reportingMode), or by another version.
        }
    }
}
