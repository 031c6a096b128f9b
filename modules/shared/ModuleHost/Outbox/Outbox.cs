using System.Globalization;
using System.Text.Json;
using EdgeDm.Durable;
using EdgeDm.Hosting;
using Microsoft.Extensions.Logging;

namespace EdgeDm.ModuleHost;

/// <summary>
/// Messages on their way to the hub, in order. What must arrive is a file until the hub has acknowledged it; what is
/// volatile waits in memory between them. One reader; any number of writers.
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
    private long lastSequence;
    private long durableBytes;
    private int volatileCount;

    /// <summary>Finds what an earlier process left.</summary>
    public Outbox(HubModuleOptions options)
    {
        this.options = options;
        folder = Path.Combine(options.DataFolder, "outbox");
        logger = options.LoggerFactory.CreateLogger<Outbox>();
        Directory.CreateDirectory(folder);
        Load();
    }

    /// <summary>Keeps a message on disk. A message whose id waits already is the same one and is not kept twice.</summary>
    /// <exception cref="OutboxFullException">The hub has been away for too long.</exception>
    public void Add(string output, string schema, ReadOnlyMemory<byte> json, string? messageId)
    {
        CheckSize(json);
        var message = new OutboxMessage(
            output,
            schema,
            messageId ?? Guid.NewGuid().ToString("n"),
            JsonElement.Parse(json.Span)
        );
        lock (gate)
        {
            if (durableIds.Contains(message.MessageId))
            {
                return;
            }
            if (durableIds.Count >= options.MaxOutboxMessages || durableBytes + json.Length > options.MaxOutboxBytes)
            {
                throw new OutboxFullException(durableIds.Count, durableBytes);
            }
            var sequence = ++lastSequence;
            Record(sequence).Save(message);
            Append(new(sequence, message, json.Length, IsVolatile: false, ReplaceKey: null));
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
            Record(message.Sequence).Delete();
            Forget(message);
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
            File.Move(path, path + ".refused", overwrite: true);
            Forget(message);
        }
    }

    private void Load()
    {
        foreach (var path in Directory.EnumerateFiles(folder, "*" + Extension).Order(StringComparer.Ordinal))
        {
            var name = Path.GetFileNameWithoutExtension(path);
            if (!long.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var sequence))
            {
                continue;
            }
            lastSequence = Math.Max(lastSequence, sequence);
            if (Record(sequence).Load() is { } message)
            {
                var bytes = JsonSerializer.SerializeToUtf8Bytes(message.Body, ModuleHostJson.Default.JsonElement);
                Append(new(sequence, message, bytes.Length, IsVolatile: false, ReplaceKey: null));
            }
        }
    }

    private void Append(Outgoing message)
    {
        var node = waiting.AddLast(message);
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
        var node = waiting.First!;
        while (node.Value.Sequence != message.Sequence)
        {
            node = node.Next!;
        }
        waiting.Remove(node);
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

/// <summary>A message as it waits.</summary>
internal sealed record Outgoing(long Sequence, OutboxMessage Message, int Bytes, bool IsVolatile, string? ReplaceKey);

/// <summary>A message as it is on disk.</summary>
internal sealed record OutboxMessage(string Output, string Schema, string MessageId, JsonElement Body);

/// <summary>The outbox holds as much as its options allow: the hub has been away for too long.</summary>
public sealed class OutboxFullException(int messages, long bytes)
    : IOException($"The outbox is full: {messages} messages, {bytes} bytes. It empties when edgeHub is reachable.")
{
    /// <summary>Messages in it.</summary>
    public int Messages { get; } = messages;

    /// <summary>Bytes of their bodies.</summary>
    public long Bytes { get; } = bytes;
}
