using System.Collections.Immutable;
using EdgeDm.Contracts;

namespace EdgeDm.DeviceManagement.Jobs;

/// <summary>A live job: its record, what is only in memory, and its cancellation.</summary>
internal sealed class Job : IDisposable
{
    private readonly Lock gate = new();
    private readonly JobStore store;
    private readonly CancellationTokenSource cancellation = new();
    private JobRecord record;
    private int percent;
    private ErrorObject? trouble;

    /// <summary>Takes over a record that is on disk.</summary>
    public Job(JobStore store, JobRecord record)
    {
        this.store = store;
        this.record = record;
        if (record.CancelRequested)
        {
            cancellation.Cancel();
        }
    }

    /// <summary>The record as last saved, with progress that is only in memory.</summary>
    public JobRecord Record
    {
        get
        {
            lock (gate)
            {
                return record;
            }
        }
    }

    /// <summary>Signalled when somebody asked to cancel.</summary>
    public CancellationToken CancelRequested => cancellation.Token;

    /// <summary>Held by whoever cancels, from asking the host until the wish is on record.</summary>
    public SemaphoreSlim CancelTurn { get; } = new(1);

    /// <summary>Something that others see has changed.</summary>
    public event Action<Job>? Changed;

    /// <summary>The payload was replaced by one with the same identity, for example with fresh addresses.</summary>
    public event Action? PayloadChanged;

    /// <summary>Changes the record: on disk before this returns and before anybody is told.</summary>
    public void Update(Func<JobRecord, JobRecord> change) => TryUpdate(change);

    /// <summary>Shows why the job cannot even be recorded at present, until it can: told, not written.</summary>
    public void Stuck(ErrorObject reason)
    {
        lock (gate)
        {
            trouble = reason;
        }
        Changed?.Invoke(this);
    }

    /// <summary>Progress: told, not written (flash wears).</summary>
    public void Progress(int newPercent, DownloadBytes? bytes)
    {
        lock (gate)
        {
            if (percent == newPercent && (bytes is null || bytes == record.Bytes))
            {
                return;
            }
            percent = newPercent;
            record = record with { Bytes = bytes ?? record.Bytes };
        }
        Changed?.Invoke(this);
    }

    /// <summary>Replaces the payload.</summary>
    public void ReplacePayload(System.Text.Json.JsonElement payload)
    {
        Update(r => r with { Payload = payload, Error = null }); // Whatever it waited for may be in there.
        PayloadChanged?.Invoke();
    }

    /// <summary>
    /// Records the wish to cancel, then signals it. False when the job has left the step for which cancelling was found possible.
    /// </summary>
    public bool TryRequestCancel(string? step, bool withdrawn)
    {
        if (
            !TryUpdate(r =>
                r.Steps.LastOrDefault()?.Name == step
                    ? r with
                    {
                        CancelRequested = true,
                        // Who cancelled first has said why.
                        Withdrawn = r.CancelRequested ? r.Withdrawn : withdrawn,
                    }
                    : null
            )
        )
        {
            return false;
        }
        cancellation.Cancel();
        return true;
    }

    /// <summary>The job as everybody sees it.</summary>
    public JobDocument ToDocument()
    {
        lock (gate)
        {
            return new(
                record.JobId,
                record.Type,
                record.Status,
                record.Source,
                record.CreatedTime,
                record.Status == JobStatuses.Completed ? 100 : percent,
                record.Steps,
                record.StartTime,
                record.EndTime,
                record.Steps.LastOrDefault()?.Name,
                record.Bytes,
                record.UpdateId,
                record.Error ?? trouble,
                record.Result
            );
        }
    }

    /// <summary>A new step begins: its percentage starts at 0. False when the job was cancelled before.</summary>
    public bool TryBeginStep(string name, DateTimeOffset now, bool evenCancelled)
    {
        percent = 0;
        return TryUpdate(r =>
            r.CancelRequested && !evenCancelled ? null : r with { Steps = WithBegun(r.Steps, name, now) }
        );
    }

    /// <summary>A step ended; it is not begun again after this.</summary>
    public void EndStep(string name, DateTimeOffset now) =>
        Update(r =>
            r with
            {
                Steps = r.Steps.Select(s => s.Name == name ? s with { EndedAt = now } : s).ToImmutableArray(),
            }
        );

    public void Dispose()
    {
        cancellation.Dispose();
        CancelTurn.Dispose();
    }

    // Null: the record is no longer what the change is about.
    private bool TryUpdate(Func<JobRecord, JobRecord?> change)
    {
        lock (gate)
        {
            if (change(record) is not { } changed)
            {
                return false;
            }
            store.Save(changed);
            record = changed;
            trouble = null;
        }
        Changed?.Invoke(this);
        return true;
    }

    private static ImmutableArray<JobStepDocument> WithBegun(
        ImmutableArray<JobStepDocument> steps,
        string name,
        DateTimeOffset now
    )
    {
        var index = steps.FindIndex(s => s.Name == name);
        return index < 0
            ? steps.Add(new(name, now, 1))
            : steps.SetItem(index, steps[index] with { Attempts = steps[index].Attempts + 1 });
    }
}

internal static class ImmutableArrayExtensions
{
    public static int FindIndex<T>(this ImmutableArray<T> items, Func<T, bool> match)
    {
        for (var i = 0; i < items.Length; i++)
        {
            if (match(items[i]))
            {
                return i;
            }
        }
        return -1;
    }
}
