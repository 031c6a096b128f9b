using System.Collections.Immutable;
using static EdgeDm.Objects.ResourceOperations;
using static EdgeDm.Objects.ResourceType;

namespace EdgeDm.Objects;

/// <summary>
/// Object 3, Device (urn:oma:lwm2m:oma:3): the resources of the 2016 device management preview, and the two that OMA makes
/// mandatory beside them (error code, supported bindings).
/// </summary>
public static class DeviceObject
{
    /// <summary>Free storage of the data partition; LwM2M's kB are 1,000 bytes.</summary>
    public const string MemoryFree = "device/memoryFree";

    /// <summary>The host's clock, seconds since 1970 UTC.</summary>
    public const string CurrentTime = "device/currentTime";

    public const string Manufacturer = "device/manufacturer";
    public const string ModelNumber = "device/modelNumber";
    public const string SerialNumber = "device/serialNumber";
    public const string FirmwareVersion = "device/firmwareVersion";
    public const string HardwareVersion = "device/hardwareVersion";
    public const string MemoryTotal = "device/memoryTotal";
    public const string UtcOffset = "device/utcOffset";
    public const string Timezone = "device/timezone";
    public const string BatteryLevel = "device/batteryLevel";
    public const string BatteryStatus = "device/batteryStatus";

    private static readonly Dictionary<string, Resource> ByName;

    static DeviceObject()
    {
        Resources =
        [
            new(Manufacturer, "Manufacturer", "/3/0/0", ResourceType.String, Read),
            new(ModelNumber, "ModelNumber", "/3/0/1", ResourceType.String, Read),
            new(SerialNumber, "SerialNumber", "/3/0/2", ResourceType.String, Read),
            new(FirmwareVersion, "FirmwareVersion", "/3/0/3", ResourceType.String, Read),
            new("device/reboot", null, "/3/0/4", ResourceType.None, Execute),
            new("device/factoryReset", null, "/3/0/5", ResourceType.None, Execute),
            new(BatteryLevel, "BatteryLevel", "/3/0/9", Integer, Read, "%"),
            new(MemoryFree, "MemoryFree", "/3/0/10", Integer, Read, "kB"),
            new("device/errorCode", null, "/3/0/11", Integer, Read),
            new(CurrentTime, "CurrentTime", "/3/0/13", Time, Read | Write, "s"),
            new(UtcOffset, "UtcOffset", "/3/0/14", ResourceType.String, Read | Write),
            new(Timezone, "Timezone", "/3/0/15", ResourceType.String, Read | Write),
            new("device/supportedBindings", null, "/3/0/16", ResourceType.String, Read),
            new("device/deviceType", "DeviceDescription", "/3/0/17", ResourceType.String, Read),
            new(HardwareVersion, "HardwareVersion", "/3/0/18", ResourceType.String, Read),
            new(BatteryStatus, "BatteryStatus", "/3/0/20", Integer, Read),
            new(MemoryTotal, "MemoryTotal", "/3/0/21", Integer, Read, "kB"),
        ];
        // The service's names differ between its SDKs in the case of letters (UTCOffset, UtcOffset).
        ByName = new(StringComparer.OrdinalIgnoreCase);
        foreach (var resource in Resources)
        {
            ByName.Add(resource.Name, resource);
            ByName.Add(resource.Path, resource);
            if (resource.ServiceName is { } service)
            {
                ByName.Add(service, resource);
            }
        }
    }

    /// <summary>All resources, in the order of their ids.</summary>
    public static ImmutableArray<Resource> Resources { get; }

    /// <summary>A resource by any of its names, letters of either case; null when there is none.</summary>
    public static Resource? Find(string name) => ByName.GetValueOrDefault(name);
}
