using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using EdgeDm.DevHub.Identities;

namespace EdgeDm.DevHub.Faults;

/// <summary>
/// Which packets of a kind are dropped: the next so many, or a share of them, chosen by a seed. Each client has a sequence of its own, so
/// the same seed gives each the same, whatever the others do. Safe for use by many threads.
/// </summary>
internal sealed class DropChoice
{
    private readonly Lock gate = new();
    private readonly Dictionary<HubIdentity, Random> sequences = [];
    private int passed;
    private int dropped;

    private DropChoice(int? next, double? share, int seed)
    {
        Next = next;
        Share = share;
        Seed = seed;
    }

    /// <summary>How many; null = a share.</summary>
    public int? Next { get; }

    /// <summary>Above 0, at most 1; null = the next so many.</summary>
    public double? Share { get; }

    /// <summary>Chooses them, where it is a share.</summary>
    public int Seed { get; }

    /// <summary>How many were dropped.</summary>
    public int Dropped => Volatile.Read(ref dropped);

    /// <summary>How many were looked at and passed.</summary>
    public int Passed => Volatile.Read(ref passed);

    /// <summary>The next so many.</summary>
    public static DropChoice OfNext(int count) => new(count, null, 0);

    /// <summary>A share.</summary>
    public static DropChoice OfShare(double share, int seed) => new(null, share, seed);

    /// <summary>A packet of the kind comes: true when it is dropped. To be asked once for each.</summary>
    public bool Takes(HubIdentity client)
    {
        lock (gate)
        {
            var takes = Next is { } next ? dropped < next : SequenceOf(client).NextDouble() < Share;
            if (takes)
            {
                dropped++;
            }
            else
            {
                passed++;
            }
            return takes;
        }
    }

    /// <inheritdoc/>
    public override string ToString() =>
        Next is { } next
            ? $"the next {next}"
            : string.Create(CultureInfo.InvariantCulture, $"{Share:0.####} of all, seed {Seed}");

    private Random SequenceOf(HubIdentity client)
    {
        if (!sequences.TryGetValue(client, out var sequence))
        {
            // Not GetHashCode, which is another in each process.
            var name = BitConverter.ToInt32(SHA256.HashData(Encoding.UTF8.GetBytes(client.ToString())));
            sequences.Add(client, sequence = new(Seed ^ name));
        }
        return sequence;
    }
}
