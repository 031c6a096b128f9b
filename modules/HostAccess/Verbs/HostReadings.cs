using System.Globalization;
using EdgeDm.Contracts;
using EdgeDm.HostAccess.Configuration;
using EdgeDm.HostAccess.Hosts;
using EdgeDm.HostAccess.Updates;
using EdgeDm.HostAccess.Updates.Handlers;
using EdgeDm.HostAccess.Verbs.FactoryReset;

namespace EdgeDm.HostAccess.Verbs;

/// <summary>What anyone who may read is told. Read from the host at the moment of asking.</summary>
internal sealed class HostReadings(
    IHost host,
    HostAccessConfiguration configuration,
    UpdateHandlers handlers,
    InstalledUpdates installed,
    string dataFolder,
    string version,
    TimeProvider time
)
{
    private const int BytesPerUnit = 1_000; // LwM2M counts memory in kilobytes.

    /// <param name="caller">What the caller speaks.</param>
    public HostAccessInfo Access(HostApiVersion caller) =>
        new(
            "EdgeDm.HostAccess",
            version,
            ["v1"],
            host.Kind,
            host.InstanceId,
            [.. EnabledVerbs()],
            configuration.Verbs.UpdateEnabled ? handlers.Names : [],
            HostApiVersion.Current.ToString(),
            caller.ToString(),
            [.. host.ReadCapabilities()]
        );

    public HostInventory Inventory()
    {
        var facts = host.Read();
        var partition = new DriveInfo(dataFolder);
        var clock = host.Clock?.Read();
        var now = clock?.Time ?? time.GetUtcNow();
        var timezone = clock?.Timezone ?? time.LocalTimeZone.Id;
        return new(
            facts.Manufacturer,
            facts.Model,
            facts.SerialNumber,
            facts.HardwareVersion,
            facts.FirmwareVersion,
            partition.AvailableFreeSpace / BytesPerUnit,
            partition.TotalSize / BytesPerUnit,
            now,
            OffsetOf(timezone, now),
            timezone,
            facts.LastBootTime,
            host.InstanceId,
            [.. installed.NewestFirst.Select(update => update.UpdateId)],
            facts.Hostname,
            facts.MachineId,
            facts.Battery
        );
    }

    /// <summary>For example <c>+01:00</c>; null when the zone's data are not installed beside HostAccess.</summary>
    private static string? OffsetOf(string timezone, DateTimeOffset now)
    {
        if (!TimeZoneInfo.TryFindSystemTimeZoneById(timezone, out var zone))
        {
            return null;
        }
        var offset = zone.GetUtcOffset(now);
        return (offset < TimeSpan.Zero ? "-" : "+") + offset.ToString(@"hh\:mm", CultureInfo.InvariantCulture);
    }

    private IEnumerable<string> EnabledVerbs()
    {
        if (configuration.Verbs.UpdateEnabled)
        {
            yield return UpdateVerbs.Name;
        }
        if (configuration.Verbs.RebootEnabled)
        {
            yield return RebootVerb.Name;
        }
        if (configuration.Time.Enabled)
        {
            yield return TimeVerb.Name;
        }
        if (configuration.FactoryReset.Enabled)
        {
            yield return FactoryResetVerb.Name;
        }
        if (configuration.Verbs.RootsEnabled)
        {
            yield return RootsVerb.Name;
        }
    }
}
