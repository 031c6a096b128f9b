using EdgeDm.Contracts;
using EdgeDm.HostAccess.Configuration;
using EdgeDm.HostAccess.Hosts.Linux.DBus;
using EdgeDm.Hosting;

namespace EdgeDm.HostAccess.Hosts.Linux;

/// <summary>
/// Who the host is: what host-access.json says, else what systemd's host name service says, else what the firmware says. The service's
/// word comes ahead of the firmware's, because the owner can correct it there (machine-info(5)).
/// </summary>
internal sealed class LinuxIdentity(HostBus bus, LinuxHostOptions options, string root)
{
    public const string Service = "org.freedesktop.hostname1";

    private const string Path = "/org/freedesktop/hostname1";
    private const string Interface = "org.freedesktop.hostname1";
    private const string Peer = "org.freedesktop.DBus.Peer";

    private readonly HardwareFiles hardware = new(root);
    private readonly PowerSupplies power = new(root);

    /// <summary>Reads it, now.</summary>
    /// <param name="lastBootTime">When the host started.</param>
    public HostFacts Read(DateTimeOffset lastBootTime)
    {
        var told = ReadService();
        return new(
            options.Manufacturer
                ?? HardwareFiles.Clean(told.GetValueOrDefault("HardwareVendor"))
                ?? hardware.Manufacturer
                ?? throw Missing("manufacturer"),
            options.Model
                ?? HardwareFiles.Clean(told.GetValueOrDefault("HardwareModel"))
                ?? hardware.Model
                ?? throw Missing("model"),
            hardware.SerialNumber,
            hardware.HardwareVersion,
            OsRelease.ReadVersion(root),
            lastBootTime,
            HardwareFiles.Clean(told.GetValueOrDefault("Hostname")),
            ReadMachineId(),
            power.ReadBattery()
        );
    }

    /// <summary>Texts of the host name service; none when the host does not have it.</summary>
    private Dictionary<string, string> ReadService()
    {
        try
        {
            return bus.GetAll(Service, Path, Interface)
                .Where(property => property.Value is string)
                .ToDictionary(property => property.Key, property => (string)property.Value, StringComparer.Ordinal);
        }
        catch (EdgeDmException error) when (IsLacking(error))
        {
            return [];
        }
    }

    /// <summary>Every service of systemd's answers this one with the host's; no file need be mounted for it.</summary>
    private string? ReadMachineId()
    {
        try
        {
            return bus.Call(new(Systemd.Service, Systemd.Path, Peer, "GetMachineId")).Read<string>();
        }
        catch (EdgeDmException error) when (IsLacking(error))
        {
            return null;
        }
    }

    /// <summary>The bus answered, with an error: asking again would not help.</summary>
    private static bool IsLacking(EdgeDmException error) => error.InnerException is DBusErrorException;

    private static MisconfiguredException Missing(string what) =>
        new($"host-access.json: the host tells no {what}; give it as property 'linux.{what}'.");
}
