using EdgeDm.Contracts;
using EdgeDm.Durable;
using EdgeDm.Objects;
using EdgeDm.Telemetry.Inventory;
using Microsoft.Extensions.Logging;

namespace EdgeDm.Telemetry.Observing;

/// <summary>What is to be observed: the last list that came, kept on disk, or the default.</summary>
internal sealed partial class ObservationList(
    DurableRecord<Observations> disk,
    TelemetryOptions options,
    ILogger logger
)
{
    /// <summary>Observed unless a list says otherwise.</summary>
    public static Observations Default { get; } = new([new(DeviceObject.MemoryFree), new(DeviceObject.CurrentTime)]);

    /// <summary>The list of the last run, or the default.</summary>
    public IReadOnlyDictionary<string, ObserveAttributes> Load()
    {
        try
        {
            return Read(disk.Load() ?? Default);
        }
        catch (EdgeDmException error)
        {
            // Kept by a version that allowed more; the next list from DeviceManagement replaces it.
            LogUnusable(logger, error.Error.Message);
            return Read(Default);
        }
    }

    /// <summary>Takes a new list; on disk when this returns.</summary>
    /// <exception cref="EdgeDmException">A period or threshold is out of range, or the list is too long: nothing changes.</exception>
    public IReadOnlyDictionary<string, ObserveAttributes> Replace(Observations list)
    {
        var observed = Read(list);
        disk.Save(list);
        return observed;
    }

    private Dictionary<string, ObserveAttributes> Read(Observations list)
    {
        if (list.Resources.Length > options.MaxObservations)
        {
            throw ErrorRegistry.TooLarge.Exception(
                Subsystems.Telemetry,
                "observations",
                $"The list names {list.Resources.Length} resources.",
                ("limit", options.MaxObservations.ToString(System.Globalization.CultureInfo.InvariantCulture))
            );
        }
        var observed = new Dictionary<string, ObserveAttributes>(StringComparer.Ordinal);
        foreach (var wish in list.Resources)
        {
            if (DeviceObject.Find(wish.Resource) is not { } resource || !InventoryResources.Holds(resource.Name))
            {
                LogUnknown(logger, wish.Resource); // A newer DeviceManagement may know more; the rest is still wanted.
                continue;
            }
            observed[resource.Name] = ObserveAttributes.From(
                wish,
                resource,
                DefaultsOf(resource),
                Subsystems.Telemetry
            );
        }
        return observed;
    }

    private ObserveAttributes DefaultsOf(Resource resource) =>
        ObserveAttributes.DefaultOf(resource) with
        {
            MinPeriod = options.MinPeriod,
            MaxPeriod = options.MaxPeriod,
        };

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Resource {Resource} is not observed: this module has none of this name"
    )]
    private static partial void LogUnknown(ILogger logger, string resource);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "The kept observations cannot be used, observing the default: {Reason}"
    )]
    private static partial void LogUnusable(ILogger logger, string reason);
}
