using EdgeDm.Contracts;
using EdgeDm.Durable;
using EdgeDm.FirmwareDownload.Http;
using EdgeDm.FirmwareDownload.Store;
using EdgeDm.ModuleHost;
using Microsoft.Extensions.Logging;

namespace EdgeDm.FirmwareDownload.Downloads;

/// <summary>
/// The line of requests. Taking one is quick: it is on disk when <see cref="Request"/> returns. <see cref="RunAsync"/>
/// works on one after the other and survives whatever happens to each.
/// </summary>
internal sealed partial class DownloadDesk : IDisposable
{
    /// <summary>Pause after an error that no request is to blame for, such as a full disk under the records.</summary>
    private static readonly TimeSpan TroublePause = TimeSpan.FromSeconds(10);

    private readonly Lock gate = new();
    private readonly Dictionary<string, DownloadRecord> records = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim work = new(0);
    private readonly DurableFolder<DownloadRecord> disk;
    private readonly PackageStore store;
    private readonly FileFetcher fetcher;
    private readonly DownloadAnswers answers;
    private readonly DownloadOptions options;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private Running? running;
    private long sequence;

    /// <summary>Reads what was in line.</summary>
    public DownloadDesk(
        DurableFolder<DownloadRecord> disk,
        PackageStore store,
        FileFetcher fetcher,
        DownloadAnswers answers,
        DownloadOptions options,
        TimeProvider time,
        ILogger logger
    )
    {
        this.disk = disk;
        this.store = store;
        this.fetcher = fetcher;
        this.answers = answers;
        this.options = options;
        this.time = time;
        this.logger = logger;
        foreach (var record in disk.LoadAll())
        {
            records[record.JobId] = record;
            sequence = Math.Max(sequence, record.Sequence);
        }
    }

    /// <summary>
    /// Takes a request. A known one is a reminder and is answered with the present state; a known one that differs goes on
    /// with the new addresses and what was fetched so far.
    /// </summary>
    /// <exception cref="BadMessageException">The job id is none; there is nobody to answer to.</exception>
    /// <exception cref="IOException">It cannot be kept (a full disk); the asker is told, and the message comes again.</exception>
    public void Request(DownloadRequest request)
    {
        RequireJobId(request.JobId);
        try
        {
            Take(request);
        }
        catch (IOException error)
        {
            answers.Waits(request.JobId, new(0, 0, 0), NotKept(request.JobId, error));
            throw;
        }
    }

    private void Take(DownloadRequest request)
    {
        var digest = DownloadRecord.DigestOf(request);
        DownloadRecord? toAnswer = null;
        lock (gate)
        {
            var known = records.GetValueOrDefault(request.JobId);
            if (known is not null && IsAnswered(known, request, digest))
            {
                toAnswer = known;
            }
            else if (known is { IsTerminal: false } && known.RequestDigest == digest)
            {
                answers.Progress(known.JobId, BytesOf(known));
            }
            else
            {
                Enqueue(request, digest, known);
            }
        }
        if (toAnswer is not null)
        {
            LogReminder(logger, toAnswer.JobId, toAnswer.State);
            answers.End(toAnswer);
        }
    }

    /// <summary>Stops a request's work; parts stay for a later one. Unknown and answered ones are left alone.</summary>
    public void Cancel(string jobId)
    {
        RequireJobId(jobId);
        lock (gate)
        {
            if (!records.TryGetValue(jobId, out var known) || known.IsTerminal)
            {
                return;
            }
            Save(
                known.Ended(DownloadState.Cancelled, BytesOf(known), time.GetUtcNow()) with
                {
                    Error = ErrorRegistry.JobCancelled.Error(
                        Subsystems.FirmwareDownload,
                        jobId,
                        "The download was cancelled."
                    ),
                }
            );
            LogCancelled(logger, jobId);
            Interrupt(jobId);
        }
    }

