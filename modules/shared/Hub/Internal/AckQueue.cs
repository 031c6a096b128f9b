using System.Buffers;
using EdgeDm.Mqtt;

namespace EdgeDm.Hub.Internal;

/// <summary>
/// PUBACKs in the order in which the messages came (MQTT-4.6.0-2), whatever order they are done in: the done front of the
/// queue leaves. Used under the link's gate.
/// </summary>
internal sealed class AckQueue
{
    private readonly Queue<Entry> entries = new();

    /// <summary>A message of QoS 1 came.</summary>
    public Entry Add(ushort packetId)
    {
        var entry = new Entry(packetId);
        entries.Enqueue(entry);
        return entry;
    }

    /// <summary>A message is done. True when acknowledgements were written.</summary>
    public bool Done(Entry entry, IBufferWriter<byte> output)
    {
        entry.IsDone = true;
        var wrote = false;
        while (entries.TryPeek(out var first) && first.IsDone)
        {
            entries.Dequeue();
            PubackPacket.Write(output, first.PacketId);
            wrote = true;
        }
        return wrote;
    }

    public sealed class Entry(ushort packetId)
    {
        public ushort PacketId => packetId;

        public bool IsDone { get; set; }
    }
}
