using System.Collections.Immutable;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using EdgeDm.Contracts;
using EdgeDm.Durable;
using Microsoft.Extensions.Logging;

namespace EdgeDm.HostAccess.Verbs;

/// <summary>The commands of one verb that were accepted, on disk: for command ids and for the rate.</summary>
/// <typeparam name="TEntry">What is kept of one.</typeparam>
internal sealed class CommandLedger<TEntry>
    where TEntry : CommandEntry
{
    /// <summary>Entries that are kept; the oldest goes first. At the highest rate these are four hours' worth.</summary>
    public const int MostEntries = 256;

    private static readonly TimeSpan RateWindow = TimeSpan.FromHours(1);

    private readonly string verb;
    private readonly DurableFolder<TEntry> folder;
    private readonly TimeProvider time;
    private readonly Dictionary<string, TEntry> entries;
    private readonly Lock gate = new();
    private long lastSequence;

    /// <summary>Reads the ledger.</summary>
    /// <param name="verb">The verb's name, for refusals.</param>
    /// <param name="path">The ledger's folder.</param>
    /// <param name="type">How an entry is written.</param>
    /// <param name="written">Passed at every write.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Told of damaged entries.</param>
    public CommandLedger(
        string verb,
        string path,
        JsonTypeInfo<TEntry> type,
        Failpoint written,
        TimeProvider time,
        ILogger logger
    )
    {
        this.verb = verb;
        folder = new(path, type, written, logger);
        this.time = time;
        entries = folder.LoadAll().ToDictionary(entry => entry.CommandId, StringComparer.Ordinal);
        lastSequence = entries.Values.Select(entry => entry.Sequence).DefaultIfEmpty().Max();
    }

    public IReadOnlyList<TEntry> All
    {
        get
        {
            lock (gate)
            {
                return [.. entries.Values];
            }
        }
    }

    public TEntry? Find(string commandId)
    {
        lock (gate)
        {
            return entries.GetValueOrDefault(commandId);
        }
    }

    /// <summary>
    /// Throws <c>rateExceeded</c> when <paramref name="perHour"/> commands were accepted within the last hour. Within a host instance its
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
                verb,
                $"{recent} commands '{verb}' were accepted within the last hour and {perHour} are allowed.",
                ("perHour", perHour.ToString())
            );
        }
    }

    /// <summary>Adds an entry; on disk when this returns. Returns it with its place in the order.</summary>
    public TEntry Add(TEntry entry)
    {
        lock (gate)
        {
            var numbered = entry with { Sequence = ++lastSequence };
            Save(numbered);
            while (entries.Count > MostEntries)
            {
                var oldest = entries.Values.OrderBy(e => e.Sequence).ThenBy(e => e.AcceptedAt).First();
                folder.Delete(oldest.CommandId);
                entries.Remove(oldest.CommandId);
            }
            return numbered;
        }
    }

    /// <summary>Changes an entry; on disk when this returns. Returns the changed one.</summary>
    public TEntry Change(string commandId, Func<TEntry, TEntry> change)
    {
        lock (gate)
        {
            var changed = change(entries[commandId]);
            Save(changed);
            return changed;
        }
    }

    private void Save(TEntry entry)
    {
        folder.Save(entry.CommandId, entry);
        entries[entry.CommandId] = entry;
    }
}

/// <summary>A command that was accepted.</summary>
/// <param name="CommandId">Its id.</param>
/// <param name="AcceptedAt">UTC; for the rate.</param>
/// <param name="AcceptedUptime">The host's uptime then.</param>
/// <param name="AcceptedInstanceId">The host instance that accepted it.</param>
/// <param name="Sequence">Place in the order, which the clock does not tell; 0 in records of version 0.1.</param>
internal abstract record CommandEntry(
    string CommandId,
    DateTimeOffset AcceptedAt,
    TimeSpan AcceptedUptime,
    string AcceptedInstanceId,
    long Sequence
)
{
    /// <summary>What was asked for: a repeat asks for the same.</summary>
    [JsonIgnore]
    public abstract object Content { get; }
}

