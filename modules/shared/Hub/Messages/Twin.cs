using System.Text.Json;

namespace EdgeDm.Hub;

/// <summary>The twin as the hub had it when asked.</summary>
/// <param name="DesiredVersion">Desired <c>$version</c>.</param>
/// <param name="Desired">Desired properties, with the hub's <c>$version</c> and <c>$metadata</c>.</param>
/// <param name="Reported">Reported properties, likewise.</param>
public sealed record TwinSnapshot(long DesiredVersion, JsonElement Desired, JsonElement Reported);

/// <summary>The desired properties have changed.</summary>
/// <param name="Version">Desired <c>$version</c> after the change.</param>
/// <param name="Patch">A merge patch: null removes; may carry <c>$version</c>.</param>
public sealed record DesiredUpdate(long Version, JsonElement Patch);

/// <summary>One step of <see cref="IoTHubSession.WatchTwinAsync"/>: the whole twin, or what has changed since.</summary>
/// <param name="Version">Desired <c>$version</c> after the step.</param>
/// <param name="Full">The whole twin; null for a change.</param>
/// <param name="Update">The change; null for the whole.</param>
public sealed record TwinChange(long Version, TwinSnapshot? Full, DesiredUpdate? Update);
