using System.Net;
using System.Text;
using EdgeDm.Durable;
using Microsoft.Extensions.Logging;

namespace EdgeDm.DevHub.Launching.Containers;

/// <summary>
/// What a dev hub has in a Docker Engine: a bridge network, volumes and containers, all labelled with the data folder's name. Of what
/// others have it touches nothing.
/// </summary>
internal sealed partial class ContainerPlace : IAsyncDisposable
{
    private readonly ILogger logger;

    private ContainerPlace(DockerEngine engine, ContainerNames names, IPAddress gateway, ILogger logger)
    {
        Engine = engine;
        Names = names;
        Gateway = gateway;
        this.logger = logger;
    }

    /// <summary>The engine.</summary>
    public DockerEngine Engine { get; }

    /// <summary>What everything is called.</summary>
    public ContainerNames Names { get; }

    /// <summary>The address that this machine has in the network: where containers reach the hub.</summary>
    public IPAddress Gateway { get; }

    /// <summary>
    /// Removes what an earlier, killed dev hub with this data folder left running, and makes the network. In a data folder that is new
    /// or was cleaned, volumes begin empty, too.
    /// </summary>
    /// <exception cref="EdgeDm.Hosting.MisconfiguredException">No engine answers.</exception>
    public static async Task<ContainerPlace> OpenAsync(
        string endpoint,
        string dataFolder,
        ILogger logger,
        CancellationToken cancellationToken
    )
    {
        var engine = await DockerEngine.ConnectAsync(endpoint, cancellationToken);
        try
        {
            var names = ContainerNames.Of(dataFolder);
            await RemoveContainersAsync(engine, names, cancellationToken);
            var mark = Path.Combine(dataFolder, "containers");
            if (!File.Exists(mark))
            {
                foreach (var volume in await engine.VolumesAsync(names.Network, cancellationToken))
                {
                    await engine.RemoveVolumeAsync(volume, cancellationToken);
                }
                AtomicFile.Write(mark, Encoding.UTF8.GetBytes(names.Network + "\n"), failpoint: null);
            }
            var gateway = await engine.EnsureNetworkAsync(names.Network, cancellationToken);
            return new(engine, names, gateway, logger);
        }
        catch
        {
            engine.Dispose();
            throw;
        }
    }

    /// <summary>Removes every container that this dev hub made.</summary>
    public Task RemoveContainersAsync() => RemoveContainersAsync(Engine, Names, CancellationToken.None);

    /// <summary>Removes containers and network. Volumes stay, as the data folder does.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await RemoveContainersAsync();
            await Engine.RemoveNetworkAsync(Names.Network, CancellationToken.None);
        }
        catch (IOException error)
        {
            LogLeft(logger, Names.Network, error.Message);
        }
        Engine.Dispose();
    }

    private static async Task RemoveContainersAsync(
        DockerEngine engine,
        ContainerNames names,
        CancellationToken cancellationToken
    )
    {
        foreach (var container in await engine.ContainersAsync(names.Network, cancellationToken))
        {
            await engine.RemoveAsync(container, cancellationToken);
        }
    }

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "Containers or the network of {Name} could not be removed; the next dev hub with this data folder does it: {Reason}"
    )]
    private static partial void LogLeft(ILogger logger, string name, string reason);
}
