using System.Globalization;
using System.Text.Json;
using EdgeDm.Durable;
using EdgeDm.Hosting;
using Microsoft.Extensions.Logging;

namespace EdgeDm.ModuleHost;

/// <summary>
/// Messages on their way to the hub, in order. What must arrive is a file until the hub has acknowledged it; what may be thinned
/// waits in memory and in one record; what is volatile in memory only. One reader; any number of writers.
/// </summary>
internal sealed partial class Outbox
{
    private const string Extension = ".json";

    private static readonly Failpoint Written = new("outbox", removes: true);

    private readonly HubModuleOptions options;
    private readonly string folder;
    private readonly ILogger logger;
    private readonly Lock gate = new();
    private readonly LinkedList<Outgoing> waiting = [];
    private readonly Dictionary<string, LinkedListNode<Outgoing>> replaceable = [];
    private readonly HashSet<string> durableIds = [];
    private readonly AsyncAutoResetEvent added = new();
    private readonly ThinnedMessages thinned;
    private long lastSequence;
    private long durableBytes;
    private long thinnedBytes;
    private int thinnedCount;
    private int volatileCount;
    private long dropped;

    /// <summary>Finds what an earlier process left.</summary>
    public Outbox(HubModuleOptions options)
    {
        this.options = options;
        folder = Path.Combine(options.DataFolder, "outbox");
        logger = options.LoggerFactory.CreateLogger<Outbox>();
        thinned = new(options, logger);
        Directory.CreateDirectory(folder);
        Load();
    }

    /// <summary>Messages that were thrown out and that nobody was told of yet.</summary>
    public long Dropped
    {
        get
        {
            lock (gate)
            {
                return dropped;
            }
        }
    }

    /// <summary>
    /// Keeps a message. One whose id waits already is the same one and is not kept twice. When there is no room the oldest
    /// <see cref="PostKind.Normal"/> message goes, never a <see cref="PostKind.Terminal"/> one.
    /// </summary>
    /// <exception cref="OutboxFullException">It is terminal, and only terminal ones wait.</exception>
    public void Add(
        string output,
        string schema,
        ReadOnlyMemory<byte> json,
        string? messageId,
        PostKind kind = PostKind.Normal,
        string? series = null
    )
    {
        CheckSize(json);
        var message = new OutboxMessage(
            output,
            schema,
            messageId ?? Guid.NewGuid().ToString("n"),
            JsonElement.Parse(json.Span),
            kind,
            series
        );
        lock (gate)
        {
            if (kind == PostKind.Thinned)
            {
                Append(new(++lastSequence, message, json.Length, IsVolatile: false, ReplaceKey: null));
                Thin(message.Series);
                thinned.Changed(ThinnedNow);
            }
            else if (!durableIds.Contains(message.MessageId) && MakeRoom(kind, json.Length))
            {
                var sequence = ++lastSequence;
                Record(sequence).Save(message);
                Append(new(sequence, message, json.Length, IsVolatile: false, ReplaceKey: null));
            }
        }
        added.Set();
    }

    /// <summary>Keeps a message in memory until the connection ends; a newer one with the same key takes its place.</summary>
    public void AddVolatile(string output, string schema, ReadOnlyMemory<byte> json, string? replaceKey)
    {
        CheckSize(json);
        var message = new OutboxMessage(output, schema, Guid.NewGuid().ToString("n"), JsonElement.Parse(json.Span));
        lock (gate)
        {
            if (replaceKey is not null && replaceable.TryGetValue(replaceKey, out var old))
            {
                old.Value = old.Value with { Message = message, Bytes = json.Length };
                return;
            }
            if (volatileCount >= options.MaxVolatileMessages)
            {
                Remove(FirstVolatile()!);
            }
            Append(new(++lastSequence, message, json.Length, IsVolatile: true, replaceKey));
        }
        added.Set();
    }

    /// <summary>Forgets all volatile messages.</summary>
    public void DropVolatile()
    {
        lock (gate)
        {
            while (FirstVolatile() is { } node)
            {
                Remove(node);
            }
        }
    }

