using EdgeDm.DevHub.Certificates;
using EdgeDm.DevHub.Launching;
using EdgeDm.DevHub.Launching.Containers;
using EdgeDm.Hosting;
using Microsoft.Extensions.Logging;

namespace EdgeDm.DevHub.Running;

/// <summary>What the modules become.</summary>
internal enum LaunchKind
{
    /// <summary>Processes of this machine, of this user.</summary>
    Processes,

    /// <summary>Containers of a Docker Engine.</summary>
    Docker,
}

/// <summary>Where the modules of one run of the dev hub run: opened before the hub serves, closed after it.</summary>
internal sealed class ModulePlace : IAsyncDisposable
{
    private readonly DevHubRunOptions options;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly ShortPaths paths;

    private ModulePlace(DevHubRunOptions options, ContainerPlace? containers, TimeProvider time, ILogger logger)
    {
        this.options = options;
        this.time = time;
        this.logger = logger;
        Containers = containers;
        paths = ShortPaths.Open(options.Hub.DataFolder);
    }

    /// <summary>The engine's part; null when modules are processes.</summary>
    public ContainerPlace? Containers { get; }

    /// <summary>Ends what an earlier, killed dev hub with this data folder left running, and prepares the new place.</summary>
    /// <exception cref="MisconfiguredException">It cannot be had.</exception>
    public static async Task<ModulePlace> OpenAsync(
        DevHubRunOptions options,
        TimeProvider time,
        ILogger logger,
        CancellationToken cancellationToken
    )
    {
        Check(options);
        await ProcessRuntime.EndLeftoversAsync(options.Hub.DataFolder, logger);
        var containers =
            options.Launch == LaunchKind.Docker
                ? await ContainerPlace.OpenAsync(Endpoint, options.Hub.DataFolder, logger, cancellationToken)
                : null;
        return new(options, containers, time, logger);
    }

    /// <summary>The socket on this machine of a module's workload API.</summary>
    public string WorkloadSocket(string moduleId) => paths.WorkloadSocket(moduleId);

    /// <summary>The environment that modules get.</summary>
    public ModuleEnvironment EnvironmentOf(DevHubServer server, DevCertificateAuthority authority)
    {
        var hub = server is { ContainerEndPoint: { } containers, ContainerHttpsPort: { } https }
            ? new HubEndpoint(containers.Address.ToString(), containers.Port, https)
            : new HubEndpoint(server.GatewayHostName, server.MqttPort, server.HttpsPort);
        IModuleView view = Containers is null
            ? new ProcessView(paths, Host, authority.TrustBundleFile)
            : new ContainerView();
        return new(options.Flavour, hub, new RegistryKeys(server), view, options.ModuleVariables);
    }

    /// <summary>What runs the modules.</summary>
    public IModuleRuntime RuntimeOf(
        ModulePrograms programs,
        ModuleEnvironment environment,
        DevCertificateAuthority authority
    ) =>
        Containers is null
            ? new ProcessRuntime(programs, environment, options.Hub.DataFolder, ownsAllChildren: true, logger)
            : new ContainerRuntime(
                Containers,
                environment,
                new(
                    Containers.Names,
                    Host,
                    environment.HasWorkloadApi ? paths.WorkloadSocket : null,
                    authority.TrustBundleFile
                ),
                time,
                logger
            );

    /// <summary>The container that plays the gateway's system; null when there is none.</summary>
    public HostContainer? HostContainer =>
        options.HostContainer is { } name ? new(Containers!.Engine, name, time, logger) : null;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Containers is not null)
        {
            await Containers.DisposeAsync();
        }
        // A module that runs in a debugger goes on using them.
        if (options.Except.Count == 0)
        {
            paths.Dispose();
        }
    }

    private static string Endpoint =>
        Environment.GetEnvironmentVariable("DOCKER_HOST") is { Length: > 0 } given
            ? given
            : DockerEngine.DefaultEndpoint;

    private HostFolders Host => new(options.Hub.DataFolder, options.MapHost);

    private static void Check(DevHubRunOptions options)
    {
        if (options.Launch == LaunchKind.Docker && options.Except.Count > 0)
        {
            throw new MisconfiguredException(
                "--except leaves a module to a debugger, which cannot reach the volumes of containers. Use --launch processes with it."
            );
        }
        if (options.Hub.Profile == HubProfile.IoTHub && (options.Except.Count > 0 || options.HostContainer is not null))
        {
            throw new MisconfiguredException(
                "With --profile iotHub the dev hub launches no module: leave --except and --host-container out."
            );
        }
        if (options.Launch != LaunchKind.Docker && options.HostContainer is not null)
        {
            throw new MisconfiguredException("--host-container is for modules in containers; add --launch docker.");
        }
    }
}