/// <summary>An accepted reboot.</summary>
/// <param name="CommandId">See <see cref="CommandEntry"/>.</param>
/// <param name="Reason">As given.</param>
/// <param name="DelaySeconds">As given.</param>
/// <param name="AcceptedAt">See <see cref="CommandEntry"/>.</param>
/// <param name="AcceptedUptime">See <see cref="CommandEntry"/>; the delay counts from it.</param>
/// <param name="AcceptedInstanceId">See <see cref="CommandEntry"/>.</param>
/// <param name="Sequence">See <see cref="CommandEntry"/>.</param>
internal sealed record RebootEntry(
    string CommandId,
    string Reason,
    int DelaySeconds,
    DateTimeOffset AcceptedAt,
    TimeSpan AcceptedUptime,
    string AcceptedInstanceId,
    long Sequence = 0
) : CommandEntry(CommandId, AcceptedAt, AcceptedUptime, AcceptedInstanceId, Sequence)
{
    [JsonIgnore]
    public override object Content => (Reason, DelaySeconds);
}

/// <summary>A factory reset that was accepted, and how far it is.</summary>
/// <param name="CommandId">See <see cref="CommandEntry"/>.</param>
/// <param name="Reason">As given.</param>
/// <param name="Hooks">Names of the hooks that were there then, in the order in which they run.</param>
/// <param name="NextHook">The first hook that has not ended well.</param>
/// <param name="Starts">How often that one was started.</param>
/// <param name="State">One of <see cref="FactoryResetStates"/>.</param>
/// <param name="RebootAttempts">How often the host was asked to restart.</param>
/// <param name="Error">Why it failed.</param>
/// <param name="AcceptedAt">See <see cref="CommandEntry"/>.</param>
/// <param name="AcceptedUptime">See <see cref="CommandEntry"/>.</param>
/// <param name="AcceptedInstanceId">See <see cref="CommandEntry"/>.</param>
/// <param name="RebootFrom">The instance that was asked to restart.</param>
/// <param name="Sequence">See <see cref="CommandEntry"/>.</param>
internal sealed record FactoryResetEntry(
    string CommandId,
    string Reason,
    ImmutableArray<string> Hooks,
    int NextHook,
    int Starts,
    string State,
    int RebootAttempts,
    ErrorObject? Error,
    DateTimeOffset AcceptedAt,
    TimeSpan AcceptedUptime,
    string AcceptedInstanceId,
    string? RebootFrom = null,
    long Sequence = 0
) : CommandEntry(CommandId, AcceptedAt, AcceptedUptime, AcceptedInstanceId, Sequence)
{
    [JsonIgnore]
    public override object Content => Reason;
}

/// <summary>A change of the clock that was accepted.</summary>
/// <param name="CommandId">See <see cref="CommandEntry"/>.</param>
/// <param name="Timezone">As given.</param>
/// <param name="Time">As given: the right time when the command was accepted.</param>
/// <param name="NtpEnabled">As given.</param>
/// <param name="Done">It was carried out, or failed with <paramref name="Error"/>.</param>
/// <param name="Error">Why it failed.</param>
/// <param name="AcceptedAt">See <see cref="CommandEntry"/>.</param>
/// <param name="AcceptedUptime">See <see cref="CommandEntry"/>; <paramref name="Time"/> counts from it.</param>
/// <param name="AcceptedInstanceId">See <see cref="CommandEntry"/>.</param>
/// <param name="Sequence">See <see cref="CommandEntry"/>.</param>
internal sealed record TimeEntry(
    string CommandId,
    string? Timezone,
    DateTimeOffset? Time,
    bool? NtpEnabled,
    bool Done,
    ErrorObject? Error,
    DateTimeOffset AcceptedAt,
    TimeSpan AcceptedUptime,
    string AcceptedInstanceId,
    long Sequence = 0
) : CommandEntry(CommandId, AcceptedAt, AcceptedUptime, AcceptedInstanceId, Sequence)
{
    [JsonIgnore]
    public override object Content => (Timezone, Time, NtpEnabled);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(RebootEntry))]
[JsonSerializable(typeof(FactoryResetEntry))]
[JsonSerializable(typeof(TimeEntry))]
internal sealed partial class CommandLedgerJson : JsonSerializerContext;
