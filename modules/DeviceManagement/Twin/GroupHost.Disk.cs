using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeDm.Contracts;
using Microsoft.Extensions.Logging;

namespace EdgeDm.DeviceManagement.Twin;

/// <content>What becomes of the groups while this module's disk takes nothing.</content>
internal sealed partial class GroupHost
{
    /// <summary>An outcome is what the group says anyway, after a restart too: it need not be on disk to be told.</summary>
    private void SaveIfPossible(GroupRecords changed)
    {
        try
        {
            Save(changed);
        }
        catch (IOException error)
        {
            LogNotKept(logger, error);
            records = changed;
        }
    }

    /// <summary>Tells of each group that is not done that it waits for the disk. In memory only.</summary>
    private void TellStuck(JsonObject desired, IOException error)
    {
        LogStuck(logger, error);
        var reason = RecordErrors.Of(error, "What is desired waits until it can be recorded.");
        foreach (var (name, value) in desired.Where(group => group.Value is JsonObject))
        {
            var content = JsonSerializer.SerializeToElement(value, TwinJson.Default.JsonNode);
            var digest = ContentDigest.Of(ContentDigest.Canonical(content));
            if (
                groups.TryGetValue(name, out var group)
                && !(
                    records.Groups.GetValueOrDefault(name) is { } known
                    && known.Digest == digest
                    && known.Status is not DeploymentStatuses.Pending
                )
            )
            {
                var meta = DesiredMeta.Parse(content, group.InterfaceVersion, out _);
                var waits = GroupOutcome.Waiting(name, reason);
                var told = records.Groups.GetValueOrDefault(name);
                if (
                    told is null
                    || told.DeploymentId != meta.DeploymentId
                    || !new GroupOutcome(told.Status, told.Errors).IsSame(waits)
                )
                {
                    // No digest: this content is not on record, so it is not known when it comes again.
                    SetRecord(name, "", meta, waits, waiting => records = waiting);
                }
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The desired document waits: it cannot be written to disk")]
    private static partial void LogStuck(ILogger logger, Exception error);

    [LoggerMessage(Level = LogLevel.Error, Message = "What became of the groups cannot be written to disk at present")]
    private static partial void LogNotKept(ILogger logger, Exception error);
}
