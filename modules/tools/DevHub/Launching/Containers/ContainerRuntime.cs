using EdgeDm.DevHub.Deployment;
using Microsoft.Extensions.Logging;

namespace EdgeDm.DevHub.Launching.Containers;

/// <summary>Runs modules as containers.</summary>
/// <param name="place">Network, volumes and containers of this dev hub.</param>
/// <param name="environment">Environment of the modules.</param>
/// <param name="mounts">Where their mounts come from.</param>
/// <param name="time">Measures waits.</param>
/// <param name="logger">Told what happens to them.</param>
internal sealed class ContainerRuntime(
    ContainerPlace place,
    ModuleEnvironment environment,
    ContainerMounts mounts,
    TimeProvider time,
    ILogger logger
) : IModuleRuntime
{
    public ModuleLaunch Plan(ModuleDeployment module) =>
        new ContainerLaunch(module, environment.Of(module), mounts, place.Names);

    public IModuleRunner RunnerFor(string moduleId) => new ContainerRunner(place, time, logger);

    public Task EndAllAsync() => place.RemoveContainersAsync();
}
