using System.Collections.Immutable;
using EdgeDm.Hosting;

namespace EdgeDm.HostAccess.Configuration;

/// <summary>
/// host-access.json: what the owner of the gateway allows. No twin and no caller can change it. Read once at start,
/// strictly: whatever is not understood ends the program with a message that names the path.
/// </summary>
/// <param name="Host">The host's settings; their type says which kind of host it is.</param>
/// <param name="RequireNoNetwork">Refuse every verb while an interface other than <c>lo</c> exists. Default true.</param>
/// <param name="TrustedRoots">Texts of the root keys (JWK).</param>
/// <param name="Verbs">What may be asked. A verb that is not named is disabled.</param>
/// <param name="Callers">Who may ask.</param>
/// <param name="Updates">Rules of updates.</param>
/// <param name="Health">The health gate.</param>
/// <param name="FactoryReset">What a factory reset runs.</param>
/// <param name="Time">Changes of the clock.</param>
internal sealed record HostAccessConfiguration(
    HostOptions Host,
    bool RequireNoNetwork,
    ImmutableArray<string> TrustedRoots,
    VerbOptions Verbs,
    CallerOptions Callers,
    UpdateOptions Updates,
    HealthOptions Health,
    FactoryResetOptions FactoryReset,
    TimeOptions Time
)
{
    /// <summary>Reads the file. Relative paths in it are relative to its folder.</summary>
    /// <exception cref="MisconfiguredException">Names the file, the path in it and what is expected.</exception>
    public static HostAccessConfiguration Load(string path) => HostAccessConfigurationReader.Read(path);
}

/// <summary>A kind of host.</summary>
internal abstract record HostOptions;

/// <summary>The Linux host that HostAccess runs on, or beside.</summary>
/// <param name="Manufacturer">As in a manifest's <c>deviceManufacturer</c>; null = what the host tells.</param>
/// <param name="Model">As in a manifest's <c>deviceModel</c>; null = what the host tells.</param>
/// <param name="DbusSocket">Where the host's system bus listens. Default <c>/run/dbus/system_bus_socket</c>.</param>
/// <param name="OverrideInhibitors">Reboot although something holds a blocking lock. Default false.</param>
internal sealed record LinuxHostOptions(string? Manufacturer, string? Model, string DbusSocket, bool OverrideInhibitors)
    : HostOptions;

/// <summary>The simulated host.</summary>
/// <param name="Folder">Its state.</param>
/// <param name="Manufacturer">As in a manifest's <c>deviceManufacturer</c>.</param>
/// <param name="Model">As in a manifest's <c>deviceModel</c>.</param>
/// <param name="FirmwareVersion">Version of both slots when the host is made. Default 1.0.0.</param>
/// <param name="RebootExitCode">HostAccess ends with it when the host reboots. 1 to 255, default 129.</param>
internal sealed record SimulatedHostOptions(
    string Folder,
    string Manufacturer,
    string Model,
    string FirmwareVersion,
    int RebootExitCode
) : HostOptions;

/// <summary>Which verbs exist here.</summary>
/// <param name="UpdateEnabled">Default false.</param>
/// <param name="RebootEnabled">Default false.</param>
/// <param name="RebootsPerHour">1 to 60, default 3.</param>
/// <param name="RootsEnabled">Default false.</param>
/// <param name="RootSignatures">How many of the present roots must sign a root list: 1 to 32; null = all of them.</param>
internal sealed record VerbOptions(
    bool UpdateEnabled,
    bool RebootEnabled,
    int RebootsPerHour,
    bool RootsEnabled = false,
    int? RootSignatures = null
);

/// <summary>User ids that may connect; checked against the kernel's word for the peer.</summary>
/// <param name="Verbs">On the socket <c>verbs</c>. Default: HostAccess's own user only.</param>
/// <param name="Inventory">On the socket <c>inventory</c>. Likewise.</param>
internal sealed record CallerOptions(ImmutableArray<uint> Verbs, ImmutableArray<uint> Inventory);

/// <summary>Rules of updates.</summary>
/// <param name="Handlers">Handlers that may run. Default none.</param>
/// <param name="AllowReinstallOf"><c>provider/name</c> pairs of which any version may be installed, also an older one.</param>
/// <param name="StepTimeout">Of one action of a step. 1 s to 1 day, default 1 hour.</param>
/// <param name="MaxManifestAge">How much older than the newest accepted manifest a manifest may be. 1 to 36,500 days; null = any age.</param>
/// <param name="AllowAptDowngrades">A step of <c>microsoft/apt:1</c> may install an older version of a package. Default false.</param>
internal sealed record UpdateOptions(
    ImmutableArray<string> Handlers,
    ImmutableArray<string> AllowReinstallOf,
    TimeSpan StepTimeout,
    TimeSpan? MaxManifestAge,
    bool AllowAptDowngrades = false
);

/// <summary>What proves that an updated host is healthy.</summary>
/// <param name="Deadline">From the start of verifying within one boot. 1 s to 1 day, default 600 s.</param>
/// <param name="Stable">How long complete evidence must hold. 0 to 1 hour, below <paramref name="Deadline"/>, default 10 s.</param>
/// <param name="RequiredModules">Modules that must have answered on their route. Default none.</param>
/// <param name="RequireUpstream">IoT Hub counts, too. Default false: a dead uplink must not undo a good update.</param>
/// <param name="Watchdog">Time of the host's watchdog while an update is on trial. 0 to 1 hour, 0 = it is left alone; default 60 s.</param>
internal sealed record HealthOptions(
    TimeSpan Deadline,
    TimeSpan Stable,
    ImmutableArray<string> RequiredModules,
    bool RequireUpstream,
    TimeSpan Watchdog
);

/// <summary>Factory reset.</summary>
/// <param name="Enabled">Default false.</param>
/// <param name="PerHour">1 to 60, default 1.</param>
/// <param name="Hooks">Folder of the programs that erase; the same path on the host. Default <c>factory-reset.d</c> beside the file.</param>
/// <param name="HookTimeout">Of one hook. 1 s to 1 day, default 1 hour.</param>
internal sealed record FactoryResetOptions(bool Enabled, int PerHour, string Hooks, TimeSpan HookTimeout);

/// <summary>Changes of the clock.</summary>
/// <param name="Enabled">Default false.</param>
/// <param name="PerHour">1 to 60, default 12.</param>
/// <param name="MaxStep">How far a new time may be from the host's clock. 1 to 36,500 days, default 1 day.</param>
internal sealed record TimeOptions(bool Enabled, int PerHour, TimeSpan MaxStep);
