using EdgeDm.DevHub.Broker;
using EdgeDm.DevHub.Identities;

namespace EdgeDm.DevHub;

/// <summary>Does what follows from a change of an identity: who may no longer connect is cut off, and who is gone leaves nothing.</summary>
internal sealed class IdentityFollower(HubParts parts, ConnectionTable connections)
{
    /// <summary>See <see cref="IdentityRegistry.Observe"/>.</summary>
    public void OnChanged(IdentityChange change)
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
                // A kill may have left it behind when an identity of this name was deleted.
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
            case { Before: { } before, After: { } after }
                when before.PrimaryKey != after.PrimaryKey || before.SecondaryKey != after.SecondaryKey:
                connections.Drop(change.Id, "its keys were changed");
                break;
        }
    }
}
