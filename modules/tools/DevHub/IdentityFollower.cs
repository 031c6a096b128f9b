using EdgeDm.DevHub.Broker;
using EdgeDm.DevHub.Identities;
using EdgeDm.DevHub.Nested;

namespace EdgeDm.DevHub;

/// <summary>Does what follows from a change of an identity: who may no longer connect is cut off, and who is gone leaves nothing.</summary>
internal sealed class IdentityFollower(HubParts parts, ConnectionTable connections)
{
    private readonly EdgeHierarchy hierarchy = new(parts.Identities, parts.Tokens);

    /// <summary>See <see cref="IdentityRegistry.Observe"/>.</summary>
    public void OnChanged(IdentityChange change)
    {
        FollowItself(change);
        foreach (var connection in connections.OnBehalf(change.Id))
        {
            var chain = connection.OnBehalf!;
            if (hierarchy.RefusalOf(chain) is { } refusal)
            {
                connection.Close(refusal);
            }
            else if (change.HasOtherKeys && (change.Id == chain.Signer || change.Id == chain.Actor))
            {
                connection.Close("the keys by which an edgeHub speaks for it were changed");
            }
        }
    }

    private void FollowItself(IdentityChange change)
    {
        switch (change)
        {
            case { After: null }:
                connections.Forget(change.Id, "its identity was deleted");
                parts.Twins.Remove(change.Id);
                if (change.Id.ModuleId is null)
                {
                    parts.CloudMessages.Purge(change.Id.DeviceId);
                }
                break;
            case { Before: null }:
                // A kill may have left these behind when an identity of this name was deleted.
                connections.Forget(change.Id, "its identity is new");
                parts.Twins.Remove(change.Id);
                break;
            case { After.Disabled: true }:
                const string Disabled = "its device was disabled";
                connections.Drop(change.Id, Disabled);
                foreach (var module in parts.Identities.Modules(change.Id.DeviceId))
                {
                    connections.Drop(module.Id, Disabled);
                }
                break;
            case { HasOtherKeys: true }:
                connections.Drop(change.Id, "its keys were changed");
                break;
        }
    }
}
