using EdgeDm.DevHub.Deployment;
using EdgeDm.DevHub.Workload;

namespace EdgeDm.DevHub.Running;

/// <summary>The sockets of the workload API, one for each module that was ever deployed in this run; a module that goes may come back.</summary>
/// <param name="workload">Serves them.</param>
/// <param name="place">Where they are.</param>
internal sealed class WorkloadSockets(WorkloadServer workload, ModulePlace place)
{
    private readonly HashSet<string> open = new(StringComparer.Ordinal);

    /// <summary>Opens those that are missing.</summary>
    public async Task OpenAsync(DeploymentManifest deployment, CancellationToken cancellationToken)
    {
        foreach (var module in deployment.Modules.Where(module => open.Add(module.Id)))
        {
            await workload.OpenAsync(
                module.Id,
                place.WorkloadSocket(module.Id),
                forEveryUser: place.Containers is not null,
                cancellationToken
            );
        }
    }
}
