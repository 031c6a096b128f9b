using EdgeDm.HostAccess.Hosts.Linux.DBus;

namespace EdgeDm.HostAccess.Hosts.Linux;

/// <summary>Names of systemd's manager on the bus, and the question that tells one start of the host from another.</summary>
internal static class Systemd
{
    public const string Service = "org.freedesktop.systemd1";
    public const string Path = "/org/freedesktop/systemd1";
    public const string Manager = "org.freedesktop.systemd1.Manager";
    public const string Unit = "org.freedesktop.systemd1.Unit";
    public const string ServiceUnit = "org.freedesktop.systemd1.Service";

    public const string NoSuchUnit = "org.freedesktop.systemd1.NoSuchUnit";
    public const string UnitExists = "org.freedesktop.systemd1.UnitExists";

    /// <summary>
    /// When this init started, in microseconds of the machine's monotonic clock. It outlives a re-execution of systemd; a container that
    /// stands for a host shares the machine's boot id, but not this.
    /// </summary>
    public static async Task<ulong> ReadStartAsync(DBusConnection connection, CancellationToken cancel)
    {
        var answer = await connection.CallAsync(
            new(Service, Path, DBusNames.Properties, "Get", "ss", Manager, "UserspaceTimestampMonotonic"),
            cancel
        );
        return answer.Read<DBusVariant>() is { Value: ulong start }
            ? start
            : throw new DBusFormatException("systemd does not tell when it started.");
    }
}
