using System.Text.Json;
using System.Text.Json.Serialization;

namespace EdgeDm.Benchmarks;

/// <summary>What a bench found, as JSON for machines; <see cref="ReportTable"/> shows it to people.</summary>
/// <param name="Bench">Its name.</param>
/// <param name="Peer">What stands beside ours.</param>
/// <param name="Date">When it began, UTC.</param>
/// <param name="Machine">Where it ran.</param>
/// <param name="Rounds">Samples of each side.</param>
/// <param name="Rows">In the bench's order.</param>
internal sealed record Report(
    string Bench,
    string Peer,
    DateTimeOffset Date,
    Machine Machine,
    int Rounds,
    IReadOnlyList<ReportRow> Rows
)
{
    /// <summary>What misses its goal.</summary>
    public IReadOnlyList<string> Missed => [.. Rows.Where(row => row.Misses).Select(row => row.What)];

    public string ToJson() => JsonSerializer.Serialize(this, ReportJson.Default.Report);
}

/// <summary>A row with what was computed of its samples.</summary>
/// <param name="What">What was measured.</param>
/// <param name="Unit">Of all numbers but the ratio.</param>
/// <param name="Ours">Our samples.</param>
/// <param name="Peer">The peer's; null without one.</param>
/// <param name="Ratio">Of the medians; null without a peer, or when that is 0.</param>
/// <param name="Goal">What ours is to be; null = told only.</param>
/// <param name="Misses">The whole interquartile range misses the goal.</param>
internal sealed record ReportRow(
    string What,
    string Unit,
    ReportSamples Ours,
    ReportSamples? Peer,
    double? Ratio,
    Goal? Goal,
    bool Misses
)
{
    public static ReportRow Of(Row row) =>
        new(
            row.What,
            row.Unit,
            ReportSamples.Of(row.Ours),
            row.Peer.Count > 0 ? ReportSamples.Of(row.Peer) : null,
            row.Ratio,
            row.Goal,
            row.Misses
        );
}

/// <summary>Samples in the order of the rounds, their middle and their spread.</summary>
internal sealed record ReportSamples(
    double Median,
    double Least,
    double LowerQuartile,
    double UpperQuartile,
    double Most,
    IReadOnlyList<double> Samples
)
{
    public static ReportSamples Of(IReadOnlyList<double> samples)
    {
        var (least, lower, median, upper, most) = Statistics.Of(samples);
        return new(median, least, lower, upper, most, samples);
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    WriteIndented = true
)]
[JsonSerializable(typeof(Report))]
internal sealed partial class ReportJson : JsonSerializerContext;
