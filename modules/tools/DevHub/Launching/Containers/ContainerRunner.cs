using System.Net;
using Microsoft.Extensions.Logging;

namespace EdgeDm.DevHub.Launching.Containers;

/// <summary>Runs one module as a container: the same one again after a crash, a new one for a changed deployment.</summary>
internal sealed class ContainerRunner(ContainerPlace place, TimeProvider time, ILogger logger) : IModuleRunner
{
    private static readonly TimeSpan LongestOutputWait = TimeSpan.FromSeconds(1);

    private (ContainerLaunch Launch, string Id)? made;

    public async Task<IModuleRun> StartAsync(ModuleLaunch launch)
    {
        var wanted = (ContainerLaunch)launch;
        if (made is { } there && ReferenceEquals(there.Launch, wanted))
        {
            try
            {
                return await RunAsync(wanted, there.Id);
            }
            catch (DockerException error) when (error.Status == HttpStatusCode.NotFound)
            {
                made = null; // Somebody removed it.
            }
        }
        return await RunAsync(wanted, await MakeAsync(wanted));
    }

    public Task SettleAsync(IModuleRun ended, ModuleLaunch launch, Task output) =>
        // Its last lines before its state. Nothing outlives a container.
        Task.WhenAny(output, Task.Delay(LongestOutputWait, time, CancellationToken.None));

    public async Task EndLeftAsync()
    {
        if (made is { } there)
        {
            made = null;
            await place.Engine.RemoveAsync(there.Id, CancellationToken.None);
        }
    }

    private async Task<string> MakeAsync(ContainerLaunch launch)
    {
        await EndLeftAsync();
        foreach (var volume in launch.Volumes)
        {
            await place.Engine.EnsureVolumeAsync(volume, place.Names.Network, CancellationToken.None);
        }
        try
        {
            var id = await place.Engine.CreateAsync(launch.Name, launch.Options, CancellationToken.None);
            made = (launch, id);
            return id;
        }
        catch (DockerException error) when (error.Status == HttpStatusCode.NotFound)
        {
            throw new IOException(
                $"{error.Message} Images of this repository are made by scripts/images; pull or load the image {launch.Image} otherwise.",
                error
            );
        }
    }

    private async Task<IModuleRun> RunAsync(ContainerLaunch launch, string id)
    {
        var output = await place.Engine.AttachAsync(id, launch.HasTerminal, CancellationToken.None);
        try
        {
            await place.Engine.StartAsync(id, CancellationToken.None);
            var state = await place.Engine.InspectAsync(id, CancellationToken.None);
            return new ContainerRun(place.Engine, launch.Name, id, state?.Pid ?? 0, output, time, logger);
        }
        catch
        {
            await output.DisposeAsync();
            throw;
        }
    }
}
