using EdgeDm.Contracts;
using EdgeDm.HostAccess.Api;
using EdgeDm.HostAccess.Audit;
using EdgeDm.HostAccess.Configuration;
using EdgeDm.HostAccess.Hosts;
using EdgeDm.HostAccess.Hosts.Linux;
using EdgeDm.HostAccess.Hosts.Simulated;
using EdgeDm.HostAccess.Updates;
using EdgeDm.HostAccess.Updates.Handlers;
using EdgeDm.HostAccess.Updates.Handlers.Rauc;
using EdgeDm.HostAccess.Updates.Staging;
using EdgeDm.HostAccess.Updates.Trust;
using EdgeDm.HostAccess.Verbs;
using EdgeDm.HostAccess.Verbs.FactoryReset;
using EdgeDm.Hosting;
using EdgeDm.Updates;
using Microsoft.Extensions.Logging;

namespace EdgeDm.HostAccess;

/// <summary>
/// The privileged sidecar: the one place of EdgeDm that may change the host. No network, no shell; believes nothing that another
/// module has checked.
/// </summary>
public static partial class HostAccessModule
{
    /// <summary>Runs until stopped, or until the host goes down.</summary>
    /// <returns>The exit code; the simulated host's <c>rebootExitCode</c> when the host goes down.</returns>
    public static Task<int> RunAsync(ProgramContext context, CancellationToken stop) =>
        RunAsync(context, UnitRunnerCommand.OfThisProgram(), new ApiOptions(), stop);

