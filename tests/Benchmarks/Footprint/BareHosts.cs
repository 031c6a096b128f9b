using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace EdgeDm.Benchmarks.Footprint;

/// <summary>The peer: copies of <c>tests/Benchmarks.BareHost</c>.</summary>
internal static partial class BareHosts
{
    // Ends what it started when its input ends, which the bare hosts themselves do not watch: a reader would cost them memory.
    // Ctrl-C reaches it too and must not part it from them.
    private const string Parent = """
        trap '' INT
        trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT
        trap 'exit' TERM HUP
        for ((i = 0; i < $1; i++)); do "$0" </dev/null & done
        read -r _
        """;

    /// <summary>Starts so many, and returns when each has logged its line.</summary>
    public static Task<ProcessFamily> StartAsync(int count, PublishedCopy programs, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo("bash");
        string[] arguments = ["-c", Parent, Path.Combine(programs.Folder, "EdgeDm.Benchmarks.BareHost"), $"{count}"];
        Array.ForEach(arguments, start.ArgumentList.Add);
        return ProcessFamily.StartAsync(start, count, Read, cancellationToken);
    }

    private static Member? Read(string line)
    {
        if (Runs().Match(line) is not { Success: true } found)
        {
            return null;
        }
        var process = int.Parse(found.Groups["process"].ValueSpan, CultureInfo.InvariantCulture);
        return new($"bare host {process}", process, LogTime.Of(line) - ProcessSample.StartOf(process));
    }

    [GeneratedRegex(@"The bare host runs, process (?<process>\d+)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Runs();
}
