using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeDm.Durable;
using EdgeDm.Hosting;
using Microsoft.Extensions.Logging;

namespace EdgeDm.ModuleHost;

/// <summary>
/// What the module wants reported, on disk, and what the hub is known to have. The hub's own copy, asked for at each connect, is
/// what the next patch is measured against: nothing that was lost on the way stays lost, and nothing is sent twice.
/// </summary>
internal sealed partial class ReportedProperties
{
    /// <summary>Most reports remembered as belonging together while the hub is away.</summary>
    private const int MaxGroups = 64;

    private static readonly Failpoint Written = new("reported");

    private readonly DurableRecord<WantedProperties> record;
    private readonly Lock gate = new();
    private readonly JsonObject wanted;
    private readonly HashSet<string> removed;
    private readonly HashSet<string> refused = [];
    private readonly HashSet<string> suspect = [];
    private readonly List<string[]> groups = [];
    private readonly AsyncAutoResetEvent changed = new();
    private readonly ILogger logger;
    private JsonObject? known;
    private bool isUnsaved;

    /// <summary>Finds what an earlier process wanted.</summary>
    public ReportedProperties(HubModuleOptions options)
    {
        logger = options.LoggerFactory.CreateLogger<ReportedProperties>();
        record = new(
            Path.Combine(options.DataFolder, "reported.json"),
            ModuleHostJson.Default.WantedProperties,
            Written,
            logger,
            time: options.TimeProvider
        );
        var found = record.Load();
        wanted = found?.Values ?? [];
        removed = [.. found?.Removed ?? []];
    }

    /// <summary>
    /// Takes a report; on disk when this returns, unless nothing changes. A full disk does not silence the module, for that is what
    /// has to be told: the report is then in memory only until the disk takes it.
    /// </summary>
    /// <exception cref="ArgumentException">A value breaks one of <see cref="ReportLimits"/>; nothing of the report is taken.</exception>
    public void Want(IReadOnlyDictionary<string, JsonNode?> properties)
    {
        var parsed = properties.ToDictionary(p => p.Key, p => Normalise(p.Key, p.Value));
        lock (gate)
        {
            var differs = false;
            foreach (var (name, value) in parsed)
            {
                differs |= value is null ? Remove(name) : Set(name, value);
            }
            if (!differs)
            {
                return;
            }
            Group([.. parsed.Keys.Order(StringComparer.Ordinal)]);
            Save();
        }
        changed.Set();
    }

    /// <summary>The hub has this.</summary>
    public void Learn(JsonElement reported)
    {
        var learnt = new JsonObject();
        if (reported.ValueKind == JsonValueKind.Object)
        {
            foreach (var property in reported.EnumerateObject().Where(p => !p.Name.StartsWith('$')))
            {
                learnt[property.Name] = JsonNode.Parse(property.Value.GetRawText());
            }
        }
        lock (gate)
        {
            known = learnt;
        }
        changed.Set();
    }

    /// <summary>The connection has ended: what the hub has is no longer known, and what it refused may be tried again.</summary>
    public void Forget()
    {
        lock (gate)
        {
            known = null;
            refused.Clear();
            suspect.Clear();
        }
    }

    /// <summary>Waits until something was wanted or learnt.</summary>
    public ValueTask WaitAsync(CancellationToken cancellationToken) => changed.WaitAsync(cancellationToken);

    /// <summary>
    /// The next patch, or null when the hub has all it should or has not yet told what it has. One patch for everything if it
    /// fits; else as many reports as fit, each whole; a report that does not fit alone goes property by property.
    /// </summary>
    public JsonObject? NextPatch()
    {
        lock (gate)
        {
            var names = known is null ? [] : Different();
            if (names.Count == 0)
            {
                return null;
            }
            var trusted = names.Where(name => !suspect.Contains(name)).ToHashSet();
            return trusted.Count == 0 ? Patch([names.First()])
                : Fitting(trusted) is { } all ? all
                : Pack(trusted);
        }
    }

    /// <summary>The hub has taken the patch.</summary>
    public void Accepted(JsonObject patch)
    {
        lock (gate)
        {
            if (known is null)
            {
                return;
            }
            MergePatch.Apply(known, patch);
            if (Different().Count == 0)
            {
                groups.Clear();
            }
            suspect.ExceptWith(patch.Select(p => p.Key));
            var gone = removed.RemoveWhere(name => patch.ContainsKey(name) && !known.ContainsKey(name));
            if (gone > 0 || isUnsaved)
            {
                Save();
            }
        }
    }

