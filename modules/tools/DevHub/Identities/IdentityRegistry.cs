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
public sealed class IdentityRegistry
{
    private const int KeyBytes = 32;

    private readonly Lock gate = new();
    private readonly DurableRecord<IdentityFile> record;
    private readonly TimeProvider time;
    private ImmutableSortedDictionary<string, Identity> identities;

    /// <summary>Loads the registry, or makes it with one gateway device and a policy.</summary>
    /// <param name="dataFolder">The hub's data folder.</param>
    /// <param name="deviceId">The gateway; made when missing.</param>
    /// <param name="logger">Told of a damaged file.</param>
    /// <param name="time">For the time of creation.</param>
    public IdentityRegistry(string dataFolder, string deviceId, ILogger logger, TimeProvider time)
    {
        this.time = time;
        record = new(
            Path.Combine(dataFolder, "identities.json"),
            IdentityJson.Default.IdentityFile,
            failpoint: null,
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
        Ensure(new(deviceId));
        Ensure(new(deviceId, "$edgeAgent"));
        Ensure(new(deviceId, "$edgeHub"));
    }

    /// <summary>The gateway device, of which every module is one.</summary>
    public string DeviceId { get; }

    /// <summary>The one policy of the service.</summary>
    public ServicePolicy Owner { get; }

    /// <summary>The identity, or null.</summary>
    public Identity? Find(HubIdentity id) => identities.GetValueOrDefault(id.ToString());

    /// <summary>All modules of a device, by name.</summary>
    public IReadOnlyList<Identity> Modules(string deviceId) =>
        [.. identities.Values.Where(i => i.DeviceId == deviceId && i.ModuleId is not null)];

    /// <summary>All devices, by name.</summary>
    public IReadOnlyList<Identity> Devices() => [.. identities.Values.Where(i => i.ModuleId is null)];

    /// <summary>The gateway's module of this name; made with new keys when missing.</summary>
    public Identity EnsureModule(string name) => Ensure(new(DeviceId, name));

    /// <summary>The identity; made with new keys when missing. On disk when this returns.</summary>
    /// <exception cref="ArgumentException">An id is not valid.</exception>
    public Identity Ensure(HubIdentity id, string? managedBy = null)
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
            var now = time.GetUtcNow();
            var made = new Identity(
                id.DeviceId,
                id.ModuleId,
                NewKey(),
                NewKey(),
                // As IoT Hub's: a number in decimal digits that grows.
                (now.UtcTicks / 10).ToString(CultureInfo.InvariantCulture),
                managedBy,
                now
            );
            var next = identities.Add(id.ToString(), made);
            record.Save(new([.. next.Values], Owner));
            identities = next;
            return made;
        }
    }

    private static string NewKey() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(KeyBytes));
}
