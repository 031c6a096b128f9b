using EdgeDm.Contracts;
using EdgeDm.HostAccess.Configuration;
using EdgeDm.HostAccess.Hosts.Linux.DBus;
using EdgeDm.HostAccess.Hosts.Linux.Rauc;
using EdgeDm.Hosting;
using Microsoft.Extensions.Logging;

namespace EdgeDm.HostAccess.Hosts.Linux;

/// <summary>A Linux host with systemd, by its own services over D-Bus. Nothing is done to it in any other way.</summary>
internal sealed partial class LinuxHost : IHost, IAsyncDisposable
{
    private const string BootIdFile = "proc/sys/kernel/random/boot_id";
    private const string UnitsFolder = "units";
    private const double MicrosecondsPerSecond = 1_000_000;

    /// <summary>A boot time that comes out differently by less than this is the same; more means that the clock was set.</summary>
    private static readonly TimeSpan BootTimeStep = TimeSpan.FromSeconds(2);

    private readonly HostBus bus;
    private readonly Logind logind;
    private readonly LinuxIdentity identity;
    private readonly Timedated timedated;
    private readonly SystemdWatchdog watchdog;
    private readonly LinuxCapabilities capabilities;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly TaskCompletionSource<int> down = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock gate = new();
    private ulong? started;
    private DateTimeOffset bootTime;

    private LinuxHost(LinuxHostOptions options, string root, TimeProvider time, ILogger logger)
    {
        this.time = time;
        this.logger = logger;
        bus = new(new DBusClient(options.DbusSocket, time, greet: RecogniseAsync));
        logind = new(bus, options.OverrideInhibitors);
        identity = new(bus, options, root);
        timedated = new(bus, time);
        Rauc = new(bus);
        watchdog = new(bus, root);
        capabilities = new(bus, logind, timedated, Rauc, watchdog);
    }

    public string Kind => "linux";

    public string InstanceId { get; private set; } = "";

    public TimeSpan Uptime =>
        time.GetElapsedTime((long)(started!.Value / MicrosecondsPerSecond * time.TimestampFrequency));

    public IHostUnits Units { get; private set; } = null!;

    public IReadOnlyDictionary<string, string> UnitEnvironment { get; } =
        new Dictionary<string, string>(StringComparer.Ordinal);

    public IHostClock Clock => timedated;

    public Task<int> Down => down.Task;

    /// <summary>RAUC, which not every host has.</summary>
    public RaucInstaller Rauc { get; }

    /// <summary>Finds the host behind its bus.</summary>
    /// <param name="options">From host-access.json.</param>
    /// <param name="dataFolder">HostAccess's own folder, which the host has under the same path.</param>
    /// <param name="time">Its timestamps are the machine's monotonic clock.</param>
    /// <param name="logger">For the host's log lines.</param>
    /// <param name="root">Root of the files that tell what the host is; tests have their own.</param>
    /// <exception cref="EdgeDmException"><c>hostServiceUnavailable</c>: there is no bus, or no systemd on it.</exception>
    /// <exception cref="MisconfiguredException">The host does not tell what it is, and host-access.json does not either.</exception>
    public static async Task<LinuxHost> OpenAsync(
        LinuxHostOptions options,
        string dataFolder,
        TimeProvider time,
        ILogger logger,
        string root = "/"
    )
    {
        var host = new LinuxHost(options, root, time, logger);
        try
        {
            host.bus.Call(new(DBusNames.Bus, DBusNames.BusPath, DBusNames.Bus, "GetId"));
            var bootId = (await File.ReadAllTextAsync(Path.Combine(root, BootIdFile))).Trim();
            host.InstanceId = $"{bootId.Replace("-", "", StringComparison.Ordinal)}-{host.started:x}";
            host.Units = new SystemdUnits(
                host.bus,
                Path.Combine(dataFolder, UnitsFolder),
                host.InstanceId,
                time,
                logger
            );
            host.Read();
            return host;
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    public HostFacts Read() => identity.Read(ReadBootTime());

    public IReadOnlyList<HostCapability> ReadCapabilities() => capabilities.Read();

    public void ArmWatchdog(TimeSpan timeout) => watchdog.Arm(timeout);

    public void PutWatchdogBack(TimeSpan timeout) => watchdog.PutBack(timeout);

    public void RequireRebootable() => logind.RequireRebootable();

    /// <summary>The host's own shutdown ends HostAccess, with SIGTERM.</summary>
    public void Reboot(string reason)
    {
        logind.Reboot();
        LogReboot(logger, reason);
    }

    public ValueTask DisposeAsync() => bus.DisposeAsync();

    /// <summary>
    /// Behind a new connection may be another start of the host (a host that is a container dies without its sidecar). What this
    /// program knows is then about a host that is gone: it must do nothing more, and begin anew.
    /// </summary>
    private async Task RecogniseAsync(DBusConnection connection, CancellationToken cancel)
    {
        var start = await Systemd.ReadStartAsync(connection, cancel);
        started ??= start;
        if (started != start)
        {
            LogOther(logger);
            down.TrySetResult(ExitCodes.Failed);
            throw new DBusConnectionException("The host was started anew, and HostAccess has to be, too.");
        }
    }

    /// <summary>systemd's own note of it is by the clock that was then; the clock may have been set since.</summary>
    private DateTimeOffset ReadBootTime()
    {
        lock (gate)
        {
            var now = time.GetUtcNow() - Uptime;
            if ((now - bootTime).Duration() > BootTimeStep)
            {
                bootTime = now;
            }
            return bootTime;
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "The host was asked to restart: {Reason}")]
    private static partial void LogReboot(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The host was started anew under HostAccess, which ends now")]
    private static partial void LogOther(ILogger logger);
}
