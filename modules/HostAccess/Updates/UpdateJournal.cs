using EdgeDm.Contracts;
using EdgeDm.Durable;
using Microsoft.Extensions.Logging;

namespace EdgeDm.HostAccess.Updates;

/// <summary>All updates that this host was ever told of, on disk and in memory; and waiting for their changes.</summary>
internal sealed class UpdateJournal
{
    /// <summary>
    /// Terminal records that are kept, so that their command ids never act again; some KB each. The oldest goes first.
    /// </summary>
    public const int MostRecords = 256;

    private static readonly Failpoint Written = new("host.update");

    private readonly DurableFolder<UpdateRecord> folder;
    private readonly TimeProvider time;
    private readonly Lock gate = new();
    private readonly Dictionary<string, UpdateRecord> records;
    private TaskCompletionSource changed = NewSignal();
    private long lastSequence;

    /// <summary>Reads the journal.</summary>
    public UpdateJournal(string path, TimeProvider time, ILogger logger)
    {
        folder = new(path, UpdateRecordJson.Default.UpdateRecord, Written, logger);
        this.time = time;
        records = folder.LoadAll().ToDictionary(record => record.CommandId, StringComparer.Ordinal);
        lastSequence = records.Values.Select(record => record.Sequence).DefaultIfEmpty().Max();
    }

    /// <summary>Those that are not terminal.</summary>
    public IReadOnlyList<UpdateRecord> Open
    {
        get
        {
            lock (gate)
            {
                return [.. records.Values.Where(record => !record.IsTerminal)];
            }
        }
    }

    /// <summary>Those that were committed, the oldest first.</summary>
    public IReadOnlyList<UpdateRecord> Committed
    {
        get
        {
            lock (gate)
            {
                return
                [
                    .. records
                        .Values.Where(record => record.State == HostUpdateState.Committed)
                        .OrderBy(record => record.Sequence)
                        .ThenBy(record => record.EndedAt),
                ];
            }
        }
    }

    public UpdateRecord? Find(string commandId)
    {
        lock (gate)
        {
            return records.GetValueOrDefault(commandId);
        }
    }

    /// <summary>The record, or <c>commandNotFound</c>.</summary>
    public UpdateRecord Get(string commandId) =>
        Find(commandId)
        ?? throw ErrorRegistry.CommandNotFound.Refusal(commandId, "No update with this command id was submitted.");

    /// <summary>Adds a record; on disk when this returns.</summary>
    public void Add(UpdateRecord record)
    {
        lock (gate)
        {
            var numbered = record with { Sequence = ++lastSequence };
            folder.Save(record.CommandId, numbered);
            records[record.CommandId] = numbered;
            while (records.Count > MostRecords && OldestTerminal() is { } oldest)
            {
                folder.Delete(oldest.CommandId);
                records.Remove(oldest.CommandId);
            }
        }
    }

    /// <summary>
    /// Changes a record; on disk when this returns, and untouched when saving fails. The change sees the newest state and may throw;
    /// returning what it got changes nothing.
    /// </summary>
    public UpdateRecord Change(string commandId, Func<UpdateRecord, UpdateRecord> change) =>
        Change(commandId, change, isDurable: true);

    /// <summary>Changes a record for its readers alone: progress, which the disk gets with the next change (flash wears).</summary>
    public void Tell(string commandId, Func<UpdateRecord, UpdateRecord> change) =>
        Change(commandId, change, isDurable: false);

    /// <summary>The record as soon as <paramref name="settled"/> holds for it, or as it is after <paramref name="wait"/> or when cancelled.</summary>
    public async Task<UpdateRecord> WaitAsync(
        string commandId,
        Func<UpdateRecord, bool> settled,
        TimeSpan wait,
        CancellationToken cancel
    )
    {
        var began = time.GetTimestamp();
        while (true)
        {
            UpdateRecord record;
            Task next;
            lock (gate)
            {
                record = Get(commandId);
                next = changed.Task;
            }
            var left = wait - time.GetElapsedTime(began);
            if (settled(record) || left <= TimeSpan.Zero)
            {
                return record;
            }
            try
            {
                await next.WaitAsync(left, time, cancel);
            }
            catch (Exception over) when (over is TimeoutException or OperationCanceledException)
            {
                return Get(commandId);
            }
        }
    }

    private UpdateRecord Change(string commandId, Func<UpdateRecord, UpdateRecord> change, bool isDurable)
    {
        TaskCompletionSource signal;
        UpdateRecord next;
        lock (gate)
        {
            var present = Get(commandId);
            next = change(present);
            if (next == present)
            {
                return present;
            }
            next = next with { Revision = present.Revision + 1 };
            if (isDurable)
            {
                folder.Save(commandId, next);
            }
            records[commandId] = next;
            (signal, changed) = (changed, NewSignal());
        }
        signal.SetResult();
        return next;
    }

    private UpdateRecord? OldestTerminal() =>
        records
            .Values.Where(record => record.IsTerminal)
            .OrderBy(record => record.Sequence)
            .ThenBy(record => record.EndedAt)
            .FirstOrDefault();

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