    /// <summary>Works until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        var schedule = new SweepSchedule(options.SweepDelay, time);
        using var look = time.CreateTimer(_ => work.Release(), null, options.SweepDelay, SweepSchedule.LookInterval);
        while (true)
        {
            cancel.ThrowIfCancellationRequested();
            try
            {
                if (schedule.IsDue())
                {
                    Sweep();
                    schedule.Swept();
                }
                while (Next() is { } record)
                {
                    await WorkAsync(record, cancel);
                }
                await work.WaitAsync(cancel);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException or EdgeDmException)
            {
                LogTrouble(logger, error, TroublePause.TotalSeconds);
                await Task.Delay(TroublePause, time, cancel);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => work.Dispose();

    private async Task WorkAsync(DownloadRecord record, CancellationToken cancel)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var run = new DownloadRun(record, store, fetcher, options, r => answers.Progress(record.JobId, r));
        lock (gate)
        {
            if (records[record.JobId] != record)
            {
                return; // Changed or cancelled since it was picked.
            }
            running = new(record, run, stop);
        }
        DownloadRecord? ended;
        try
        {
            LogStart(logger, record.JobId, record.Request.Files.Length);
            ended = await OutcomeAsync(record, run, stop.Token);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested && !cancel.IsCancellationRequested)
        {
            ended = null; // Cancelled, or new addresses came; the record says which.
        }
        finally
        {
            lock (gate)
            {
                running = null;
            }
        }
        if (ended is not null)
        {
            try
            {
                End(record, ended);
            }
            catch (IOException error)
            {
                answers.Waits(record.JobId, run.Bytes, NotKept(record.JobId, error));
                throw;
            }
        }
    }

    private async Task<DownloadRecord> OutcomeAsync(DownloadRecord record, DownloadRun run, CancellationToken cancel)
    {
        ErrorObject told;
        try
        {
            var completed = await run.RunAsync(cancel);
            return record.Ended(DownloadState.Completed, run.Bytes, time.GetUtcNow()) with { Completed = completed };
        }
        catch (EdgeDmException error)
        {
            LogFailed(logger, record.JobId, error.Error.Name, error.Error.Message);
            told = error.Error;
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            LogUnexpected(logger, error, record.JobId);
            told = ErrorRegistry.Internal.Error(
                Subsystems.FirmwareDownload,
                record.JobId,
                $"The download ended with {error.GetType().Name}."
            );
        }
        return record.Ended(DownloadState.Failed, run.Bytes, time.GetUtcNow()) with { Error = told };
    }

    /// <summary>Records the end and tells it, unless the request changed in the last moment: then it is worked on anew.</summary>
    private void End(DownloadRecord begun, DownloadRecord ended)
    {
        lock (gate)
        {
            if (records[begun.JobId] != begun)
            {
                return;
            }
            if (ended.IsLost)
            {
                RemoveParts(begun);
            }
            Save(ended);
        }
        LogEnd(logger, ended.JobId, ended.State, ended.Bytes.Fetched, ended.Bytes.Reused);
        answers.End(ended);
    }

    private void Enqueue(DownloadRequest request, string digest, DownloadRecord? known)
    {
        if (known is null && records.Values.Count(r => !r.IsTerminal) >= options.MaxWaiting)
        {
            // Not recorded; DeviceManagement sends it again in a minute.
            LogLineFull(logger, request.JobId, options.MaxWaiting);
            return;
        }
        var fetched = known is null ? 0 : BytesOf(known).Fetched;
        Save(
            new(
                request,
                digest,
                known?.Sequence ?? ++sequence,
                (known?.Round ?? 0) + 1,
                DownloadState.Waiting,
                new(fetched, 0, 0),
                time.GetUtcNow()
            )
        );
        LogTaken(logger, request.JobId, known is not null);
        Interrupt(request.JobId);
        work.Release();
    }

    /// <summary>
    /// True when the known record's end is the answer. Completed ones hold for any addresses as long as the store still has
    /// the files; failed ones for the same addresses; cancelled ones for ever.
    /// </summary>
    private bool IsAnswered(DownloadRecord known, DownloadRequest request, string digest) =>
        known.State switch
        {
            DownloadState.Cancelled => true,
            DownloadState.Failed => known.RequestDigest == digest,
            DownloadState.Completed => known.Completed!.Files.All(f => store.Has(f.Sha256, f.SizeInBytes))
                && (known.RequestDigest == digest || SameFiles(known.Request, request)),
            _ => false,
        };

    private static bool SameFiles(DownloadRequest one, DownloadRequest other) =>
        one.Files.Length > 0
        && one.Files.Select(f => (f.FileId, f.Sha256, f.SizeInBytes))
            .SequenceEqual(other.Files.Select(f => (f.FileId, f.Sha256, f.SizeInBytes)));

    private DownloadRecord? Next()
    {
        lock (gate)
        {
            return records.Values.Where(r => !r.IsTerminal).MinBy(r => r.Sequence);
        }
    }

    private DownloadBytes BytesOf(DownloadRecord record) =>
        running is { } now && now.Record.JobId == record.JobId ? now.Run.Bytes : record.Bytes;

    private void Interrupt(string jobId)
    {
        if (running is { } now && now.Record.JobId == jobId)
        {
            // Not here: a continuation could run into the lock that is held.
            _ = now.Stop.CancelAsync();
        }
    }

    private void Save(DownloadRecord record)
    {
        disk.Save(record.JobId, record);
        records[record.JobId] = record;
    }

    private static void RequireJobId(string jobId)
    {
        if (!RecordIds.IsValid(jobId))
        {
            throw new BadMessageException("The message's jobId is no valid record id.");
        }
    }

    private sealed record Running(DownloadRecord Record, DownloadRun Run, CancellationTokenSource Stop);
}
