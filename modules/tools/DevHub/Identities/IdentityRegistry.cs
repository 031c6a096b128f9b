using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using EdgeDm.Durable;
using Microsoft.Extensions.Logging;

namespace EdgeDm.DevHub.Identities;

/// <summary>
/// The devices and modules that may connect, with their keys, and the service's policy. Kept in
/// <c>identities.json</c>, readable by this user only. Safe for use by many threads.
/// </summary>
public sealed partial class IdentityRegistry
{
    private const int KeyBytes = 32;

    private static readonly Failpoint Saved = new("identities");

    private readonly Lock gate = new();
    private readonly DurableRecord<IdentityFile> record;
    private readonly TimeProvider time;
    private readonly IdentityLimits limits;
    private readonly List<Action<IdentityChange>> observers = [];
    private ImmutableSortedDictionary<string, Identity> identities;

    /// <summary>Loads the registry, or makes it with one gateway device and a policy.</summary>
    /// <param name="dataFolder">The hub's data folder.</param>
    /// <param name="deviceId">The gateway; made when missing.</param>
    /// <param name="logger">Told of a damaged file.</param>
    /// <param name="time">For the time of creation.</param>
    /// <param name="limits">How many there may be.</param>
    public IdentityRegistry(
        string dataFolder,
        string deviceId,
        ILogger logger,
        TimeProvider time,
        IdentityLimits? limits = null
    )
    {
        this.time = time;
        this.limits = limits ?? new();
        record = new(
            Path.Combine(dataFolder, "identities.json"),
            IdentityJson.Default.IdentityFile,
            Saved,
            logger,
            time: time
        );
        var loaded = record.Load();
        Owner = loaded?.Owner ?? new("iothubowner", NewKey());
        identities = (loaded?.Identities ?? []).ToImmutableSortedDictionary(
            i => i.Id.ToString(),
            i => i,
            StringComparer.Ordinal
        );
        DeviceId = deviceId;
        var gateway = Ensure(new(deviceId));
        if (!gateway.IotEdge)
        {
            Save([gateway with { IotEdge = true, DeviceScope = ScopeOf(gateway) }]);
        }
        foreach (var module in SystemModules.Names)
        {
            Ensure(new(deviceId, module));
        }
    }

    /// <summary>The gateway device that this dev hub plays.</summary>
    public string DeviceId { get; }

    /// <summary>The one policy of the service.</summary>
    public ServicePolicy Owner { get; }

    /// <summary>The identity, or null.</summary>
    public Identity? Find(HubIdentity id) => identities.GetValueOrDefault(id.ToString());

    /// <summary>All modules of a device, by name.</summary>
    public IReadOnlyList<Identity> Modules(string deviceId) =>
        [.. identities.Values.Where(i => i.DeviceId == deviceId && i.ModuleId is not null)];

    /// <summary>All modules of all devices, by name.</summary>
    public IReadOnlyList<Identity> Modules() => [.. identities.Values.Where(i => i.ModuleId is not null)];

    /// <summary>All devices, by name.</summary>
    public IReadOnlyList<Identity> Devices() => [.. identities.Values.Where(i => i.ModuleId is null)];

    /// <summary>True when neither it nor its device is disabled.</summary>
    public bool IsEnabled(Identity identity) =>
        !identity.Disabled && Find(new(identity.DeviceId)) is not { Disabled: true };

    /// <summary>The gateway's module of this name; made with new keys when missing.</summary>
    public Identity EnsureModule(string name) => Ensure(new(DeviceId, name));

    /// <summary>The identity; made with new keys when missing. On disk when this returns.</summary>
    /// <exception cref="ArgumentException">An id is not valid.</exception>
    public Identity Ensure(HubIdentity id)
    {
        if (!HubIdentity.IsValidId(id.DeviceId) || (id.ModuleId is not null && !HubIdentity.IsValidId(id.ModuleId)))
        {
            throw new ArgumentException($"'{id}' is not a valid device or module id.");
        }
        lock (gate)
        {
            if (Find(id) is { } known)
            {
                return known;
            }
            var made = New(new(id));
            Save([made]);
            return made;
        }
    }

    /// <summary>Tells an observer of every later change by a service, under the registry's lock: it must return at once.</summary>
    public void Observe(Action<IdentityChange> observer)
    {
        lock (gate)
        {
            observers.Add(observer);
        }
    }

    private Identity New(IdentityWrite write)
    {
        var now = time.GetUtcNow();
        return new(
            write.Id.DeviceId,
            write.Id.ModuleId,
            write.Keys?.Primary ?? NewKey(),
            write.Keys?.Secondary ?? NewKey(),
            // As IoT Hub's: a number in decimal digits that grows.
            (now.UtcTicks / 10).ToString(CultureInfo.InvariantCulture),
            write.ManagedBy,
            now,
            write.Disabled ?? false,
            write.StatusReason,
            IotEdge: write.IotEdge ?? false
        );
    }

    private void Save(IEnumerable<Identity> changed) =>
        Keep(identities.SetItems(changed.Select(i => KeyValuePair.Create(i.Id.ToString(), i))));

    private void Keep(ImmutableSortedDictionary<string, Identity> next)
    {
        record.Save(new([.. next.Values], Owner));
        identities = next;
    }

    private static string NewKey() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(KeyBytes));
}

/// <summary>A service made, changed or removed an identity.</summary>
/// <param name="Before">Null = it is new.</param>
/// <param name="After">Null = it is gone.</param>
public sealed record IdentityChange(Identity? Before, Identity? After)
{
    /// <summary>Whose.</summary>
    public HubIdentity Id => (After ?? Before)!.Id;

    /// <summary>True when a known identity has another key than before.</summary>
    public bool HasOtherKeys =>
        this is { Before: { } before, After: { } after }
        && (before.PrimaryKey != after.PrimaryKey || before.SecondaryKey != after.SecondaryKey);
}
