using EdgeDm.Hosting;
using EdgeDm.Objects;

namespace EdgeDm.Telemetry;

/// <summary>Every bound of the telemetry module.</summary>
public sealed record TelemetryOptions
{
    /// <summary>The defaults.</summary>
    public static TelemetryOptions Default { get; } = new();

    /// <summary>HostAccess's inventory socket.</summary>
    public string InventoryEndpoint { get; init; } = "unix:/run/edgedm/inventory/host-access.sock";

    /// <summary>Minimum period of resources observed without one of their own.</summary>
    public TimeSpan MinPeriod { get; init; } = ObserveAttributes.DefaultMinPeriod;

    /// <summary>Maximum period of resources observed without one of their own.</summary>
    public TimeSpan MaxPeriod { get; init; } = ObserveAttributes.DefaultMaxPeriod;

    /// <summary>The host is asked at least this often while something is observed; a threshold is noticed that late.</summary>
    public TimeSpan SampleInterval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>And not more often than this, however short the periods are.</summary>
    public TimeSpan LeastSampleInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>HostAccess answers from memory and the file system; longer means that it hangs.</summary>
    public TimeSpan InventoryTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Longest answer that is read.</summary>
    public int MaxInventoryBytes { get; init; } = 256 * 1024;

    /// <summary>Resources of one list.</summary>
    public int MaxObservations { get; init; } = 256;

    /// <summary>Reads what an operator may change.</summary>
    public static TelemetryOptions From(EnvironmentOptions environment)
    {
        var d = Default;
        var longest = ObserveAttributes.LongestPeriod.TotalSeconds;
        var options = d with
        {
            InventoryEndpoint = environment.Text("EDGEDM_INVENTORY_ENDPOINT", d.InventoryEndpoint),
            MinPeriod = environment.Seconds("EDGEDM_OBSERVE_MIN_SECONDS", d.MinPeriod.TotalSeconds, 0, longest),
            MaxPeriod = environment.Seconds(
                "EDGEDM_OBSERVE_MAX_SECONDS",
                d.MaxPeriod.TotalSeconds,
                ObserveAttributes.LeastMaxPeriod.TotalSeconds,
                longest
            ),
            SampleInterval = environment.Seconds(
                "EDGEDM_SAMPLE_SECONDS",
                d.SampleInterval.TotalSeconds,
                d.LeastSampleInterval.TotalSeconds,
                3_600
            ),
        };
        return options.MaxPeriod >= options.MinPeriod
            ? options
            : throw new MisconfiguredException(
                "EDGEDM_OBSERVE_MAX_SECONDS must not be shorter than EDGEDM_OBSERVE_MIN_SECONDS."
            );
    }
}
