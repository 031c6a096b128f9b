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
    VerbOptions verbs,
    FactoryResetOptions factoryReset,
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
            verbs.UpdateEnabled ? handlers.Names : [],
            HostApiVersion.Current.ToString(),
            caller.ToString()
        );

    public HostInventory Inventory()
    {
        var facts = host.Read();
        var partition = new DriveInfo(dataFolder);
        var now = time.GetUtcNow();
        var offset = time.LocalTimeZone.GetUtcOffset(now);
        return new(
            facts.Manufacturer,
            facts.Model,
            facts.SerialNumber,
            facts.HardwareVersion,
            facts.FirmwareVersion,
            partition.AvailableFreeSpace / BytesPerUnit,
            partition.TotalSize / BytesPerUnit,
            now,
            (offset < TimeSpan.Zero ? "-" : "+") + offset.ToString(@"hh\:mm", CultureInfo.InvariantCulture),
            time.LocalTimeZone.Id,
            facts.LastBootTime,
            host.InstanceId,
            [.. installed.NewestFirst.Select(update => update.UpdateId)]
        );
    }

    private IEnumerable<string> EnabledVerbs()
    {
        if (verbs.UpdateEnabled)
        {
            yield return UpdateVerbs.Name;
        }
        if (verbs.RebootEnabled)
        {
            yield return RebootVerb.Name;
        }
        if (factoryReset.Enabled)
        {
            yield return FactoryResetVerb.Name;
        }
    }
}
