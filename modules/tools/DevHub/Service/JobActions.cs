using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeDm.DevHub.Identities;
using EdgeDm.DevHub.Jobs;

namespace EdgeDm.DevHub.Service;

/// <summary>What jobs do on one device or module: the same as a service's request would.</summary>
internal sealed class JobActions(HubParts parts)
{
    /// <summary>See <see cref="JobAction"/>.</summary>
    public async Task<JsonElement?> RunAsync(ScheduledJob job, HubIdentity target, CancellationToken cancellationToken)
    {
        // It may be gone since it was chosen.
        Addressee.Require(parts.Identities, target);
        var action = JsonObject.Create(job.Action)!;
        if (job.Type == JobType.ScheduleUpdateTwin)
        {
            parts.Twins.Write(target, TwinReader.Read(action, replace: false, ifMatch: null));
            return null;
        }
        var answer = await MethodCall.Read(action).InvokeAsync(parts.Methods, target, cancellationToken);
        return JsonElement.Parse(answer.ToJsonString());
    }
}
