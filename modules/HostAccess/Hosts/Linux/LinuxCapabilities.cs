using EdgeDm.Contracts;
using EdgeDm.HostAccess.Hosts.Linux.Rauc;

namespace EdgeDm.HostAccess.Hosts.Linux;

/// <summary>What this Linux host can do. A service that is not there, or that says no, is told with its words.</summary>
internal sealed class LinuxCapabilities(
    HostBus bus,
    Logind logind,
    Timedated timedated,
    RaucInstaller rauc,
    SystemdWatchdog watchdog
)
{
    private const string Peer = "org.freedesktop.DBus.Peer";

    /// <summary>Asks the host, now.</summary>
    public IReadOnlyList<HostCapability> Read() =>
        [
            Probe(HostCapabilities.Units, () => Ping(Systemd.Service)),
            Probe(HostCapabilities.Reboot, logind.ReadObstacle),
            Probe(
                HostCapabilities.Clock,
                () =>
                {
                    timedated.Read();
                    return null;
                }
            ),
            Probe(
                HostCapabilities.NetworkTime,
                () => timedated.Read().NtpAvailable ? null : "The host has no network time service."
            ),
            Probe(HostCapabilities.Identity, () => Ping(LinuxIdentity.Service)),
            Probe(HostCapabilities.Slots, rauc.FindObstacle),
            Probe(HostCapabilities.Watchdog, watchdog.FindObstacle),
        ];

    private string? Ping(string service)
    {
        bus.Call(new(service, "/", Peer, "Ping"));
        return null;
    }

    /// <param name="name">The capability.</param>
    /// <param name="findObstacle">Null when there is none.</param>
    private static HostCapability Probe(string name, Func<string?> findObstacle)
    {
        try
        {
            var obstacle = findObstacle();
            return new(name, obstacle is null, obstacle);
        }
        catch (EdgeDmException error)
        {
            return new(name, Available: false, error.Message);
        }
    }
}
