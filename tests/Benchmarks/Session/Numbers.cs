using System.Globalization;
using System.Text.RegularExpressions;

namespace EdgeDm.Benchmarks.Session;

/// <summary>Reads the numbers of messages from a dev hub's record. A line that the kill cut off counts too when its message's id is in it.</summary>
internal static partial class Numbers
{
    /// <summary>All of them, in order; a line that two hubs wrote to has two.</summary>
    public static IEnumerable<int> In(IEnumerable<string> lines) =>
        lines
            .SelectMany(line => MessageId().Matches(line))
            .Select(match => int.Parse(match.Groups["number"].ValueSpan, CultureInfo.InvariantCulture));

    [GeneratedRegex("""essageId":"n(?<number>\d+)"|"\$\.mid":"n(?<number>\d+)""", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex MessageId();
}
