using System.Globalization;
using System.Text.RegularExpressions;

namespace EdgeDm.Benchmarks.Footprint;

/// <summary>The time in a log line of a module or a bare host, as the process itself wrote it: <c>2026-11-21 09:55:48.123 +00:00</c>.</summary>
internal static partial class LogTime
{
    /// <exception cref="BenchException">The line has no time.</exception>
    public static DateTimeOffset Of(string line) =>
        DateTimeOffset.TryParseExact(
            Time().Match(line).Value,
            "yyyy-MM-dd HH:mm:ss.fff zzz",
            CultureInfo.InvariantCulture,
            DateTimeStyles.None,
            out var time
        )
            ? time
            : throw new BenchException($"This line has no time: {line}");

    [GeneratedRegex(@"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} [+-]\d\d:\d\d", RegexOptions.None, 1000)]
    private static partial Regex Time();
}
