using System.Globalization;
using EdgeDm.Contracts;

namespace EdgeDm.HostAccess.Hosts.Linux;

/// <summary>The host's own battery, as the kernel shows it (Linux, <c>Documentation/ABI/testing/sysfs-class-power</c>).</summary>
/// <param name="root">Root of the file system.</param>
internal sealed class PowerSupplies(string root)
{
    private const string Folder = "sys/class/power_supply";

    /// <summary>The first battery by name; null when the host has none. One of a keyboard or the like is not the host's.</summary>
    public HostBattery? ReadBattery()
    {
        var folder = Path.Combine(root, Folder);
        if (!Directory.Exists(folder))
        {
            return null;
        }
        var battery = Directory
            .EnumerateFileSystemEntries(folder)
            .Order(StringComparer.Ordinal)
            .FirstOrDefault(supply => Text(supply, "type") == "Battery" && Text(supply, "scope") != "Device");
        return battery is null ? null : new(ReadLevel(battery), ReadStatus(battery));
    }

    private static int? ReadLevel(string battery) =>
        int.TryParse(Text(battery, "capacity"), NumberStyles.None, CultureInfo.InvariantCulture, out var percent)
            ? Math.Min(percent, 100)
            : null;

    private static string ReadStatus(string battery) =>
        (
            Text(battery, "present"),
            Text(battery, "health"),
            Text(battery, "status"),
            Text(battery, "capacity_level")
        ) switch
        {
            ("0", _, _, _) => BatteryStatuses.NotInstalled,
            (_, "Dead" or "Unspecified failure", _, _) => BatteryStatuses.Damaged,
            (_, _, "Charging", _) => BatteryStatuses.Charging,
            (_, _, "Full", _) => BatteryStatuses.ChargeComplete,
            (_, _, "Discharging" or "Not charging", "Low" or "Critical") => BatteryStatuses.Low,
            (_, _, "Discharging" or "Not charging", _) => BatteryStatuses.Normal,
            _ => BatteryStatuses.Unknown,
        };

    /// <summary>Null when the driver does not tell, or the battery was taken out meanwhile.</summary>
    private static string? Text(string supply, string name)
    {
        try
        {
            return File.ReadAllText(Path.Combine(supply, name)).Trim();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
