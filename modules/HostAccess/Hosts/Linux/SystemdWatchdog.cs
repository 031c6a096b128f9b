using EdgeDm.HostAccess.Hosts.Linux.DBus;

namespace EdgeDm.HostAccess.Hosts.Linux;

/// <summary>
/// The machine's watchdog, kept by the host's systemd: armed, it restarts a host whose systemd hangs (systemd-system.conf(5),
/// <c>RuntimeWatchdogSec</c>). What is set over the bus holds until the host goes down.
/// </summary>
/// <param name="bus">The host's services.</param>
/// <param name="root">Root of the file system.</param>
internal sealed class SystemdWatchdog(HostBus bus, string root)
{
    private const string Devices = "sys/class/watchdog";
    private const string Property = "RuntimeWatchdogUSec";
    private const string Set = "Set";
    private const ulong Off = 0;
    private const ulong MicrosecondsPerMillisecond = 1_000;

    /// <summary>systemd takes it for "as its configuration says".</summary>
    private const ulong AsConfigured = ulong.MaxValue;

    /// <summary>Null when there is a watchdog. systemd takes any time, also where there is none: the kernel has to tell.</summary>
    public string? FindObstacle()
    {
        var devices = Path.Combine(root, Devices);
        return Directory.Exists(devices) && Directory.EnumerateFileSystemEntries(devices).Any()
            ? null
            : "The host has no watchdog device.";
    }

    /// <summary>Arms it, unless there is none or it is armed with no longer a time.</summary>
    public void Arm(TimeSpan timeout)
    {
        var wanted = Microseconds(timeout);
        if (FindObstacle() is null && Read() is var present && (present == Off || present > wanted))
        {
            Write(wanted);
        }
    }

    /// <summary>Has it as systemd's configuration says, if it is as <see cref="Arm"/> left it.</summary>
    public void PutBack(TimeSpan timeout)
    {
        if (FindObstacle() is null && Read() == Microseconds(timeout))
        {
            Write(AsConfigured);
        }
    }

    private ulong Read() => bus.Get<ulong>(Systemd.Service, Systemd.Path, Systemd.Manager, Property);

    private void Write(ulong value) =>
        bus.Call(
            new(
                Systemd.Service,
                Systemd.Path,
                DBusNames.Properties,
                Set,
                "ssv",
                Systemd.Manager,
                Property,
                new DBusVariant("t", value)
            )
        );

    private static ulong Microseconds(TimeSpan time) => (ulong)time.TotalMilliseconds * MicrosecondsPerMillisecond;
}
