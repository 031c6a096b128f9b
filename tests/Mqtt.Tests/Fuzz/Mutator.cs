namespace EdgeDm.Mqtt.Tests.Fuzz;

/// <summary>Makes wrong inputs from right ones. The same seed makes the same inputs.</summary>
internal sealed class Mutator(int seed, IReadOnlyList<byte[]> seeds)
{
    private const int LongestInput = 8 * 1024;

    /// <summary>Values at which lengths and counts go wrong.</summary>
    private static readonly byte[] Edges = [0x00, 0x01, 0x7F, 0x80, 0xFF, (byte)'/', (byte)'%', (byte)'&', (byte)'='];

    private readonly Random random = new(seed);

    /// <summary>One to three right inputs in a row with up to six changes.</summary>
    public byte[] Next()
    {
        var bytes = new List<byte>();
        for (var part = random.Next(1, 4); part > 0; part--)
        {
            bytes.AddRange(seeds[random.Next(seeds.Count)]);
        }
        for (var change = random.Next(7); change > 0 && bytes.Count > 0; change--)
        {
            Change(bytes);
        }
        return bytes.Count <= LongestInput ? [.. bytes] : [.. bytes.Take(LongestInput)];
    }

    /// <summary>Where to cut an input in two.</summary>
    public int Cut(int length) => random.Next(length + 1);

    private void Change(List<byte> bytes)
    {
        var at = random.Next(bytes.Count);
        var count = Math.Min(random.Next(1, 9), bytes.Count - at);
        switch (random.Next(8))
        {
            case 0:
                bytes[at] ^= (byte)(1 << random.Next(8));
                break;
            case 1:
                bytes[at] = (byte)random.Next(256);
                break;
            case 2:
                bytes[at] = Edges[random.Next(Edges.Length)];
                break;
            case 3:
                bytes.RemoveRange(at, count);
                break;
            case 4:
                bytes.InsertRange(random.Next(bytes.Count), bytes.GetRange(at, count));
                break;
            case 5:
                bytes.InsertRange(at, Enumerable.Range(0, count).Select(_ => (byte)random.Next(256)));
                break;
            case 6: // Of another packet.
                var other = seeds[random.Next(seeds.Count)];
                bytes.InsertRange(at, other.Skip(random.Next(other.Length)));
                break;
            default:
                bytes.RemoveRange(at, bytes.Count - at);
                break;
        }
    }
}
