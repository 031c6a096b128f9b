using EdgeDm.Durable;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace EdgeDm.DevHub.Queues;

/// <summary>
/// The queues on disk: a file of records to which is added what waits and what left. One thread writes; what comes while it
/// does is written and synchronised together. When most of the file is about messages that left, it is written anew.
/// </summary>
internal sealed partial class MessageJournal : IDisposable
{
    private const string FileName = "messages.journal";
    private const string TemporarySuffix = ".tmp";

    private readonly string path;
    private readonly long garbageLimit;
    private readonly ILogger logger;
    private readonly Lock gate = new();
    private readonly AutoResetEvent wake = new(initialState: false);
    private readonly Thread writer;
    private IReadOnlyList<QueuedMessage> found;

    // Under the gate: what the next write takes.
    private Batch next = new();
    private bool isEnding;

    // The writer's own.
    private readonly SortedDictionary<long, (long Offset, int Length)> live = [];
    private Batch spare = new();
    private SafeFileHandle file;
    private long length;
    private long liveBytes;

    /// <summary>Opens the journal and reads it. What a kill left of an unfinished write is cut off.</summary>
    /// <param name="folder">Of this journal alone; made when missing.</param>
    /// <param name="garbageLimit">Bytes of messages that left, beyond which the file is written anew.</param>
    /// <param name="logger">Told of what was cut off, and of a disk that fails.</param>
    public MessageJournal(string folder, long garbageLimit, ILogger logger)
    {
        this.garbageLimit = garbageLimit;
        this.logger = logger;
        PrivateFolder.Create(folder);
        path = Path.Combine(folder, FileName);
        File.Delete(path + TemporarySuffix);
        file = Open(path, FileMode.OpenOrCreate);
        found = Read();
        writer = new(Run) { IsBackground = true, Name = "message journal" };
        writer.Start();
    }

    /// <summary>What waited when the journal was opened, oldest first; to be taken once.</summary>
    public IReadOnlyList<QueuedMessage> TakeFound()
    {
        var taken = found;
        found = []; // Else every one of them would stay in memory for as long as the hub runs.
        return taken;
    }

