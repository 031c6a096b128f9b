using System.Globalization;
using System.Text.RegularExpressions;

namespace EdgeDm.DevHub.Launching;

/// <summary>What modules wrote, read back from the files of <see cref="ModuleLog"/>.</summary>
/// <param name="folder">Of those files.</param>
internal sealed partial class ModuleLogs(string folder)
{
    /// <summary>All lines of a module that are kept, oldest first.</summary>
    public IEnumerable<LogLine> Read(string moduleId)
    {
        DateTimeOffset? time = null;
        foreach (var path in FilesOf(moduleId))
        {
            using var reader = new StreamReader(
                new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete)
            );
            while (reader.ReadLine() is { } text)
            {
                var match = Head().Match(text);
                // What follows a line without saying when belongs to it, for example a stack trace.
                time = TimeOf(match) ?? time;
                var level = match.Groups["level"] is { Success: true } found
                    ? int.Parse(found.ValueSpan, CultureInfo.InvariantCulture)
                    : LogLine.Information;
                yield return new(text, level, time);
            }
        }
    }

    // As IoT Edge's own modules write: <6> 2026-01-31 12:00:00.000 +00:00 [INF] - text
    [GeneratedRegex(
        @"^(<(?<level>[0-7])>)?\s*(?<time>\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}:\d{2}(\.\d{1,7})?\s?([+-]\d{2}:\d{2}|Z))?",
        RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex Head();

    private static DateTimeOffset? TimeOf(Match match) =>
        DateTimeOffset.TryParse(
            match.Groups["time"].ValueSpan,
            CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal,
            out var time
        )
            ? time
            : null;

    private IEnumerable<string> FilesOf(string moduleId)
    {
        var newest = Path.Combine(folder, moduleId + ".log");
        return Enumerable
            .Range(1, ModuleLog.OlderFiles)
            .Reverse()
            .Select(number => $"{newest}.{number}")
            .Append(newest)
            .Where(File.Exists);
    }
}

/// <summary>A line that a module wrote.</summary>
/// <param name="Text">All of it.</param>
/// <param name="Level">Syslog's severity at its beginning; <see cref="Information"/> when it has none.</param>
/// <param name="Time">When, if it or a line before says so.</param>
internal sealed record LogLine(string Text, int Level, DateTimeOffset? Time)
{
    /// <summary>What edgeAgent takes for the severity of a line without one.</summary>
    public const int Information = 6;
}