    /// <summary>Waits for the oldest message. It stays until <see cref="Done"/>; a volatile one is the reader's from here on.</summary>
    public async ValueTask<Outgoing> NextAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            lock (gate)
            {
                if (waiting.First is { } first)
                {
                    if (first.Value.IsVolatile)
                    {
                        Remove(first);
                    }
                    return first.Value;
                }
            }
            await added.WaitAsync(cancellationToken);
        }
    }

    /// <summary>The hub has it.</summary>
    public void Done(Outgoing message)
    {
        if (message.IsVolatile)
        {
            return;
        }
        lock (gate)
        {
            if (message.IsFile)
            {
                Record(message.Sequence).Delete();
            }
            Forget(message);
        }
    }

    /// <summary>Somebody was told that so many messages were thrown out.</summary>
    public void ToldDropped(long count)
    {
        lock (gate)
        {
            dropped -= count;
            thinned.Changed(ThinnedNow);
        }
    }

    /// <summary>Writes what is in memory and must outlive the process.</summary>
    public void Flush()
    {
        lock (gate)
        {
            thinned.Flush(ThinnedNow);
        }
    }

    /// <summary>It can never be sent: sets its file aside.</summary>
    public void Refuse(Outgoing message, string reason)
    {
        LogRefused(logger, message.Message.Output, message.Message.Schema, reason);
        if (message.IsVolatile)
        {
            return;
        }
        lock (gate)
        {
            var path = PathOf(message.Sequence);
            if (message.IsFile && File.Exists(path))
            {
                File.Move(path, path + ".refused", overwrite: true);
            }
            Forget(message);
        }
    }

    private void Load()
    {
        var found = thinned.Load();
        dropped = found.Dropped;
        var messages = found.Messages.Select(m => (m.Sequence, m.Message)).ToList();
        foreach (var path in Directory.EnumerateFiles(folder, "*" + Extension))
        {
            var name = Path.GetFileNameWithoutExtension(path);
            if (!long.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var sequence))
            {
                continue;
            }
            lastSequence = Math.Max(lastSequence, sequence);
            if (Record(sequence).Load() is { } message)
            {
                messages.Add((sequence, message));
            }
        }
        foreach (var (sequence, message) in messages.OrderBy(m => m.Sequence))
        {
            lastSequence = Math.Max(lastSequence, sequence);
            var bytes = JsonSerializer.SerializeToUtf8Bytes(message.Body, ModuleHostJson.Default.JsonElement);
            Append(new(sequence, message, bytes.Length, IsVolatile: false, ReplaceKey: null));
        }
    }

    private void Append(Outgoing message)
    {
        var node = waiting.AddLast(message);
        if (message.IsThinned)
        {
            thinnedCount++;
            thinnedBytes += message.Bytes;
            return;
        }
        if (!message.IsVolatile)
        {
            durableIds.Add(message.Message.MessageId);
            durableBytes += message.Bytes;
            return;
        }
        volatileCount++;
        if (message.ReplaceKey is { } key)
        {
            replaceable[key] = node;
        }
    }

    private void Forget(Outgoing message)
    {
        var node = waiting.First;
        while (node is not null && node.Value.Sequence != message.Sequence)
        {
            node = node.Next;
        }
        if (node is null)
        {
            return; // It was thrown out while it was on its way.
        }
        waiting.Remove(node);
        if (message.IsThinned)
        {
            thinnedCount--;
            thinnedBytes -= message.Bytes;
            thinned.Changed(ThinnedNow);
            return;
        }
        durableIds.Remove(message.Message.MessageId);
        durableBytes -= message.Bytes;
    }

    private void Remove(LinkedListNode<Outgoing> node)
    {
        waiting.Remove(node);
        volatileCount--;
        if (node.Value.ReplaceKey is { } key)
        {
            replaceable.Remove(key);
        }
    }

    private LinkedListNode<Outgoing>? FirstVolatile()
    {
        var node = waiting.First;
        while (node is { Value.IsVolatile: false })
        {
            node = node.Next;
        }
        return node;
    }

    private void CheckSize(ReadOnlyMemory<byte> json)
    {
        if (json.Length > options.MaxMessageBytes)
        {
            throw new ArgumentException(
                $"The message has {json.Length} bytes; the limit is {options.MaxMessageBytes}."
            );
        }
    }

    private DurableRecord<OutboxMessage> Record(long sequence) =>
        new(PathOf(sequence), ModuleHostJson.Default.OutboxMessage, Written, logger, time: options.TimeProvider);

    private string PathOf(long sequence) =>
        Path.Combine(folder, sequence.ToString("d16", CultureInfo.InvariantCulture) + Extension);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "A message {Schema} to output {Output} cannot be sent and was set aside: {Reason}"
    )]
    private static partial void LogRefused(ILogger logger, string output, string schema, string reason);
}
