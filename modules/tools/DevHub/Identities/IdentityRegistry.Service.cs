namespace EdgeDm.DevHub.Identities;

/// <content>What a service does by REST. All of it is on disk when it returns.</content>
public sealed partial class IdentityRegistry
{
    /// <summary>Makes an identity; an Edge device with its system modules.</summary>
    /// <exception cref="HubException">It exists, there are too many, or its device is not there.</exception>
    public Identity Create(IdentityWrite write)
    {
        lock (gate)
        {
            if (Find(write.Id) is not null)
            {
                throw AlreadyExists(write.Id);
            }
            var made = New(write);
            if (made.ModuleId is null)
            {
                RequireRoomForDevice();
                made = Placed(made, write, known: null);
            }
            else
            {
                _ = Find(new(made.DeviceId)) ?? throw NotFound(write.Id);
                RequireRoomForModules(made.DeviceId, [made.ModuleId]);
            }
            Identity[] all = made.IotEdge ? [made, .. SystemModulesOf(made.DeviceId)] : [made];
            Save(all);
            foreach (var identity in all)
            {
                Tell(new(null, identity));
            }
            return made;
        }
    }

    /// <summary>Changes what the write says, and keeps the rest.</summary>
    /// <exception cref="HubException">It is not there, or its etag is another.</exception>
    public Identity Update(IdentityWrite write, string? ifMatch)
    {
        lock (gate)
        {
            var known = Require(write.Id, ifMatch);
            if (known.IotEdge && write.IotEdge == false)
            {
                throw new HubException(
                    HubError.InvalidOperation,
                    $"'{known.Id}' is an IoT Edge device and stays one: delete it and make it anew."
                );
            }
            var disabled = write.Disabled ?? known.Disabled;
            var edge = write.IotEdge ?? known.IotEdge;
            var next = known with
            {
                PrimaryKey = write.Keys?.Primary ?? known.PrimaryKey,
                SecondaryKey = write.Keys?.Secondary ?? known.SecondaryKey,
                ManagedBy = write.ManagedBy ?? known.ManagedBy,
                Disabled = disabled,
                StatusReason = write.StatusReason ?? known.StatusReason,
                StatusUpdated = disabled == known.Disabled ? known.StatusUpdated : time.GetUtcNow(),
                IotEdge = edge,
                Revision = known.Revision + 1,
            };
            next = next.ModuleId is null ? Placed(next, write, known) : next;
            Identity[] made = edge && !known.IotEdge ? [.. SystemModulesOf(known.DeviceId)] : [];
            Save([next, .. made]);
            Tell(new(known, next));
            foreach (var module in made)
            {
                Tell(new(null, module));
            }
            return next;
        }
    }

    /// <summary>Removes an identity; a device with its modules.</summary>
    /// <exception cref="HubException">It is not there, its etag is another, or it may not go.</exception>
    public void Delete(HubIdentity id, string? ifMatch)
    {
        lock (gate)
        {
            var known = Require(id, ifMatch);
            if (id == new HubIdentity(DeviceId))
            {
                throw new HubException(
                    HubError.InvalidOperation,
                    $"'{id}' is the gateway that this dev hub plays, so it stays."
                );
            }
            Identity[] gone = id.ModuleId is null ? [.. Modules(id.DeviceId), known] : [known];
            Keep(identities.RemoveRange(gone.Select(i => i.Id.ToString())));
            foreach (var identity in gone)
            {
                Tell(new(identity, null));
            }
        }
    }

    /// <summary>Fails when the device would have too many modules with these.</summary>
    /// <exception cref="HubException"><see cref="HubError.TooManyModulesOnDevice"/>.</exception>
    public void RequireRoomForModules(string deviceId, IEnumerable<string> names)
    {
        var most = limits.MostModules;
        var count = Modules(deviceId).Select(m => m.ModuleId).Union(names, StringComparer.Ordinal).Count();
        if (count > most)
        {
            throw new HubException(
                HubError.TooManyModulesOnDevice,
                $"The device '{deviceId}' would have {count} modules, and {most} is the most."
            );
        }
    }

    /// <summary>The error of an identity that is not there: its device's, when that is not there either.</summary>
    public HubException NotFound(HubIdentity id) =>
        id.ModuleId is not null && Find(new(id.DeviceId)) is not null
            ? new(HubError.ModuleNotFound, $"The device '{id.DeviceId}' has no module '{id.ModuleId}'.")
            : new(HubError.DeviceNotFound, $"There is no device '{id.DeviceId}'.");

    private Identity Require(HubIdentity id, string? ifMatch)
    {
        var known = Find(id) ?? throw NotFound(id);
        if (SystemModules.Has(id.ModuleId))
        {
            throw new HubException(
                HubError.SystemModuleModifyUnauthorizedAccess,
                $"'{id}' is a system module: it comes and goes with its device."
            );
        }
        return ifMatch is null or "*" || ifMatch == known.ETag
            ? known
            : throw new HubException(
                HubError.PreconditionFailed,
                $"'{id}' was changed meanwhile: its etag is not the one given in If-Match."
            );
    }

    private void RequireRoomForDevice()
    {
        if (Devices().Count >= limits.MostDevices)
        {
            throw new HubException(
                HubError.TooManyDevices,
                $"There are {limits.MostDevices} devices, which is the most. Delete one first."
            );
        }
    }

    private IEnumerable<Identity> SystemModulesOf(string deviceId) =>
        SystemModules
            .Names.Select(name => new HubIdentity(deviceId, name))
            .Where(id => Find(id) is null)
            .Select(id => New(new(id)));

    private static HubException AlreadyExists(HubIdentity id) =>
        id.ModuleId is null
            ? new(HubError.DeviceAlreadyExists, $"There is a device '{id}' already.")
            : new(
                HubError.ModuleAlreadyExistsOnDevice,
                $"The device '{id.DeviceId}' has a module '{id.ModuleId}' already."
            );

    private void Tell(IdentityChange change) => observers.ForEach(tell => tell(change));
}
