using System.Text.Json;
using EdgeDm.Contracts;
using EdgeDm.Objects;

namespace EdgeDm.Telemetry.Inventory;

/// <summary>Which of the Device object's resources an inventory holds, and where.</summary>
internal static class InventoryResources
{
    private static readonly Dictionary<string, Func<HostInventory, JsonElement?>> Readers = new(StringComparer.Ordinal)
    {
        [DeviceObject.Manufacturer] = i => Text(i.Manufacturer),
        [DeviceObject.ModelNumber] = i => Text(i.Model),
        [DeviceObject.SerialNumber] = i => Text(i.SerialNumber),
        [DeviceObject.HardwareVersion] = i => Text(i.HardwareVersion),
        [DeviceObject.FirmwareVersion] = i => Text(i.FirmwareVersion),
        [DeviceObject.MemoryFree] = i => Number(i.MemoryFree),
        [DeviceObject.MemoryTotal] = i => Number(i.MemoryTotal),
        [DeviceObject.CurrentTime] = i => Number(i.CurrentTime.ToUnixTimeSeconds()),
        [DeviceObject.UtcOffset] = i => Text(i.UtcOffset),
        [DeviceObject.Timezone] = i => Text(i.Timezone),
        [DeviceObject.BatteryLevel] = i => i.Battery?.Level is { } level ? Number(level) : null,
        [DeviceObject.BatteryStatus] = i => i.Battery is { } battery ? Number(StatusOf(battery)) : null,
    };

    /// <summary>True when inventories hold this resource.</summary>
    public static bool Holds(string resource) => Readers.ContainsKey(resource);

    /// <summary>The value in this inventory; null when this host has none.</summary>
    public static JsonElement? Read(HostInventory inventory, string resource) => Readers[resource](inventory);

    /// <summary>LwM2M /3/0/20.</summary>
    private static int StatusOf(HostBattery battery) =>
        battery.Status switch
        {
            BatteryStatuses.Normal => 0,
            BatteryStatuses.Charging => 1,
            BatteryStatuses.ChargeComplete => 2,
            BatteryStatuses.Damaged => 3,
            BatteryStatuses.Low => 4,
            BatteryStatuses.NotInstalled => 5,
            _ => 6, // Unknown, and whatever a later HostAccess may tell.
        };

    private static JsonElement? Text(string? value) =>
        value is null ? null : JsonSerializer.SerializeToElement(value, TelemetryJson.Default.String);

    private static JsonElement? Number(long value) =>
        JsonSerializer.SerializeToElement(value, TelemetryJson.Default.Int64);
}