    /// <summary>
    /// The hub will never take this patch. Of several properties each is tried alone, so that one does not hold back the others;
    /// one alone is not tried again before it, or the connection, changes.
    /// </summary>
    public void Refused(JsonObject patch)
    {
        lock (gate)
        {
            (patch.Count > 1 ? suspect : refused).UnionWith(patch.Select(p => p.Key));
        }
    }

    private void Save()
    {
        try
        {
            record.Save(new(wanted, [.. removed]));
            isUnsaved = false;
        }
        catch (IOException error)
        {
            isUnsaved = true; // The next report, or the hub's word for one, tries again.
            LogNotKept(logger, error);
        }
    }

    private HashSet<string> Different() =>
        [
            .. wanted
                .Where(p => !refused.Contains(p.Key) && Diff(p.Key) is not null)
                .Select(p => p.Key)
                .Concat(removed.Where(name => !refused.Contains(name) && known!.ContainsKey(name))),
        ];

    /// <summary>As many reports as one patch holds, those told first before others.</summary>
    private JsonObject Pack(HashSet<string> names)
    {
        var whole = groups
            .Select(group => group.Where(names.Contains).ToHashSet())
            .Where(unit => unit.Count > 0 && Fitting(unit) is not null)
            .ToArray();
        var alone = names
            .Where(name => !whole.Any(unit => unit.Contains(name)))
            .Select(name => new HashSet<string> { name });
        HashSet<string> chosen = [];
        JsonObject? patch = null;
        foreach (var unit in whole.Concat(alone))
        {
            if (Fitting([.. chosen, .. unit]) is { } larger)
            {
                chosen.UnionWith(unit);
                patch = larger;
            }
        }
        return patch ?? Patch([names.First()]); // One property alone is too large: let the hub be the judge.
    }

    /// <summary>These properties' patch, or null when it is too large.</summary>
    private JsonObject? Fitting(HashSet<string> names)
    {
        var patch = Patch(names);
        return Size(patch) <= ReportLimits.MaxPatchBytes ? patch : null;
    }

    private JsonObject Patch(IEnumerable<string> names)
    {
        var patch = new JsonObject();
        foreach (var name in names)
        {
            if (removed.Contains(name))
            {
                patch[name] = null;
            }
            else if (Diff(name) is { } part)
            {
                patch[name] = part[name]?.DeepClone();
            }
        }
        return patch;
    }

    private JsonObject? Diff(string name) => MergePatch.Diff(Only(known!, name), Only(wanted, name));

    private static JsonObject Only(JsonObject source, string name)
    {
        var only = new JsonObject();
        if (source[name] is { } value)
        {
            only[name] = value.DeepClone();
        }
        return only;
    }

    private static int Size(JsonObject patch) =>
        JsonSerializer.SerializeToUtf8Bytes(patch, ModuleHostJson.Default.JsonObject).Length;

    private void Group(string[] names)
    {
        groups.RemoveAll(group => group.SequenceEqual(names));
        groups.Add(names);
        if (groups.Count > MaxGroups)
        {
            groups.RemoveAt(0);
        }
    }

    private bool Remove(string name)
    {
        // Wanted or not: an earlier version of this module may have reported it.
        refused.Remove(name);
        var was = wanted.Remove(name);
        return removed.Add(name) || was;
    }

    private bool Set(string name, JsonNode value)
    {
        var was = removed.Remove(name);
        if (JsonNode.DeepEquals(wanted[name], value))
        {
            return was;
        }
        refused.Remove(name);
        wanted[name] = value;
        return true;
    }

    /// <summary>Checked, parsed and without nulls in objects: what the hub would have.</summary>
    private static JsonNode? Normalise(string name, JsonNode? value)
    {
        if (value is null)
        {
            return null;
        }
        var element = JsonElement.Parse(value.ToJsonString());
        ReportLimits.Check(name, element);
        return MergePatch.WithoutNulls(JsonNode.Parse(element.GetRawText())!);
    }

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "Reported properties cannot be written to disk; they are told from memory until they can"
    )]
    private static partial void LogNotKept(ILogger logger, Exception error);
}

/// <summary>The wanted reported properties on disk.</summary>
/// <param name="Values">Those with a value.</param>
/// <param name="Removed">Those that must go and that the hub may still have.</param>
internal sealed record WantedProperties(JsonObject Values, string[] Removed);
