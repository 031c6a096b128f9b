using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;
using EdgeDm.DevHub.Identities;
using EdgeDm.DevHub.Routing;

namespace EdgeDm.DevHub.Queues;

/// <summary>
/// One record of the journal: <c>length:u32 crc32c:u32 content</c>, the content being <c>kind:u8</c> and what
/// belongs to it. Little-endian; texts are UTF-8 behind their length.
/// </summary>
internal static class JournalRecord
{
    /// <summary>Bytes ahead of the content.</summary>
    public const int Prefix = 2 * sizeof(uint);

    private const byte Waits = 1;
    private const byte Left = 2;

    /// <summary>A message waits. Returns the record's bytes.</summary>
    public static int WriteWaits(MemoryStream target, QueuedMessage message) =>
        Write(
            target,
            message,
            static (writer, message) =>
            {
                writer.Write(Waits);
                writer.Write(message.Sequence);
                writer.Write(message.Priority);
                writer.Write(message.Expires?.UtcTicks ?? 0);
                writer.Write(message.Queue.Receiver.DeviceId);
                writer.Write(message.Queue.Receiver.ModuleId ?? "");
                writer.Write(message.Queue.Input ?? "");
                writer.Write(message.Message.Source);
                Write(writer, message.Message.System);
                Write(writer, message.Message.Properties);
                writer.Write(message.Message.Body.Length);
                writer.Write(message.Message.Body.Span);
            }
        );

    /// <summary>A message is no longer there.</summary>
    public static void WriteLeft(MemoryStream target, long sequence) =>
        Write(
            target,
            sequence,
            static (writer, sequence) =>
            {
                writer.Write(Left);
                writer.Write(sequence);
            }
        );

    /// <summary>Reads the next record: a message that waits, or the sequence number of one that left.</summary>
    /// <returns>Its bytes; 0 when there is no whole record.</returns>
    public static int TryRead(ReadOnlyMemory<byte> from, out QueuedMessage? message, out long left)
    {
        (message, left) = (null, 0);
        if (from.Length < Prefix)
        {
            return 0;
        }
        var length = MemoryMarshal.Read<uint>(from.Span);
        if (length > from.Length - Prefix)
        {
            return 0;
        }
        var content = from.Slice(Prefix, (int)length);
        if (MemoryMarshal.Read<uint>(from.Span[sizeof(uint)..]) != Checksum(content.Span))
        {
            return 0;
        }
        using var reader = new BinaryReader(new MemoryStream(content.ToArray()), Encoding.UTF8);
        if (reader.ReadByte() == Left)
        {
            left = reader.ReadInt64();
        }
        else
        {
            message = ReadWaits(reader);
        }
        return Prefix + (int)length;
    }

    private static QueuedMessage ReadWaits(BinaryReader reader)
    {
        var sequence = reader.ReadInt64();
        var priority = reader.ReadUInt32();
        var expires = reader.ReadInt64();
        var receiver = new HubIdentity(reader.ReadString(), TextOrNull(reader));
        return new(
            new(receiver, TextOrNull(reader)),
            new(reader.ReadString(), ReadPairs(reader), ReadPairs(reader), reader.ReadBytes(reader.ReadInt32())),
            priority,
            sequence,
            expires == 0 ? null : new DateTimeOffset(expires, TimeSpan.Zero)
        );
    }

    private static int Write<T>(MemoryStream target, T what, Action<BinaryWriter, T> content)
    {
        var start = (int)target.Position;
        using (var writer = new BinaryWriter(target, Encoding.UTF8, leaveOpen: true))
        {
            writer.Write(0L); // The prefix, once it is known.
            content(writer, what);
        }
        var record = target.GetBuffer().AsSpan(start, (int)target.Position - start);
        MemoryMarshal.Write(record, (uint)(record.Length - Prefix));
        MemoryMarshal.Write(record[sizeof(uint)..], Checksum(record[Prefix..]));
        return record.Length;
    }

    private static void Write(BinaryWriter writer, MessageBag pairs)
    {
        writer.Write(pairs.Count);
        foreach (var (key, value) in pairs.Entries)
        {
            writer.Write(key);
            writer.Write(value);
        }
    }

    private static MessageBag ReadPairs(BinaryReader reader)
    {
        var pairs = new MessageBag.Builder();
        for (var left = reader.ReadInt32(); left > 0; left--)
        {
            var key = reader.ReadString();
            pairs.Set(key, reader.ReadString());
        }
        return pairs.Build();
    }

    private static string? TextOrNull(BinaryReader reader) => reader.ReadString() is { Length: > 0 } text ? text : null;

    private static uint Checksum(ReadOnlySpan<byte> content)
    {
        var sum = uint.MaxValue;
        var words = MemoryMarshal.Cast<byte, ulong>(content);
        foreach (var word in words)
        {
            sum = BitOperations.Crc32C(sum, word);
        }
        foreach (var rest in content[(words.Length * sizeof(ulong))..])
        {
            sum = BitOperations.Crc32C(sum, rest);
        }
        return ~sum;
    }
}
