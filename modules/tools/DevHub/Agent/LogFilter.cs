using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using EdgeDm.DevHub.Launching;

namespace EdgeDm.DevHub.Agent;

/// <summary>Which lines of a log are wanted: edgeAgent's <c>filter</c>.</summary>
internal sealed partial class LogFilter
{
    private static readonly TimeSpan MatchLimit = TimeSpan.FromSeconds(1);

    private readonly int? tail;
    private readonly DateTimeOffset? since;
    private readonly DateTimeOffset? until;
    private readonly int? level;
    private readonly Regex? regex;

    private LogFilter(int? tail, DateTimeOffset? since, DateTimeOffset? until, int? level, Regex? regex) =>
        (this.tail, this.since, this.until, this.level, this.regex) = (tail, since, until, level, regex);

    /// <summary>Reads <c>{tail, since, until, loglevel, regex}</c>; each may be missing.</summary>
    /// <exception cref="FormatException">A member is wrong; says which, and its form.</exception>
    public static LogFilter Of(JsonObject? filter, DateTimeOffset now) =>
        new(
            NumberOf(filter, "tail", 0, int.MaxValue),
            TimeOf(filter, "since", now),
            TimeOf(filter, "until", now),
            NumberOf(filter, "loglevel", 0, 7),
            RegexOf((string?)filter?["regex"])
        );

    /// <summary>A regular expression of the caller's, with a limit of time.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static Regex? RegexOf(string? text)
    {
        try
        {
            return text is null ? null : new(text, RegexOptions.CultureInvariant, MatchLimit);
        }
        catch (ArgumentException error)
        {
            throw new FormatException($"'{text}' is no regular expression: {error.Message}", error);
        }
    }

    /// <summary>The lines that pass. <c>tail</c> counts those, as edgeAgent's does.</summary>
    /// <exception cref="RegexMatchTimeoutException">The expression takes too long on a line.</exception>
    public IReadOnlyList<LogLine> Apply(IEnumerable<LogLine> lines)
    {
        var passed = lines.Where(line =>
            (level is null || line.Level == level)
            && (since is null || line.Time >= since)
            && (until is null || line.Time <= until)
            && (regex is null || regex.IsMatch(line.Text))
        );
        return [.. tail is { } count ? passed.TakeLast(count) : passed];
    }

    private static int? NumberOf(JsonObject? filter, string name, int least, int most)
    {
        if (filter?[name] is not { } node)
        {
            return null;
        }
        return node is JsonValue value && value.TryGetValue<int>(out var number) && number >= least && number <= most
            ? number
            : throw new FormatException($"'{name}' must be a whole number from {least} to {most}.");
    }

    private static DateTimeOffset? TimeOf(JsonObject? filter, string name, DateTimeOffset now)
    {
        if (filter?[name] is not { } node)
        {
            return null;
        }
        var text = node.ToString();
        if (
            long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            && seconds < uint.MaxValue
        )
        {
            return DateTimeOffset.FromUnixTimeSeconds(seconds);
        }
        if (Ago().Match(text) is { Success: true } ago)
        {
            var count = int.Parse(ago.Groups["count"].ValueSpan, CultureInfo.InvariantCulture);
            return now
                - ago.Groups["unit"].Value switch
                {
                    "d" => TimeSpan.FromDays(count),
                    "h" => TimeSpan.FromHours(count),
                    "m" => TimeSpan.FromMinutes(count),
                    _ => TimeSpan.FromSeconds(count),
                };
        }
        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? time
            : throw new FormatException(
                $"'{name}' must be a time (2026-01-31T12:00:00Z), seconds since 1970, or how long ago (90s, 10m, 2h, 1d)."
            );
    }

    [GeneratedRegex(
        @"^(?<count>\d{1,6})\s?(?<unit>[dhms])\w*$",
        RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex Ago();
}
