using EdgeDm.DevHub.Identities;

namespace EdgeDm.DevHub.Nested;

/// <summary>Decides who may speak for whom: an edgeHub for its device's modules, and for all that is below its device.</summary>
internal sealed class EdgeHierarchy(IdentityRegistry identities, SasVerifier tokens)
{
    /// <summary>Checks a client that connects itself, or for which an edgeHub does.</summary>
    /// <param name="client">Who it is.</param>
    /// <param name="chain">By which way an edgeHub speaks for it; null = nobody does.</param>
    /// <param name="token">Its own token, or that of the edgeHub.</param>
    /// <param name="ends">When the token is dead.</param>
    /// <returns>Null = let in; otherwise why not, without any part of the token.</returns>
    public string? RefusalOf(HubIdentity client, AuthChain? chain, string? token, out DateTimeOffset ends)
    {
        var own = tokens.RefusalOfClient(client, token, out ends);
        if (chain is null)
        {
            return own;
        }
        return chain.Target != client ? $"the auth chain '{chain}' is not its own"
            : RefusalOf(chain) is { } wrong ? wrong
            : own is null ? null
            : tokens.RefusalOfClient(chain.Signer, token, out ends);
    }

    /// <summary>Checks that each name of a chain is there, enabled, and right below the next one.</summary>
    /// <returns>Null = it is as the chain says; otherwise what is not.</returns>
    public string? RefusalOf(AuthChain chain)
    {
        Identity? below = null;
        foreach (var link in chain.Links)
        {
            if (identities.Find(link) is not { } identity)
            {
                return $"'{link}' in the auth chain is not there";
            }
            if (!identities.IsEnabled(identity))
            {
                return $"'{link}' in the auth chain is disabled";
            }
            if (below is not null && identities.Above(below)?.Id != link)
            {
                return $"'{below.Id}' is not right below '{link}'";
            }
            below = identity;
        }
        return below is { IotEdge: true } ? null : $"'{chain.Actor}' is no IoT Edge device";
    }

    /// <summary>True when the identity is the device, or below it in any number of steps.</summary>
    public bool IsWithin(Identity identity, HubIdentity device)
    {
        var at = identity;
        for (var steps = 0; at is not null && steps < AuthChain.MostLinks; steps++)
        {
            if (at.Id == device)
            {
                return true;
            }
            at = identities.Above(at);
        }
        return false;
    }
}
