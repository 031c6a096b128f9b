namespace EdgeDm.DevHub.Identities;

/// <summary>
/// Decides whether a token lets a client in, as edgeHub does: the audience's host is the hub's or the gateway's, its ids
/// are the client's or its device's, the key is primary or secondary, the module's own or its device's.
/// </summary>
/// <param name="identities">Their keys.</param>
/// <param name="hubHostName">A host that audiences may name.</param>
/// <param name="gatewayHostName">Another.</param>
/// <param name="time">The clock.</param>
/// <param name="containerAddress">One more: where containers find the hub; null = there are none.</param>
public sealed class SasVerifier(
    IdentityRegistry identities,
    string hubHostName,
    string gatewayHostName,
    TimeProvider time,
    string? containerAddress = null
)
{
    /// <summary>A token lives this much longer than it says (edgeHub's <c>MaxClockSkew</c>).</summary>
    public static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(5);

    /// <summary>Checks the token of a device or module.</summary>
    /// <param name="client">Who it says it is.</param>
    /// <param name="text">The token.</param>
    /// <param name="ends">When the token is dead.</param>
    /// <returns>Null = let in; otherwise why not, without any part of the token.</returns>
    public string? RefusalOfClient(HubIdentity client, string? text, out DateTimeOffset ends)
    {
        ends = default;
        if (identities.Find(client) is not { } identity)
        {
            return "no such identity";
        }
        if (!identities.IsEnabled(identity))
        {
            return "its device is disabled";
        }
        if (!SasToken.TryParse(text, out var token))
        {
            return "the password is not a shared access signature";
        }
        ends = EndOf(token);
        if (ends < time.GetUtcNow())
        {
            return "its token has expired";
        }
        if (!NamesClient(token.Resource, client))
        {
            return "its token is for another audience";
        }
        return IsSigned(token, identity) ? null : "its token is signed by another key";
    }

    /// <summary>Checks a service's token.</summary>
    /// <returns>Null = let in; otherwise why not.</returns>
    public string? RefusalOfService(string? text)
    {
        if (!SasToken.TryParse(text, out var token))
        {
            return "the Authorization header is not a shared access signature";
        }
        if (EndOf(token) < time.GetUtcNow())
        {
            return "the token has expired";
        }
        if (!IsOurHost(token.Resource))
        {
            return "the token is for another audience";
        }
        return token.Policy == identities.Owner.Name && token.IsSignedBy(identities.Owner.Key)
            ? null
            : "the token is signed by another key";
    }

    private static DateTimeOffset EndOf(SasToken token) =>
        token.Expiry > DateTimeOffset.MaxValue - ClockSkew ? DateTimeOffset.MaxValue : token.Expiry + ClockSkew;

    private bool NamesClient(string resource, HubIdentity client)
    {
        var parts = resource.Split('/');
        if (parts.Length is not (3 or 5) || !IsOurHost(parts[0]) || !SameId(parts[1], "devices"))
        {
            return false;
        }
        // A token for the device serves its modules too.
        return SameId(parts[2], client.DeviceId)
            && (
                parts.Length == 3
                || (client.ModuleId is not null && SameId(parts[3], "modules") && SameId(parts[4], client.ModuleId))
            );
    }

    private bool IsSigned(SasToken token, Identity identity) =>
        token.IsSignedBy(identity.PrimaryKey)
        || token.IsSignedBy(identity.SecondaryKey)
        || (
            identity.ModuleId is not null
            && identities.Find(new(identity.DeviceId)) is { } device
            && (token.IsSignedBy(device.PrimaryKey) || token.IsSignedBy(device.SecondaryKey))
        );

    // The port is ours to choose, so connection strings may carry it and tokens then do.
    private bool IsOurHost(string host)
    {
        var colon = host.LastIndexOf(':');
        var name = colon < 0 ? host : host[..colon];
        return name.Equals(hubHostName, StringComparison.OrdinalIgnoreCase)
            || name.Equals(gatewayHostName, StringComparison.OrdinalIgnoreCase)
            || name.Equals(containerAddress, StringComparison.OrdinalIgnoreCase);
    }

    // C# encodes ids once more than Node does.
    private static bool SameId(string part, string id) =>
        part.Equals(id, StringComparison.OrdinalIgnoreCase)
        || Uri.UnescapeDataString(part).Equals(id, StringComparison.OrdinalIgnoreCase);
}
