namespace EdgeDm.DevHub.Identities;

/// <content>
/// Which device is below which: each Edge device spans a scope, and whoever is in it is below that device (IoT Hub's documentation, "Create a
/// gateway hierarchy").
/// </content>
public sealed partial class IdentityRegistry
{
    private const string ScopePrefix = "ms-azure-iot-edge://";

    /// <summary>The Edge device that spans this scope, or null.</summary>
    public Identity? EdgeOf(string? scope)
    {
        if (scope is null || !scope.StartsWith(ScopePrefix, StringComparison.Ordinal))
        {
            return null;
        }
        var end = scope.LastIndexOf('-');
        return end > ScopePrefix.Length && Find(new(scope[ScopePrefix.Length..end])) is { IotEdge: true } edge
            ? edge.DeviceScope == scope
                ? edge
                : null
            : null;
    }

    /// <summary>A module's device; a device's Edge device above it, if it has one.</summary>
    public Identity? Above(Identity identity) =>
        identity.ModuleId is null ? EdgeOf(identity.ScopeAbove) : Find(new(identity.DeviceId));

    /// <summary>An Edge device, its modules, and the devices right below it, in the order of their names.</summary>
    /// <param name="edge">Which.</param>
    /// <param name="after">Begins behind this name; null = from the first.</param>
    public IEnumerable<Identity> InScope(Identity edge, string? after) =>
        identities
            .Where(i => after is null || string.CompareOrdinal(i.Key, after) > 0)
            .Select(i => i.Value)
            .Where(i =>
                i.DeviceId == edge.DeviceId
                || (i.ModuleId is null && i.ScopeAbove is { } scope && scope == edge.DeviceScope)
            );

    // As IoT Hub names it.
    private static string ScopeOf(Identity edge) => $"{ScopePrefix}{edge.DeviceId}-{edge.GenerationId}";

    // The device with its own scope, if it is an Edge device, and below whom the write says.
    private Identity Placed(Identity device, IdentityWrite write, Identity? known)
    {
        var above = device.IotEdge
            ? write.ParentScope ?? known?.ScopeAbove
            : write.DeviceScope ?? (write.ParentScope is { Length: > 0 } parent ? parent : known?.ScopeAbove);
        above = above is { Length: > 0 } ? above : null;
        var placed = device.IotEdge
            ? device with
            {
                DeviceScope = known is { IotEdge: true } ? known.DeviceScope : ScopeOf(device),
                ParentScope = above,
            }
            : device with
            {
                DeviceScope = above,
            };
        if (above is not null && (above != known?.ScopeAbove || device.IotEdge != known.IotEdge))
        {
            RequirePlace(placed, above);
        }
        return placed;
    }

    private void RequirePlace(Identity device, string above)
    {
        var edge =
            EdgeOf(above)
            ?? throw new HubException(
                HubError.ArgumentInvalid,
                $"'{above}' is the scope of no IoT Edge device. Take the parent's 'deviceScope'."
            );
        var nested = device.IotEdge ? 1 : 0;
        for (var next = edge; next is not null; next = Above(next))
        {
            if (next.DeviceId == device.DeviceId)
            {
                throw new HubException(HubError.ArgumentInvalid, $"'{device.Id}' would be above itself.");
            }
            if (++nested > limits.MostNested)
            {
                throw new HubException(
                    HubError.ArgumentInvalid,
                    $"'{device.Id}' cannot be below '{edge.Id}': {limits.MostNested} IoT Edge devices one below the other are the most."
                );
            }
        }
    }
}
