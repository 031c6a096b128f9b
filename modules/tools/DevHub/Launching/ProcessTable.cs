using System.Globalization;
using System.Runtime.InteropServices;

namespace EdgeDm.DevHub.Launching;

/// <summary>The kernel's processes, read from <c>/proc</c>.</summary>
internal static partial class ProcessTable
{
    private static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan LongestDeath = TimeSpan.FromSeconds(5);

    /// <summary>Changes with every boot; start times count from the boot.</summary>
    public static string BootId { get; } = File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();

    /// <summary>All processes.</summary>
    public static List<ProcessEntry> Read() =>
        [
            .. Directory
                .EnumerateDirectories("/proc")
                .Select(folder =>
                    int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id)
                        ? Find(id)
                        : null
                )
                .OfType<ProcessEntry>(),
        ];

    /// <summary>The process, or null when there is none.</summary>
    public static ProcessEntry? Find(int id)
    {
        try
        {
            return ProcessEntry.Parse(id, File.ReadAllText($"/proc/{id}/stat"));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null; // It ended meanwhile (ENOENT, ESRCH), or another user's is hidden from us.
        }
    }

    /// <summary>The living members of these sessions, and everything that living ones of <paramref name="roots"/> or members started.</summary>
    public static List<ProcessEntry> Family(IReadOnlySet<int> sessions, IReadOnlySet<int> roots)
    {
        var all = Read();
        var children = all.ToLookup(process => process.Parent);
        var found = new Dictionary<int, ProcessEntry>();
        var next = new Queue<ProcessEntry>(
            all.Where(process => sessions.Contains(process.Session) || roots.Contains(process.Id))
        );
        while (next.TryDequeue(out var process))
        {
            if (found.TryAdd(process.Id, process))
            {
                foreach (var child in children[process.Id])
                {
                    next.Enqueue(child);
                }
            }
        }
        return [.. found.Values.Where(process => process.IsAlive)];
    }

    /// <summary>Kills what is found until nothing is found.</summary>
    /// <returns>What did not die, normally nothing.</returns>
    public static async Task<IReadOnlyList<ProcessEntry>> KillAllAsync(Func<IReadOnlyList<ProcessEntry>> find)
    {
        // The kernel's time, not a test's: a killed process takes a moment to go.
        var started = TimeProvider.System.GetTimestamp();
        while (find() is { Count: > 0 } left)
        {
            foreach (var process in left)
            {
                Kill(process.Id, Signal.Kill);
            }
            if (TimeProvider.System.GetElapsedTime(started) > LongestDeath)
            {
                return left;
            }
            await Task.Delay(Glance, CancellationToken.None);
        }
        return [];
    }

    /// <summary>Sends a signal. False when there is no such process.</summary>
    public static bool Kill(int id, Signal signal) => SendSignal(id, (int)signal) == 0;

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int SendSignal(int id, int signal);
}

/// <summary>A process.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Parent">The id of its parent.</param>
/// <param name="Session">The id of its session.</param>
/// <param name="State">As in <c>/proc/.../stat</c>.</param>
/// <param name="StartTime">In clock ticks since the boot. With the id it names a process for ever, within one boot.</param>
internal sealed record ProcessEntry(int Id, int Parent, int Session, char State, long StartTime)
{
    /// <summary>False for one that has ended and waits to be reaped.</summary>
    public bool IsAlive => State is not ('Z' or 'X');

    public static ProcessEntry? Parse(int id, string stat)
    {
        // The name stands in parentheses and may hold anything, parentheses too.
        var fields = stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return fields.Length > 19
            ? new(
                id,
                Number(fields[1]),
                Number(fields[3]),
                fields[0][0],
                long.Parse(fields[19], CultureInfo.InvariantCulture)
            )
            : null;

        static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
    }
}