    /// <summary>
    /// The same with other bounds, another program to run the simulated host's units, and another root of the files that tell of a Linux host.
    /// </summary>
    internal static async Task<int> RunAsync(
        ProgramContext context,
        UnitRunnerCommand runner,
        ApiOptions options,
        CancellationToken stop,
        string hostFiles = "/"
    )
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new MisconfiguredException("This version of HostAccess runs on Linux only.");
        }
        var data = Path.GetFullPath(context.Options.Text("EDGEDM_DATA", "/var/lib/edgedm"));
        var configuration = HostAccessConfiguration.Load(
            context.Options.Text("EDGEDM_CONFIG", "/etc/edgedm/host-access.json")
        );
        var logger = context.Loggers.CreateLogger("HostAccess");
        using var single = TakeDataFolder(data);
        var host = await OpenHostAsync(configuration.Host, data, hostFiles, runner, context.Time, logger);
        await using var hostEnd = host as IAsyncDisposable;
        var audit = new AuditLog(data, context.Time);
        var turn = new HostTurn();
        var gate = new VerbGate(audit, configuration.RequireNoNetwork, logger, context.Time);
        await using var reboot = new RebootVerb(
            host,
            turn,
            gate,
            configuration.Verbs,
            Path.Combine(data, "reboots"),
            context.Time,
            logger
        );
        await using var factoryReset = new FactoryResetVerb(
            host,
            turn,
            gate,
            configuration.FactoryReset,
            Path.Combine(data, "factory-resets"),
            context.Time,
            logger
        );
        var clock = new TimeVerb(host, gate, configuration.Time, Path.Combine(data, "time"), context.Time, logger);
        var trust = new HostTrust(
            data,
            ReadRoots(configuration),
            configuration.Verbs.RootSignatures,
            context.Time,
            logger
        );
        var updates = ComposeUpdates(context, configuration, data, host, trust, turn, audit, logger);
        await using var engine = new UpdateEngine(updates.Parts);
        var verbs = new UpdateVerbs(updates.Parts, gate, configuration.Verbs, engine, updates.Store);
        var readings = new HostReadings(
            host,
            configuration,
            updates.Parts.Handlers,
            updates.Parts.Installed,
            data,
            context.Version,
            context.Time
        );
        await using var slot = KeepSlotGood(host, updates.Parts);
        // What was under way takes the host's turn before anybody can ask for it.
        engine.Resume();
        reboot.Resume();
        factoryReset.Resume();
        await using var server = await HostApiServer.StartAsync(
            Sockets(context.Options, configuration.Callers),
            new HostApiRoutes(
                readings,
                reboot,
                clock,
                factoryReset,
                verbs,
                new RootsVerb(trust, gate, configuration.Verbs),
                gate,
                options
            ),
            options,
            context.Loggers,
            stop
        );
        LogReady(logger, host.Kind, host.InstanceId);
        await Task.WhenAny(host.Down, Task.Delay(Timeout.Infinite, stop));
        return host.Down.IsCompleted ? await host.Down : ExitCodes.Success;
    }

    private static BootedSlot? KeepSlotGood(IHost host, UpdateEngineParts parts) =>
        host is LinuxHost linux && parts.Handlers.Find(RaucHandler.HandlerName) is RaucHandler handler
            ? new(
                linux.Rauc,
                [
                    .. parts.Journal.Open.SelectMany(update =>
                        update
                            .Steps.Select(step => parts.Staging.WorkFolder(update.CommandId, step.Index))
                            .Select(handler.OriginOf)
                            .OfType<string>()
                    ),
                ],
                parts.Time,
                parts.Logger
            )
            : null;

    private static async Task<IHost> OpenHostAsync(
        HostOptions options,
        string data,
        string hostFiles,
        UnitRunnerCommand runner,
        TimeProvider time,
        ILogger logger
    ) =>
        options switch
        {
            SimulatedHostOptions simulated => SimulatedHost.Open(simulated, runner, time, logger),
            LinuxHostOptions linux => await LinuxHost.OpenAsync(linux, data, time, logger, hostFiles),
            _ => throw new InvalidOperationException($"There is no host for {options.GetType().Name}."),
        };

    private static (UpdateEngineParts Parts, PackageStore Store) ComposeUpdates(
        ProgramContext context,
        HostAccessConfiguration configuration,
        string data,
        IHost host,
        HostTrust trust,
        HostTurn turn,
        AuditLog audit,
        ILogger logger
    )
    {
        var time = context.Time;
        var store = new PackageStore(context.Options.Text("EDGEDM_STORE", "/var/lib/edgedm-store"));
        var handlers = UpdateHandlers.Of(host, configuration.Updates, data, time, logger);
        var journal = new UpdateJournal(Path.Combine(data, "updates"), time, logger);
        var installed = new InstalledUpdates(
            Path.Combine(data, "installed.json"),
            configuration.Updates,
            journal.Committed,
            time,
            logger
        );
        return (
            new(
                host,
                turn,
                journal,
                new UpdateAdmission(trust, host, handlers, installed, store),
                handlers,
                installed,
                new StagingArea(Path.Combine(data, "staging"), store),
                new HealthGate(configuration.Health),
                audit,
                time,
                logger
            ),
            store
        );
    }

    private static TrustedRoots ReadRoots(HostAccessConfiguration configuration)
    {
        try
        {
            return TrustedRoots.Parse(configuration.TrustedRoots);
        }
        catch (EdgeDmException error)
        {
            throw new MisconfiguredException($"host-access.json: {error.Message}");
        }
    }

    private static HostSocket[] Sockets(EnvironmentOptions options, CallerOptions callers) =>
        [
            HostSocket.In(
                options.Text("EDGEDM_VERBS_FOLDER", "/run/edgedm/verbs"),
                "verbs",
                callers.Verbs,
                mayWrite: true
            ),
            HostSocket.In(
                options.Text("EDGEDM_INVENTORY_FOLDER", "/run/edgedm/inventory"),
                "inventory",
                callers.Inventory,
                mayWrite: false
            ),
        ];

    /// <summary>One HostAccess at a time: two would act twice.</summary>
    private static FileStream TakeDataFolder(string data)
    {
        const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        try
        {
            Directory.CreateDirectory(data, OwnerOnly);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new MisconfiguredException($"EDGEDM_DATA: folder '{data}' cannot be made: {error.Message}");
        }
        // A second one fails here and is started again by its supervisor, until the first one is gone.
        return new(Path.Combine(data, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "HostAccess serves a {Kind} host, instance {Instance}")]
    private static partial void LogReady(ILogger logger, string kind, string instance);
}
