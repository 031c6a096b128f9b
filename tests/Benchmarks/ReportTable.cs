using System.Globalization;
using System.Text;

namespace EdgeDm.Benchmarks;

/// <summary>Shows a report as columns of text: readable in a terminal, in a log and in a page.</summary>
internal static class ReportTable
{
    private const int Gap = 2;
    private const string None = "-";
    private static readonly string[] Head = ["what", "ours", "(range)", "peer", "(range)", "ratio", "goal"];

    /// <summary>The whole text, with a line break at its end.</summary>
    public static string Format(Report report)
    {
        var text = new StringBuilder();
        var machine = report.Machine;
        text.AppendLine(
            CultureInfo.InvariantCulture,
            $"{report.Bench}, {report.Date:yyyy-MM-dd HH:mm} UTC, {Rounds(report.Rounds)}; peer: {report.Peer}"
        );
        text.AppendLine(
            CultureInfo.InvariantCulture,
            $"{machine.Cores} cores {machine.Architecture}, {machine.MemoryGiB} GiB, {machine.System}, {machine.Runtime}, load {machine.LoadBefore}"
        );
        text.AppendLine();
        string[][] rows = [Head, .. report.Rows.Select(Cells)];
        var widths = Head.Select((_, column) => rows.Max(row => row[column].Length)).ToArray();
        foreach (var row in rows)
        {
            var cells = row.Select(
                (cell, column) => column == 0 ? cell.PadRight(widths[0]) : cell.PadLeft(widths[column])
            );
            text.AppendLine(string.Join(new string(' ', Gap), cells).TrimEnd());
        }
        return text.ToString();
    }

    /// <summary>One line per missed goal, empty when none is missed.</summary>
    public static IEnumerable<string> FormatMissed(Report report) =>
        report
            .Rows.Where(row => row.Misses)
            .Select(row =>
                row.Goal!.IsOfRatio
                    ? $"missed: {row.What}: ratio {Number(row.Ratio ?? double.NaN)}, goal {Bound(row.Goal)}"
                    : $"missed: {row.What}: {Number(row.Ours.Median)} {row.Unit}, goal {Bound(row.Goal)} {row.Unit}"
            );

    private static string Bound(Goal goal) => $"at {(goal.IsLeast ? "least" : "most")} {Number(goal.Bound)}";

    private static string Verdict(ReportRow row, Goal goal)
    {
        var met =
            goal.IsOfRatio && row.Peer is null ? "no peer:"
            : row.Misses ? "missed"
            : "met";
        return $"{met} {(goal.IsOfRatio ? "ratio " : "")}{(goal.IsLeast ? ">=" : "<=")} {Number(goal.Bound)}";
    }

    private static string[] Cells(ReportRow row) =>
        [
            $"{row.What}, {row.Unit}",
            Number(row.Ours.Median),
            Range(row.Ours),
            row.Peer is { } peer ? Number(peer.Median) : None,
            row.Peer is { } spread ? Range(spread) : None,
            row.Ratio is { } ratio ? Number(ratio) : None,
            row.Goal is { } goal ? Verdict(row, goal) : None,
        ];

    private static string Range(ReportSamples samples) => $"({Number(samples.Least)} .. {Number(samples.Most)})";

    private static string Rounds(int rounds) => rounds == 1 ? "1 round" : $"{rounds} rounds";

    // About three digits that count.
    private static string Number(double value) =>
        value.ToString(
            Math.Abs(value) switch
            {
                >= 100 or 0 => "0",
                >= 10 => "0.0",
                >= 1 => "0.00",
                _ => "0.000",
            },
            CultureInfo.InvariantCulture
        );
}