    /// <summary>A message waits from now on. The task completes when it is on disk.</summary>
    public Task Add(QueuedMessage message)
    {
        Task kept;
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(isEnding, this);
            next.Add(message);
            kept = next.Kept;
        }
        wake.Set();
        return kept;
    }

    /// <summary>A message left. Soon on disk; one that a kill keeps off it comes again, as any may.</summary>
    public void Remove(long sequence)
    {
        lock (gate)
        {
            if (isEnding)
            {
                return;
            }
            next.Remove(sequence);
        }
        wake.Set();
    }

    /// <summary>Writes what is left and ends.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            isEnding = true;
        }
        wake.Set();
        writer.Join();
        file.Dispose();
        next.Dispose();
        spare.Dispose();
        wake.Dispose();
    }

    private static SafeFileHandle Open(string path, FileMode mode) =>
        File.OpenHandle(path, mode, FileAccess.ReadWrite, FileShare.Read);

    private List<QueuedMessage> Read()
    {
        var content = File.ReadAllBytes(path);
        var waiting = new SortedDictionary<long, QueuedMessage>();
        while (
            JournalRecord.TryRead(content.AsMemory((int)length), out var message, out var left) is var bytes and not 0
        )
        {
            if (message is not null)
            {
                waiting[message.Sequence] = message;
                Lives(message.Sequence, length, bytes);
            }
            else
            {
                waiting.Remove(left);
                Dies(left);
            }
            length += bytes;
        }
        if (length < content.Length)
        {
            LogCut(logger, path, content.Length - length);
            RandomAccess.SetLength(file, length);
        }
        return [.. waiting.Values];
    }

    private void Run()
    {
        while (true)
        {
            wake.WaitOne();
            Batch batch;
            bool last;
            lock (gate)
            {
                (batch, next) = (next, spare);
                last = isEnding;
            }
            if (batch.Bytes.Length > 0)
            {
                Keep(batch);
                batch.Clear();
            }
            spare = batch;
            if (last)
            {
                return;
            }
        }
    }

    private void Keep(Batch batch)
    {
        try
        {
            RandomAccess.Write(file, batch.Bytes.Span, length);
            if (batch.Added.Count > 0)
            {
                RandomAccess.FlushToDisk(file);
            }
        }
        catch (IOException error)
        {
            Refuse(batch, error);
            return;
        }
        foreach (var (sequence, offset, bytes) in batch.Added)
        {
            Lives(sequence, length + offset, bytes);
        }
        batch.Removed.ForEach(Dies);
        length += batch.Bytes.Length;
        batch.Complete();
        if (length - liveBytes > garbageLimit && length > 2 * liveBytes)
        {
            WriteAnew();
        }
    }

    /// <summary>Nobody was told that these messages are kept: their senders come again.</summary>
    private void Refuse(Batch batch, IOException error)
    {
        LogFailed(logger, error, path);
        try
        {
            RandomAccess.SetLength(file, length);
        }
        catch (IOException)
        {
            // The next write goes over it.
        }
        lock (gate)
        {
            batch.Removed.ForEach(next.Remove);
        }
        batch.Fail(
            new HubException(HubError.IotHubQuotaExceeded, $"The message cannot be kept in '{path}': {error.Message}")
        );
    }

    private void WriteAnew()
    {
        var temporary = path + TemporarySuffix;
        SafeFileHandle? fresh = null;
        try
        {
            fresh = Open(temporary, FileMode.Create);
            long end = 0;
            foreach (var (offset, bytes) in live.Values)
            {
                var record = new byte[bytes];
                RandomAccess.Read(file, record, offset);
                RandomAccess.Write(fresh, record, end);
                end += bytes;
            }
            RandomAccess.FlushToDisk(fresh);
            File.Move(temporary, path, overwrite: true);
            AtomicFile.SyncFolder(Path.GetDirectoryName(path)!);
            file.Dispose();
            file = fresh;
        }
        catch (IOException error)
        {
            fresh?.Dispose();
            LogFailed(logger, error, temporary); // The file goes on growing until there is room for a new one.
            return;
        }
        var sequences = live.Select(l => (l.Key, l.Value.Length)).ToArray();
        live.Clear();
        (length, liveBytes) = (0, 0);
        foreach (var (sequence, bytes) in sequences)
        {
            Lives(sequence, length, bytes);
            length += bytes;
        }
    }

    private void Lives(long sequence, long offset, int bytes)
    {
        live[sequence] = (offset, bytes);
        liveBytes += bytes;
    }

    private void Dies(long sequence)
    {
        if (live.Remove(sequence, out var record))
        {
            liveBytes -= record.Length;
        }
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "{Path} ends in {Bytes} bytes of an unfinished write, which are cut off: nobody was told that it was kept"
    )]
    private static partial void LogCut(ILogger logger, string path, long bytes);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Path} cannot be written")]
    private static partial void LogFailed(ILogger logger, Exception error, string path);

    /// <summary>What is written together.</summary>
    private sealed class Batch : IDisposable
    {
        private readonly MemoryStream bytes = new();
        private TaskCompletionSource kept = NewKept();

        public ReadOnlyMemory<byte> Bytes => bytes.GetBuffer().AsMemory(0, (int)bytes.Length);

        public List<(long Sequence, long Offset, int Length)> Added { get; } = [];

        public List<long> Removed { get; } = [];

        public Task Kept => kept.Task;

        public void Add(QueuedMessage message)
        {
            var offset = bytes.Position;
            Added.Add((message.Sequence, offset, JournalRecord.WriteWaits(bytes, message)));
        }

        public void Remove(long sequence)
        {
            JournalRecord.WriteLeft(bytes, sequence);
            Removed.Add(sequence);
        }

        public void Complete() => kept.TrySetResult();

        public void Fail(Exception error)
        {
            kept.TrySetException(error);
            _ = kept.Task.Exception; // Where only removals failed nobody waits.
        }

        public void Clear()
        {
            const int largestKept = 1024 * 1024;
            bytes.SetLength(0);
            if (bytes.Capacity > largestKept)
            {
                bytes.Capacity = 0;
            }
            Added.Clear();
            Removed.Clear();
            kept = NewKept();
        }

        public void Dispose() => bytes.Dispose();

        private static TaskCompletionSource NewKept() => new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
