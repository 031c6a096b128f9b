using System.Collections.Immutable;
using System.Text.Json.Serialization;
using EdgeDm.Durable;
using EdgeDm.HostAccess.Hosts.Linux.Rauc;
using Microsoft.Extensions.Logging;

namespace EdgeDm.HostAccess.Updates.Handlers.Rauc;

/// <summary>What has to be known of a step after a kill or a start of the host.</summary>
/// <param name="Old">Name of the slot that ran when RAUC was first asked: the way back.</param>
/// <param name="Earlier">When the slots that can be booted had been installed by then; empty = never.</param>
/// <param name="Attempts">How often RAUC was asked.</param>
/// <param name="Target">Name of the slot that has the bundle; null until RAUC was done.</param>
internal sealed record RaucMemory(
    string Old,
    ImmutableSortedDictionary<string, string> Earlier,
    int Attempts = 0,
    string? Target = null
)
{
    /// <summary>As it is before RAUC is asked.</summary>
    public static RaucMemory Of(RaucSlots slots) =>
        new(
            slots.Booted.Name,
            slots
                .All.Where(slot => slot.IsBootable)
                .ToImmutableSortedDictionary(slot => slot.Name, slot => slot.Installed ?? "", StringComparer.Ordinal)
        );

    /// <summary>Slots that were installed since.</summary>
    public IEnumerable<string> Changed(RaucSlots slots) =>
        slots
            .All.Where(slot => Earlier.TryGetValue(slot.Name, out var earlier) && earlier != (slot.Installed ?? ""))
            .Select(slot => slot.Name);

    /// <summary>The slot that RAUC has installed: the one that changed, or, where RAUC keeps no status, the one that is booted next.</summary>
    public string? FindTarget(RaucSlots slots, string primary)
    {
        var changed = Changed(slots).ToList();
        return changed.Count == 1 ? changed[0]
            : primary != Old ? primary
            : null;
    }
}

/// <summary>The memory on disk, beside the step's files.</summary>
internal sealed class RaucRecord(string folder, ILogger logger)
{
    private readonly DurableRecord<RaucMemory> record = new(
        Path.Combine(folder, ".rauc.json"),
        RaucMemoryJson.Default.RaucMemory,
        failpoint: null,
        logger
    );

    public RaucMemory? Load() => record.Load();

    public void Save(RaucMemory memory) => record.Save(memory);
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull
)]
[JsonSerializable(typeof(RaucMemory))]
internal sealed partial class RaucMemoryJson : JsonSerializerContext;
