using System.Buffers;
using EdgeDm.Mqtt;

namespace EdgeDm.Hub.Internal;

/// <summary>
/// PUBACKs in the order in which the messages came (MQTT-4.6.0-2), whatever order they are done in: the done front of the
/// queue leaves. Used under the link's gate. Allocates nothing per message.
/// </summary>
internal sealed class AckQueue
{
    private const int Smallest = 8;

    private Entry[] ring = [];
    private uint first;
    private uint count;

    /// <summary>A message of QoS 1 came. Returns its place, for <see cref="Done"/>.</summary>
    public uint Add(ushort packetId)
    {
        if (count == ring.Length)
        {
            var larger = new Entry[Math.Max(Smallest, 2 * ring.Length)]; // Powers of two: places wrap around.
            for (uint index = 0; index < count; index++)
            {
                larger[(first + index) & (uint)(larger.Length - 1)] = EntryAt(first + index);
            }
            ring = larger;
        }
        var place = first + count++;
        EntryAt(place) = new(packetId);
        return place;
    }

    /// <summary>A message is done. True when acknowledgements were written.</summary>
    public bool Done(uint place, IBufferWriter<byte> output)
    {
        EntryAt(place).IsDone = true;
        if (place != first)
        {
            return false;
        }
        while (count > 0 && EntryAt(first) is { IsDone: true } done)
        {
            PubackPacket.Write(output, done.PacketId);
            first++;
            count--;
        }
        return true;
    }

    private ref Entry EntryAt(uint place) => ref ring[place & (uint)(ring.Length - 1)];

    private record struct Entry(ushort PacketId)
    {
        public bool IsDone { get; set; }
    }
}
