using System.Text.Json.Serialization;
using EdgeDm.Contracts;
using EdgeDm.Durable;
using Microsoft.Extensions.Logging;

namespace EdgeDm.HostAccess.Verbs;

/// <summary>Every reboot that was accepted, on disk: for command ids and for the rate.</summary>
internal sealed class RebootLedger
{
    /// <summary>Entries that are kept; the oldest goes first. At the highest rate these are four hours' worth.</summary>
    public const int MostEntries = 256;

    private static readonly TimeSpan RateWindow = TimeSpan.FromHours(1);

    private static readonly Failpoint Written = new("host.reboot");

    private readonly DurableFolder<RebootEntry> folder;
    private readonly TimeProvider time;
    private readonly Dictionary<string, RebootEntry> entries;
    private readonly Lock gate = new();
    private long lastSequence;

    /// <summary>Reads the ledger.</summary>
    public RebootLedger(string path, TimeProvider time, ILogger logger)
    {
        folder = new(path, RebootLedgerJson.Default.RebootEntry, Written, logger);
        this.time = time;
        entries = folder.LoadAll().ToDictionary(entry => entry.CommandId, StringComparer.Ordinal);
        lastSequence = entries.Values.Select(entry => entry.Sequence).DefaultIfEmpty().Max();
    }

    public IReadOnlyList<RebootEntry> All
    {
        get
        {
            lock (gate)
            {
                return [.. entries.Values];
            }
        }
    }

    public RebootEntry? Find(string commandId)
    {
        lock (gate)
        {
            return entries.GetValueOrDefault(commandId);
        }
    }

    /// <summary>
    /// Throws <c>rateExceeded</c> when <paramref name="perHour"/> reboots were accepted within the last hour. Within a host instance its
    /// uptime counts. One of an earlier instance counts in the host's first hour only, and then by the clock: one that seems to lie in
    /// the future counts, so that setting the clock back opens no door, and closes none for longer than an hour.
    /// </summary>
    public void RequireRate(int perHour, string instanceId, TimeSpan uptime)
    {
        var now = time.GetUtcNow();
        var recent = All.Count(entry =>
            entry.AcceptedInstanceId == instanceId
                ? uptime - entry.AcceptedUptime < RateWindow
                : uptime < RateWindow && now - entry.AcceptedAt < RateWindow
        );
        if (recent >= perHour)
        {
            throw ErrorRegistry.RateExceeded.Refusal(
                RebootVerb.Name,
                $"{recent} reboots were accepted within the last hour and {perHour} are allowed.",
                ("perHour", perHour.ToString())
            );
        }
    }

    /// <summary>Adds an entry; on disk when this returns.</summary>
    public void Add(RebootEntry entry)
    {
        lock (gate)
        {
            var numbered = entry with { Sequence = ++lastSequence };
            folder.Save(entry.CommandId, numbered);
            entries[entry.CommandId] = numbered;
            while (entries.Count > MostEntries)
            {
                var oldest = entries.Values.OrderBy(e => e.Sequence).ThenBy(e => e.AcceptedAt).First();
                folder.Delete(oldest.CommandId);
                entries.Remove(oldest.CommandId);
            }
        }
    }
}

/// <summary>An accepted reboot.</summary>
/// <param name="CommandId">Its id.</param>
/// <param name="Reason">As given.</param>
/// <param name="DelaySeconds">As given.</param>
/// <param name="AcceptedAt">UTC; for the rate.</param>
/// <param name="AcceptedUptime">The host's uptime; for the delay.</param>
/// <param name="AcceptedInstanceId">The host instance that accepted it.</param>
/// <param name="Sequence">Place in the order, which the clock does not tell; 0 in records of version 0.1.</param>
internal sealed record RebootEntry(
    string CommandId,
    string Reason,
    int DelaySeconds,
    DateTimeOffset AcceptedAt,
    TimeSpan AcceptedUptime,
    string AcceptedInstanceId,
    long Sequence = 0
);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(RebootEntry))]
internal sealed partial class RebootLedgerJson : JsonSerializerContext;
