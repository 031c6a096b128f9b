using System.Globalization;

namespace EdgeDm.Benchmarks.Session;

/// <summary>Which core has the client and which the server, so that neither takes time from the other.</summary>
/// <param name="Client">The client's.</param>
/// <param name="Server">The server's; on a machine of one core the same.</param>
internal sealed record Cores(int Client, int Server)
{
    private const string Allowed = "Cpus_allowed_list:";

    /// <summary>There is only one.</summary>
    public bool AreOne => Client == Server;

    /// <summary>The first two that this process may use.</summary>
    public static Cores Read() =>
        Parse(
            File.ReadLines("/proc/self/status").First(line => line.StartsWith(Allowed, StringComparison.Ordinal))[
                Allowed.Length..
            ]
        );

    /// <summary>The first two of a list as the kernel writes it, for example <c>0-3,8</c>.</summary>
    public static Cores Parse(string list)
    {
        var cores = list.Trim().Split(',').SelectMany(Range).Take(2).ToList();
        return new(cores[0], cores[^1]);
    }

    /// <summary>A command line that runs another one on a core.</summary>
    public static string[] On(int core) => ["taskset", "-c", core.ToString(CultureInfo.InvariantCulture)];

    private static IEnumerable<int> Range(string part)
    {
        var ends = part.Split('-').Select(end => int.Parse(end, CultureInfo.InvariantCulture)).ToList();
        return Enumerable.Range(ends[0], ends[^1] - ends[0] + 1);
    }
}
