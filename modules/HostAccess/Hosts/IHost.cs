using EdgeDm.Contracts;

namespace EdgeDm.HostAccess.Hosts;

/// <summary>
/// The machine that is managed, as its own services show it. Everything that HostAccess does to a host goes through here;
/// the simulated host keeps its state in a folder, a Linux host asks systemd and its peers.
/// </summary>
internal interface IHost
{
    /// <summary><c>linux</c>, <c>windows</c> or <c>simulated</c>.</summary>
    string Kind { get; }

    /// <summary>Changes with every start of the host, and only then.</summary>
    string InstanceId { get; }

    /// <summary>
    /// Time since the host started. Monotonic, also across restarts of HostAccess; setting the clock does not move it.
    /// Deadlines are kept in it.
    /// </summary>
    TimeSpan Uptime { get; }

    /// <summary>Reads what the host is, now.</summary>
    HostFacts Read();

    /// <summary>Runs programs on the host.</summary>
    IHostUnits Units { get; }

    /// <summary>Set for every unit, over what the unit itself asks for.</summary>
    IReadOnlyDictionary<string, string> UnitEnvironment { get; }

    /// <summary>The clock; null when the host has no service that sets it.</summary>
    IHostClock? Clock { get; }

    /// <summary>What this host can do, and why it cannot do the rest.</summary>
    IReadOnlyList<HostCapability> ReadCapabilities();

    /// <summary>Throws <c>rebootInhibited</c> when something on the host holds it up and host-access.json does not pass over that.</summary>
    void RequireRebootable();

    /// <summary>
    /// Asks for a restart. When this returns the request cannot be lost; soon after, HostAccess ends. Asking twice is one restart.
    /// Throws as <see cref="RequireRebootable"/> does.
    /// </summary>
    void Reboot(string reason);

    /// <summary>Has a hang of the host end in a restart, until it is put back or the host goes down. Nothing on a host without a watchdog.</summary>
    /// <param name="timeout">Of the watchdog. One that is stricter already stays.</param>
    void ArmWatchdog(TimeSpan timeout);

    /// <summary>Undoes <see cref="ArmWatchdog"/>; nothing when it was not armed.</summary>
    void PutWatchdogBack(TimeSpan timeout);

    /// <summary>Ends when the host went down under HostAccess, which then has to end with the exit code given.</summary>
    Task<int> Down { get; }
}

/// <summary>What a host is. Names as in LwM2M's Device object.</summary>
/// <param name="FirmwareVersion">Of the OS image that runs.</param>
/// <param name="LastBootTime">UTC by the host's clock.</param>
/// <param name="Hostname">Null when the host has none.</param>
/// <param name="MachineId">systemd's machine-id; null when the host has none.</param>
/// <param name="Battery">Null when the host has none.</param>
internal sealed record HostFacts(
    string Manufacturer,
    string Model,
    string? SerialNumber,
    string? HardwareVersion,
    string FirmwareVersion,
    DateTimeOffset LastBootTime,
    string? Hostname = null,
    string? MachineId = null,
    HostBattery? Battery = null
);
