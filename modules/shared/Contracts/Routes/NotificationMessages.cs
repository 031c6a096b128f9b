using System.Collections.Immutable;
using System.Text.Json;

namespace EdgeDm.Contracts;

/// <summary>DeviceManagement tells Telemetry what to observe. The whole list each time; what is not in it is no longer observed.</summary>
public sealed record Observations(ImmutableArray<Observation> Resources);

/// <summary>One observed resource. Source of the terms: LwM2M notification attributes.</summary>
/// <param name="Resource">Seed name, for example <c>device/memoryFree</c>.</param>
/// <param name="MinPeriodSeconds">Not sent more often than this; null = the default, 300.</param>
/// <param name="MaxPeriodSeconds">Sent at least this often, changed or not; null = the default, 21,600.</param>
/// <param name="GreaterThan">Numeric: sent when crossed, either way.</param>
/// <param name="LessThan">Numeric: sent when crossed, either way.</param>
/// <param name="Step">Numeric: sent when it moved this far from the last value sent.</param>
public sealed record Observation(
    string Resource,
    double? MinPeriodSeconds = null,
    double? MaxPeriodSeconds = null,
    double? GreaterThan = null,
    double? LessThan = null,
    double? Step = null
);

/// <summary>All values that became due in the same second, at most 4 KB as JSON.</summary>
public sealed record Notification(ImmutableArray<ResourceValue> Values);

/// <summary>A resource's value.</summary>
/// <param name="Resource">Seed name.</param>
/// <param name="Value">A string, number or boolean as JSON.</param>
/// <param name="Time">When it was read, UTC.</param>
public sealed record ResourceValue(string Resource, JsonElement Value, DateTimeOffset Time);
