using System.Text.Json.Nodes;
using EdgeDm.Contracts;

namespace EdgeDm.Cli;

/// <summary>Sets a group of desired properties.</summary>
internal static class DesiredGroup
{
    private const int PreconditionFailed = 412;

    /// <summary>Tries when somebody else changes the twin at the same time.</summary>
    private const int MaxAttempts = 5;

    private const int DigitsOfLabel = 8;

    /// <summary>Labels the deployment: the gateway reports the label with the result.</summary>
    /// <param name="group">Gets it.</param>
    /// <param name="label">The operator's; null = a new one.</param>
    /// <param name="time">For a new one.</param>
    public static string Label(JsonObject group, string? label, TimeProvider time)
    {
        label ??= $"cli-{time.GetUtcNow():yyyyMMddHHmmss}-{Guid.NewGuid().ToString("N")[..DigitsOfLabel]}";
        group[TwinNames.Meta] = new JsonObject { ["deploymentId"] = label };
        return label;
    }

    /// <summary>Makes the group exactly this one. Returns the twin before and after.</summary>
    public static async Task<(TwinDocument Before, TwinDocument After)> ReplaceAsync(
        string name,
        JsonObject group,
        HubTarget target,
        CancellationToken cancellationToken
    )
    {
        for (var attempt = 1; ; attempt++)
        {
            var before = TwinDocument.Of(await target.GetTwinAsync(cancellationToken));
            var patch = MergePatch.Replacing(before.Desired[name], group);
            try
            {
                var after = await target.Client.PatchTwinAsync(
                    target.Device,
                    target.Module,
                    new() { ["properties"] = new JsonObject { ["desired"] = new JsonObject { [name] = patch } } },
                    before.Etag,
                    cancellationToken
                );
                return (before, TwinDocument.Of(after));
            }
            catch (ServiceException error) when (error.Status == PreconditionFailed && attempt < MaxAttempts)
            {
                // Somebody changed the twin since it was read: read again.
            }
        }
    }
}
