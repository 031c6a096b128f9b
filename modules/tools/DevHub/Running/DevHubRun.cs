using System.Runtime.InteropServices;
using EdgeDm.DevHub.Agent;
using EdgeDm.DevHub.Certificates;
using EdgeDm.DevHub.Deployment;
using EdgeDm.DevHub.Launching;
using EdgeDm.DevHub.Workload;
using EdgeDm.Hosting;

namespace EdgeDm.DevHub.Running;

/// <summary>How a dev hub with its modules is run.</summary>
internal sealed record DevHubRunOptions
{
    public required DevHubOptions Hub { get; init; }

    /// <summary>The template or manifest; null = no modules.</summary>
    public string? Deployment { get; init; }

    public EnvironmentFlavour Flavour { get; init; }

    public LaunchKind Launch { get; init; }

    /// <summary>A container that plays the gateway's system, and whose death is the modules', too.</summary>
    public string? HostContainer { get; init; }

    public string Configuration { get; init; } = "Release";

    public string? Programs { get; init; }

    public IReadOnlyDictionary<string, string> Program { get; init; } = new Dictionary<string, string>();

    public IReadOnlyDictionary<string, string> MapHost { get; init; } = new Dictionary<string, string>();

    public IReadOnlySet<string> Except { get; init; } = new HashSet<string>();

    /// <summary>Variables by module beside the manifest's.</summary>
    public ILookup<string, KeyValuePair<string, string>>? ModuleVariables { get; init; }

    public bool StopOnStdinClose { get; init; }
}

/// <summary>Puts hub, workload API and launcher together, from the lock on the data folder to the last process.</summary>
internal static class DevHubRun
{
    /// <summary>Modules get 10 s to stop; then there is a little left to do.</summary>
    public static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(25);

