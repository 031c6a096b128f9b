using System.Globalization;
using System.Runtime.InteropServices;

namespace EdgeDm.Benchmarks;

/// <summary>What the kernel counts of one process. Linux; needs the rights of its user.</summary>
/// <param name="ResidentBytes">Its pages in memory, shared ones in full.</param>
/// <param name="ProportionalBytes">The same, each shared page divided by the number of processes that map it.</param>
/// <param name="Processor">User and system time of all its threads since its start; steps of 10 ms.</param>
/// <param name="WrittenBytes">What it made the page cache send to a block device since its start; steps of a page. Writes to pipes,
/// sockets and memory file systems are not in it.</param>
internal sealed partial record ProcessSample(
    long ResidentBytes,
    long ProportionalBytes,
    TimeSpan Processor,
    long WrittenBytes
)
{
    // USER_HZ: what /proc counts ticks in, on every Linux that .NET runs on.
    private const int TicksPerSecond = 100;
    private const int BootTimeClock = 7; // CLOCK_BOOTTIME, the clock of start times.

    // Fields of /proc/<id>/stat behind the name, from 0 (proc_pid_stat(5) counts from 1 and with the two before them).
    private const int UserTime = 14 - 3;
    private const int SystemTime = 15 - 3;
    private const int WaitedUserTime = 16 - 3;
    private const int WaitedSystemTime = 17 - 3;
    private const int StartTime = 22 - 3;

    /// <summary>Now.</summary>
    /// <exception cref="BenchException">There is no such process, or it is another user's.</exception>
    public static ProcessSample Read(int processId)
    {
        // First what reading the memory map would take time from.
        var stat = StatOf(processId);
        var written = NumberIn(processId, "io", "write_bytes:");
        return new(
            NumberIn(processId, "smaps_rollup", "Rss:") * 1024,
            NumberIn(processId, "smaps_rollup", "Pss:") * 1024,
            TimeSpan.FromSeconds((double)(Number(stat[UserTime]) + Number(stat[SystemTime])) / TicksPerSecond),
            written
        );
    }

    /// <summary>When the process started, exact to 10 ms.</summary>
    /// <exception cref="BenchException">There is no such process.</exception>
    public static DateTimeOffset StartOf(int processId)
    {
        var sinceBoot = TimeSpan.FromSeconds((double)Number(StatOf(processId)[StartTime]) / TicksPerSecond);
        if (ReadClock(BootTimeClock, out var now) != 0)
        {
            throw new BenchException($"The clock cannot be read (errno {Marshal.GetLastPInvokeError()}).");
        }
        return DateTimeOffset.UtcNow - (now.Span - sinceBoot);
    }

    /// <summary>
    /// User and system time of a process, exact, with that of what it has started: of those that have ended in steps of 10 ms.
    /// </summary>
    /// <exception cref="BenchException">There is no such process.</exception>
    public static TimeSpan ProcessorOfTree(int processId)
    {
        if (GetProcessorClock(processId, out var clock) != 0 || ReadClock(clock, out var own) != 0)
        {
            throw new BenchException($"Process {processId} cannot be measured: it has ended.");
        }
        var stat = StatOf(processId);
        var waited = TimeSpan.FromSeconds(
            (double)(Number(stat[WaitedUserTime]) + Number(stat[WaitedSystemTime])) / TicksPerSecond
        );
        return Directory
            .EnumerateDirectories($"/proc/{processId}/task")
            .SelectMany(thread =>
                File.ReadAllText(Path.Combine(thread, "children")).Split(' ', StringSplitOptions.RemoveEmptyEntries)
            )
            .Aggregate(own.Span + waited, (sum, child) => sum + ProcessorOfTree((int)Number(child)));
    }

    private static string[] StatOf(int processId)
    {
        var stat = ReadFile(processId, "stat");
        // The name stands in parentheses and may hold anything, parentheses too.
        return stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
    }

    private static long NumberIn(int processId, string file, string name)
    {
        var line =
            ReadFile(processId, file).Split('\n').FirstOrDefault(l => l.StartsWith(name, StringComparison.Ordinal))
            ?? throw new BenchException($"/proc/{processId}/{file} has no line '{name}' on this kernel.");
        return Number(line[name.Length..].Replace("kB", "", StringComparison.Ordinal).Trim());
    }

    private static string ReadFile(int processId, string file)
    {
        try
        {
            return File.ReadAllText($"/proc/{processId}/{file}");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new BenchException($"Process {processId} cannot be measured: {error.Message}");
        }
    }

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);

    [LibraryImport("libc", EntryPoint = "clock_gettime", SetLastError = true)]
    private static partial int ReadClock(int clock, out ClockTime time);

    [LibraryImport("libc", EntryPoint = "clock_getcpuclockid")]
    private static partial int GetProcessorClock(int processId, out int clock);

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct ClockTime
    {
        public readonly nint Seconds;
        public readonly nint Nanoseconds;

        public TimeSpan Span => TimeSpan.FromSeconds(Seconds) + TimeSpan.FromMicroseconds(Nanoseconds / 1000.0);
    }
}
