using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace EdgeDm.Cli;

/// <summary>Times as people type them: <c>500ms</c>, <c>30s</c>, <c>5m</c>, <c>1h</c>.</summary>
internal static class DurationText
{
    /// <summary>Longer ones are a mistake.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromDays(1);

    // "ms" before the units that it ends or begins with.
    private static readonly (string Unit, double Milliseconds)[] Units =
    [
        ("ms", 1),
        ("s", 1_000),
        ("m", 60_000),
        ("h", 3_600_000),
    ];

    /// <summary>An option that takes one, from a millisecond to a day.</summary>
    public static Option<TimeSpan?> Option(string name, string description) =>
        new(name)
        {
            Description = description,
            HelpName = "time",
            CustomParser = Parse,
        };

    private static TimeSpan? Parse(ArgumentResult result)
    {
        var text = result.Tokens.Single().Value;
        foreach (var (unit, milliseconds) in Units)
        {
            if (
                text.EndsWith(unit, StringComparison.Ordinal)
                && double.TryParse(
                    text[..^unit.Length],
                    NumberStyles.AllowDecimalPoint,
                    CultureInfo.InvariantCulture,
                    out var count
                )
                && count * milliseconds is var total
                && total >= 1
                && total <= Longest.TotalMilliseconds
            )
            {
                return TimeSpan.FromMilliseconds(total);
            }
        }
        result.AddError($"'{text}' is no time from 1ms to 24h, as 500ms, 30s, 5m or 1h.");
        return null;
    }
}