    /// <summary>Runs until it is told to stop.</summary>
    public static async Task<int> RunAsync(
        DevHubRunOptions options,
        ProgramContext context,
        CancellationToken cancellationToken
    )
    {
        var (manifest, catalog) = Read(options);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        // The terminal was closed.
        using var hangup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal => Stop(signal, stop));
        using var folder = DataFolderLock.Take(options.Hub.DataFolder);
        using var orphans = Orphans.Adopt();
        var logger = context.Loggers.CreateLogger("DevHub");
        if (options.StopOnStdinClose)
        {
            StopWithStandardInput(stop);
        }
        try
        {
            await using var place = await ModulePlace.OpenAsync(options, context.Time, logger, stop.Token);
            var reachable = options with { Hub = options.Hub with { ContainerAddress = place.Containers?.Gateway } };
            await ServeAsync(reachable, place, manifest, catalog, context, stop.Token);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested) { }
        return ExitCodes.Success;
    }

    private static async Task ServeAsync(
        DevHubRunOptions options,
        ModulePlace place,
        DeploymentManifest manifest,
        ModuleCatalog catalog,
        ProgramContext context,
        CancellationToken cancellationToken
    )
    {
        var data = options.Hub.DataFolder;
        using var authority = DevCertificateAuthority.Open(
            Path.Combine(data, "ca"),
            ServerNames.ForDevHub(
                options.Hub.Address.ToString(),
                options.Hub.EffectiveHubHostName,
                options.Hub.EffectiveGatewayHostName,
                options.Hub.ContainerAddress?.ToString() ?? "localhost"
            ),
            context.Time,
            context.Loggers.CreateLogger("DevHub.Certificates")
        );
        await using var server = await DevHubServer.StartAsync(
            options.Hub,
            authority.ServerCertificate,
            context.Loggers,
            context.Time,
            cancellationToken
        );
        if (options.Hub.Profile == HubProfile.IoTHub)
        {
            manifest = options.Deployment is null ? manifest : Apply(server, manifest);
            await UpstreamRun.RunAsync(
                server,
                authority,
                options,
                manifest,
                () => Read(options).Manifest,
                context,
                cancellationToken
            );
            return;
        }
        await RunModulesAsync(server, authority, options, place, manifest, catalog, context, cancellationToken);
    }

    private static async Task RunModulesAsync(
        DevHubServer server,
        DevCertificateAuthority authority,
        DevHubRunOptions options,
        ModulePlace place,
        DeploymentManifest manifest,
        ModuleCatalog catalog,
        ProgramContext context,
        CancellationToken cancellationToken
    )
    {
        var data = options.Hub.DataFolder;
        manifest = options.Deployment is null ? EdgeAgent.DeploymentOf(server) : Apply(server, manifest);
        var environment = place.EnvironmentOf(server, authority);
        var console = ModuleConsole.OnStandardOutput([.. manifest.Modules.Select(module => module.Id)]);
        console.Shown = server.Page.OnLine;
        await using var launcher = LauncherOf(
            options,
            place,
            manifest,
            catalog,
            environment,
            authority,
            console,
            context
        );
        server.ModuleStates = launcher;
        await using var workload = new WorkloadServer(new RegistryKeys(server), authority, launcher, context.Loggers);
        var sockets = environment.HasWorkloadApi ? new WorkloadSockets(workload, place) : null;
        var agent = new EdgeAgent(
            server,
            launcher,
            new(Path.Combine(data, "logs")),
            OpenSocketsAsync,
            context.Time,
            context.Loggers.CreateLogger("DevHub.Agent")
        );
        try
        {
            await OpenSocketsAsync(manifest, cancellationToken);
            var life = place.HostContainer is { } awaited ? await awaited.WaitUntilUpAsync(cancellationToken) : null;
            await launcher.StartAsync(cancellationToken);
            using var ready = Announce(server, authority, options, manifest, environment);
            var follower = new DeploymentFollower(
                () => Read(options).Manifest,
                server,
                context.Time,
                context.Loggers.CreateLogger("DevHub")
            );
            await FirstToEnd.RunAsync(
                cancellationToken,
                agent.RunAsync,
                token =>
                    options.Deployment is null
                        ? Task.Delay(Timeout.Infinite, token)
                        : follower.RunAsync(manifest, token),
                token =>
                    place.HostContainer is { } host
                        ? host.FollowAsync(life!, launcher, token)
                        : Task.Delay(Timeout.Infinite, token)
            );
        }
        finally
        {
            await launcher.DisposeAsync(); // Before the hub that the modules say goodbye to.
        }

        Task OpenSocketsAsync(DeploymentManifest deployment, CancellationToken token) =>
            sockets?.OpenAsync(deployment, token) ?? Task.CompletedTask;
    }

    private static ModuleLauncher LauncherOf(
        DevHubRunOptions options,
        ModulePlace place,
        DeploymentManifest manifest,
        ModuleCatalog catalog,
        ModuleEnvironment environment,
        DevCertificateAuthority authority,
        ModuleConsole console,
        ProgramContext context
    ) =>
        new(
            manifest,
            place.RuntimeOf(
                new(catalog, options.Configuration, options.Programs, options.Program),
                environment,
                authority
            ),
            new() { DataFolder = options.Hub.DataFolder, Except = options.Except },
            console,
            context.Time,
            context.Loggers
        );

    private static (DeploymentManifest Manifest, ModuleCatalog Catalog) Read(DevHubRunOptions options)
    {
        var file = options.Deployment is { } path ? Path.GetFullPath(path) : null;
        var root = Path.GetDirectoryName(file) ?? Directory.GetCurrentDirectory();
        var variables = TemplateVariables.Of(root);
        var catalog = new ModuleCatalog(root, variables);
        if (file is null)
        {
            return (new("", [], []), catalog);
        }
        try
        {
            return (DeploymentReader.Read(file, variables, catalog), catalog);
        }
        catch (Exception error) when (error is DeploymentException or IOException or UnauthorizedAccessException)
        {
            throw new MisconfiguredException(error.Message);
        }
    }

    private static DeploymentManifest Apply(DevHubServer server, DeploymentManifest manifest)
    {
        try
        {
            server.ApplyManifest(manifest.ModulesContent);
            return manifest;
        }
        catch (HubException error)
        {
            throw new MisconfiguredException($"{manifest.File}: {error.Message}");
        }
    }

    /// <summary>Tells programs and people that all is there; the ready file comes when nothing else is missing.</summary>
    private static ReadyFile Announce(
        DevHubServer server,
        DevCertificateAuthority authority,
        DevHubRunOptions options,
        DeploymentManifest manifest,
        ModuleEnvironment environment
    )
    {
        var left = manifest
            .Modules.Where(module => options.Except.Contains(module.Id))
            .Select(module => (module.Id, Variables: environment.Of(module)))
            .Select(m => (m.Id, m.Variables, File: EnvironmentFile.Write(options.Hub.DataFolder, m.Id, m.Variables)))
            .ToList();
        var ready = ReadyFile.Write(options.Hub.DataFolder, server, authority);
        Say(server, authority, options);
        Console.WriteLine($"  output of the modules             {Path.Combine(options.Hub.DataFolder, "logs")}");
        foreach (var (module, variables, file) in left)
        {
            Console.WriteLine($"{module} is left to you. Its environment, also in {file}:");
            Console.Write(EnvironmentFile.Format(variables));
        }
        return ready;
    }

    /// <summary>Tells people that the hub runs, and where.</summary>
    public static void Say(DevHubServer server, DevCertificateAuthority authority, DevHubRunOptions options) =>
        Console.WriteLine(
            $"""
            The dev hub runs. MQTT: {server.Address}:{server.MqttPort}  HTTPS: {server.Address}:{server.HttpsPort}
              connection string of the service  {options.Hub.ConnectionStringFile}
              certificate to trust              {authority.TrustBundleFile}
              page (opens once)                 {server.Page.NewAddress()}
            """
        );

    private static void Stop(PosixSignalContext signal, CancellationTokenSource stop)
    {
        signal.Cancel = true;
        stop.Cancel();
    }

    // On a thread of its own: whoever reads a console holds a thread, and where there is one core the pool has no second for half a second.
    private static void StopWithStandardInput(CancellationTokenSource stop)
    {
        var thread = new Thread(Read) { IsBackground = true, Name = "standard input" };
        thread.Start();

        void Read()
        {
            using var input = Console.OpenStandardInput();
            while (input.ReadByte() >= 0)
            {
                // What is said there does not matter, only its end.
            }
            try
            {
                stop.Cancel();
            }
            catch (ObjectDisposedException)
            {
                // The hub has ended already.
            }
        }
    }
}
