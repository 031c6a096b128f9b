using System.Text.Json.Serialization;
using EdgeDm.Contracts;
using EdgeDm.Durable;
using EdgeDm.HostAccess.Configuration;
using Microsoft.Extensions.Logging;

namespace EdgeDm.HostAccess.Hosts.Simulated;

/// <summary>
/// A host whose state is a folder. Its reboot is a durable mark, after which HostAccess ends; the next start with the mark is
/// a new host instance. A restart of HostAccess alone changes nothing.
/// </summary>
internal sealed partial class SimulatedHost : IHost
{
    private readonly SimulatedHostOptions options;
    private static readonly Failpoint Written = new("host.state");

    private readonly DurableRecord<SimulatedState> record;
    private readonly SimulatedUnits units;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly Lock gate = new();
    private readonly TaskCompletionSource<int> down = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private SimulatedState state;

    private SimulatedHost(
        SimulatedHostOptions options,
        SimulatedState state,
        DurableRecord<SimulatedState> record,
        SimulatedUnits units,
        TimeProvider time,
        ILogger logger
    )
    {
        this.options = options;
        this.state = state;
        this.record = record;
        this.units = units;
        this.time = time;
        this.logger = logger;
        Directory.CreateDirectory(Root);
        Clock = new SimulatedClock(time, () => this.state.Clock ?? SimulatedClockSettings.Fresh, ChangeClock);
        UnitEnvironment = new Dictionary<string, string>(StringComparer.Ordinal) { ["EDGEDM_SIMULATED_ROOT"] = Root };
    }

    /// <summary>Stands for the host's file system.</summary>
    public string Root => Path.Combine(options.Folder, "root");

    public string Kind => "simulated";

    public string InstanceId => state.InstanceId;

    public TimeSpan Uptime => time.GetElapsedTime(state.BootTimestamp);

    public IHostUnits Units => units;

    public IReadOnlyDictionary<string, string> UnitEnvironment { get; }

    public IHostClock Clock { get; }

    public Task<int> Down => down.Task;

    /// <summary>The slots, as they are now.</summary>
    public SimulatedSlots Slots
    {
        get
        {
            lock (gate)
            {
                return state.Slots;
            }
        }
    }

    /// <summary>Finds the host in its folder, makes it when there is none, and boots it when it went down.</summary>
    public static SimulatedHost Open(
        SimulatedHostOptions options,
        UnitRunnerCommand runner,
        TimeProvider time,
        ILogger logger
    )
    {
        Directory.CreateDirectory(options.Folder);
        var file = new DurableRecord<SimulatedState>(
            Path.Combine(options.Folder, "state.json"),
            SimulatedHostJson.Default.SimulatedState,
            Written,
            logger,
            time: time
        );
        var programs = new SimulatedUnits(Path.Combine(options.Folder, "units"), runner, logger);
        var machine = ReadMachineBootId();
        var found = file.Load();
        if (found is { RebootRequested: false } && found.MachineBootId == machine)
        {
            return new(options, found, file, programs, time, logger);
        }
        programs.EndAll();
        var booted = new SimulatedState(
            Guid.CreateVersion7(time.GetUtcNow()).ToString("N"),
            time.GetUtcNow(),
            time.GetTimestamp(),
            machine,
            RebootRequested: false,
            found?.Slots.Boot() ?? SimulatedSlots.Fresh(options.FirmwareVersion),
            found?.Clock
        );
        file.Save(booted);
        LogBooted(logger, booted.InstanceId, booted.Slots.Active, booted.Slots.ActiveVersion);
        return new(options, booted, file, programs, time, logger);
    }

    public HostFacts Read() =>
        new(
            options.Manufacturer,
            options.Model,
            SerialNumber: null,
            HardwareVersion: null,
            Slots.ActiveVersion,
            state.BootedAt
        );

    public IReadOnlyList<HostCapability> ReadCapabilities() =>
        [
            .. new[]
            {
                HostCapabilities.Units,
                HostCapabilities.Reboot,
                HostCapabilities.Clock,
                HostCapabilities.NetworkTime,
            }.Select(name => new HostCapability(name, Available: true)),
        ];

    /// <summary>A simulated host does not hang.</summary>
    public void ArmWatchdog(TimeSpan timeout) { }

    public void PutWatchdogBack(TimeSpan timeout) { }

    /// <summary>Nothing holds a simulated host up.</summary>
    public void RequireRebootable() { }

    public void Reboot(string reason)
    {
        lock (gate)
        {
            Save(state with { RebootRequested = true });
        }
        LogReboot(logger, reason);
        down.TrySetResult(options.RebootExitCode);
    }

    /// <summary>Changes the slots; on disk when this returns.</summary>
    public void ChangeSlots(Func<SimulatedSlots, SimulatedSlots> change)
    {
        lock (gate)
        {
            Save(state with { Slots = change(state.Slots) });
        }
    }

    private void ChangeClock(Func<SimulatedClockSettings, SimulatedClockSettings> change)
    {
        lock (gate)
        {
            Save(state with { Clock = change(state.Clock ?? SimulatedClockSettings.Fresh) });
        }
    }

    private void Save(SimulatedState next)
    {
        record.Save(next);
        state = next;
    }

    /// <summary>When the machine below went down, so did the host on it. Null where the system does not tell.</summary>
    private static string? ReadMachineBootId()
    {
        const string BootId = "/proc/sys/kernel/random/boot_id";
        return File.Exists(BootId) ? File.ReadAllText(BootId).Trim() : null;
    }

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Simulated host booted: instance {Instance}, slot {Slot}, firmware {Version}"
    )]
    private static partial void LogBooted(ILogger logger, string instance, string slot, string version);

    [LoggerMessage(Level = LogLevel.Information, Message = "Simulated host goes down: {Reason}")]
    private static partial void LogReboot(ILogger logger, string reason);
}

/// <summary>What the simulated host remembers.</summary>
/// <param name="InstanceId">See <see cref="IHost.InstanceId"/>.</param>
/// <param name="BootedAt">UTC.</param>
/// <param name="BootTimestamp">Timestamp of the machine's monotonic clock at boot.</param>
/// <param name="MachineBootId">Start of the machine below.</param>
/// <param name="RebootRequested">The next start of HostAccess is a boot.</param>
/// <param name="Slots">The OS images.</param>
/// <param name="Clock">Null until something is set.</param>
internal sealed record SimulatedState(
    string InstanceId,
    DateTimeOffset BootedAt,
    long BootTimestamp,
    string? MachineBootId,
    bool RebootRequested,
    SimulatedSlots Slots,
    SimulatedClockSettings? Clock = null
);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(SimulatedState))]
internal sealed partial class SimulatedHostJson : JsonSerializerContext;
