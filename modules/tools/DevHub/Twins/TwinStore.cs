using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeDm.DevHub.Identities;
using EdgeDm.Durable;
using Microsoft.Extensions.Logging;

namespace EdgeDm.DevHub.Twins;

/// <summary>What a service writes to a twin. Null = leave alone.</summary>
/// <param name="Tags">A patch, or the whole with <paramref name="Replace"/>.</param>
/// <param name="Desired">A patch, or the whole with <paramref name="Replace"/>.</param>
/// <param name="Replace">Replace instead of merge.</param>
/// <param name="IfMatch">Etag that the twin must have; null or <c>*</c> = any.</param>
public sealed record TwinWrite(JsonObject? Tags, JsonObject? Desired, bool Replace = false, string? IfMatch = null);

/// <summary>
/// Told of writes in the order of their versions, under the store's lock: take note and return, do not call the store.
/// </summary>
public interface ITwinObserver
{
    /// <summary>The service changed desired properties.</summary>
    /// <param name="twin">With the new desired properties and their version.</param>
    /// <param name="changed">Only what changed; null = removed. Not to be kept.</param>
    void OnDesiredChanged(Twin twin, JsonObject changed);

    /// <summary>A client's patch is about to be kept. When this throws, it is not.</summary>
    /// <param name="twin">With the new reported properties and their version.</param>
    /// <param name="patch">As the client sent it. Not to be kept.</param>
    void OnReporting(Twin twin, JsonObject patch) { }

    /// <summary>Anything of a twin was written, by whomever, and is kept.</summary>
    void OnWritten(HubIdentity id) { }
}

/// <summary>All twins, in memory and on disk (folder <c>twins</c>). Safe for use by many threads.</summary>
public sealed class TwinStore
{
    private static readonly Failpoint Saved = new("twin", removes: true);

    private readonly Lock gate = new();
    private readonly Dictionary<string, Twin> twins;
    private readonly List<ITwinObserver> observers = [];
    private readonly DurableFolder<Twin> folder;
    private readonly TimeProvider time;

    /// <summary>Loads every twin.</summary>
    public TwinStore(string dataFolder, ILogger logger, TimeProvider time)
    {
        this.time = time;
        folder = new(Path.Combine(dataFolder, "twins"), TwinJson.Default.Twin, Saved, logger);
        twins = folder.LoadAll().ToDictionary(t => t.Id.ToString(), StringComparer.Ordinal);
    }

    /// <summary>Tells an observer of every change of desired properties from now on.</summary>
    public void Observe(ITwinObserver observer)
    {
        lock (gate)
        {
            observers.Add(observer);
        }
    }

    /// <summary>The twin; an empty one for whom nothing was written yet.</summary>
    public Twin Get(HubIdentity id)
    {
        lock (gate)
        {
            return Find(id);
        }
    }

    /// <summary>
    /// Hands the twin to <paramref name="reader"/> before any later change is told to observers. It must return at once
    /// and not call the store.
    /// </summary>
    public void Read(HubIdentity id, Action<Twin> reader)
    {
        lock (gate)
        {
            reader(Find(id));
        }
    }

    /// <summary>Merges a client's patch; on disk when this returns.</summary>
    /// <exception cref="HubException">It breaks a limit; nothing was changed.</exception>
    public Twin Report(HubIdentity id, JsonObject patch)
    {
        TwinLimits.CheckContent(patch);
        if (Encoding.UTF8.GetByteCount(patch.ToJsonString()) > TwinLimits.PropertiesBytes)
        {
            throw new HubException(
                HubError.ArgumentInvalid,
                $"The patch is larger than {TwinLimits.PropertiesBytes} bytes."
            );
        }
        lock (gate)
        {
            var twin = Find(id);
            var reported = MergePatch.Apply(ObjectOf(twin.Reported.Properties), patch);
            TwinLimits.CheckSize(reported, TwinLimits.PropertiesBytes, "reported properties");
            var next = twin with
            {
                Version = twin.Version + 1,
                Reported = twin.Reported.Next(reported, patch, replace: false, isDesired: false, time.GetUtcNow()),
            };
            observers.ForEach(o => o.OnReporting(next, patch));
            Save(next);
            return next;
        }
    }

    /// <summary>Writes tags and desired properties; on disk when this returns, and subscribers told.</summary>
    /// <exception cref="HubException">The etag differs, or a limit is broken; nothing was changed.</exception>
    public Twin Write(HubIdentity id, TwinWrite write)
    {
        foreach (var part in new[] { write.Tags, write.Desired })
        {
            if (part is not null)
            {
                TwinLimits.CheckContent(part);
            }
        }
        lock (gate)
        {
            var twin = Find(id);
            if (write.IfMatch is not (null or "*") && write.IfMatch != twin.ETag)
            {
                throw new HubException(
                    HubError.PreconditionFailed,
                    $"The twin of '{id}' was changed meanwhile: its etag is not the one given in If-Match."
                );
            }
            var tags = Merged(ObjectOf(twin.Tags), write.Tags, write.Replace);
            TwinLimits.CheckSize(tags, TwinLimits.TagsBytes, "tags");
            var next = twin with
            {
                Version = twin.Version + 1,
                ServiceVersion = twin.ServiceVersion + 1,
                Tags = TwinSection.ElementOf(tags),
            };
            if (write.Desired is null)
            {
                Save(next);
                return next;
            }
            var before = ObjectOf(twin.Desired.Properties);
            var desired = Merged(before, write.Desired, write.Replace);
            TwinLimits.CheckSize(desired, TwinLimits.PropertiesBytes, "desired properties");
            next = next with
            {
                Desired = twin.Desired.Next(desired, write.Desired, write.Replace, isDesired: true, time.GetUtcNow()),
            };
            Save(next);
            var changed = MergePatch.Between(before, desired);
            observers.ForEach(o => o.OnDesiredChanged(next, changed));
            return next;
        }
    }

    /// <summary>Forgets a twin, on disk too: its device or module is gone.</summary>
    public void Remove(HubIdentity id)
    {
        lock (gate)
        {
            folder.Delete(FileNameOf(id));
            twins.Remove(id.ToString());
        }
    }

    private static JsonObject Merged(JsonObject before, JsonObject? written, bool replace) =>
        written is null ? before : MergePatch.Apply(replace ? [] : before, written);

    // Elements are safe to share between threads, nodes are not.
    private static JsonObject ObjectOf(JsonElement element) => JsonObject.Create(element)!;

    private Twin Find(HubIdentity id) =>
        twins.TryGetValue(id.ToString(), out var twin) ? twin : Twin.Empty(id, time.GetUtcNow());

    private void Save(Twin twin)
    {
        folder.Save(FileNameOf(twin.Id), twin);
        twins[twin.Id.ToString()] = twin;
        observers.ForEach(observer => observer.OnWritten(twin.Id));
    }

    private static string FileNameOf(HubIdentity id) =>
        RecordNames.Of("twin", id.ModuleId ?? id.DeviceId, id.ToString());
}
