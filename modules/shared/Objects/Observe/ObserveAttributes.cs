using EdgeDm.Contracts;

namespace EdgeDm.Objects;

/// <summary>When a resource's value is told (LwM2M 1.1, 5.1.2 and 7.3.2).</summary>
/// <param name="MinPeriod">Not more often than this.</param>
/// <param name="MaxPeriod">At least this often, changed or not; ignored when shorter than <paramref name="MinPeriod"/>.</param>
/// <param name="GreaterThan">Numeric: told when the value crosses it, either way.</param>
/// <param name="LessThan">Numeric: told when the value crosses it, either way.</param>
/// <param name="Step">Numeric: told when the value is this far from the last one told.</param>
/// <remarks>With any of the last three, a change alone is not told before <paramref name="MaxPeriod"/>.</remarks>
public sealed record ObserveAttributes(
    TimeSpan MinPeriod,
    TimeSpan MaxPeriod,
    double? GreaterThan = null,
    double? LessThan = null,
    double? Step = null
)
{
    /// <summary>Minimum period of the 2016 service: five minutes.</summary>
    public static readonly TimeSpan DefaultMinPeriod = TimeSpan.FromSeconds(300);

    /// <summary>Minimum period of the firmware update's resources, which change often during a job.</summary>
    public static readonly TimeSpan FirmwareMinPeriod = TimeSpan.FromSeconds(30);

    /// <summary>Maximum period of the 2016 service: six hours.</summary>
    public static readonly TimeSpan DefaultMaxPeriod = TimeSpan.FromSeconds(21_600);

    /// <summary>Shortest maximum period; the engine works in whole seconds.</summary>
    public static readonly TimeSpan LeastMaxPeriod = TimeSpan.FromSeconds(1);

    /// <summary>Longest period of either kind: a year.</summary>
    public static readonly TimeSpan LongestPeriod = TimeSpan.FromDays(366);

    private const string FirmwareObject = "/5/";

    /// <summary>The defaults of a resource.</summary>
    public static ObserveAttributes DefaultOf(Resource resource) =>
        new(
            resource.Path.StartsWith(FirmwareObject, StringComparison.Ordinal) ? FirmwareMinPeriod : DefaultMinPeriod,
            DefaultMaxPeriod
        );

    /// <summary>A message's wish over the defaults.</summary>
    /// <exception cref="EdgeDmException"><c>invalidValue</c>: a period out of range, or thresholds that LwM2M forbids.</exception>
    public static ObserveAttributes From(
        Observation wish,
        Resource resource,
        ObserveAttributes defaults,
        string subsystem
    )
    {
        var attributes = new ObserveAttributes(
            Period(wish.MinPeriodSeconds, nameof(wish.MinPeriodSeconds), TimeSpan.Zero) ?? defaults.MinPeriod,
            Period(wish.MaxPeriodSeconds, nameof(wish.MaxPeriodSeconds), LeastMaxPeriod) ?? defaults.MaxPeriod,
            wish.GreaterThan,
            wish.LessThan,
            wish.Step
        );
        if (attributes.HasConditions && !resource.IsNumeric)
        {
            throw Invalid("Thresholds and a step need a numeric resource.");
        }
        // LwM2M 1.1, 7.3.2: "lt" + 2 * "st" < "gt".
        if (attributes.Step is <= 0 || attributes.LessThan + 2 * (attributes.Step ?? 0) >= attributes.GreaterThan)
        {
            throw Invalid("step must be above 0 and lessThan + 2 * step below greaterThan.");
        }
        return attributes;

        TimeSpan? Period(double? seconds, string name, TimeSpan least) =>
            seconds is not { } given ? null
            : given >= least.TotalSeconds && given <= LongestPeriod.TotalSeconds ? TimeSpan.FromSeconds(given)
            : throw Invalid($"{name} must be from {least.TotalSeconds} to {LongestPeriod.TotalSeconds}.");

        EdgeDmException Invalid(string what) =>
            ErrorRegistry.InvalidValue.Exception(subsystem, $"observations.{resource.Name}", what);
    }

    /// <summary>Something other than a plain change decides.</summary>
    internal bool HasConditions => GreaterThan is not null || LessThan is not null || Step is not null;
}
