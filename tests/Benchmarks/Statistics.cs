namespace EdgeDm.Benchmarks;

/// <summary>The middle of some samples and their spread.</summary>
/// <param name="Least">The least sample.</param>
/// <param name="LowerQuartile">A quarter of the samples lies below.</param>
/// <param name="Median">The middle sample.</param>
/// <param name="UpperQuartile">A quarter of the samples lies above.</param>
/// <param name="Most">The largest sample.</param>
internal sealed record Statistics(double Least, double LowerQuartile, double Median, double UpperQuartile, double Most)
{
    /// <summary>Quartiles by linear interpolation between the two nearest samples (Hyndman and Fan, type 7).</summary>
    /// <exception cref="ArgumentException">No samples.</exception>
    public static Statistics Of(IReadOnlyCollection<double> samples)
    {
        if (samples.Count == 0)
        {
            throw new ArgumentException("There are no samples.", nameof(samples));
        }
        var sorted = samples.Order().ToArray();
        return new(sorted[0], Quantile(sorted, 0.25), Quantile(sorted, 0.5), Quantile(sorted, 0.75), sorted[^1]);
    }

    /// <summary>Below which that share of the samples lies, by the same rule; a share of 0.99 is the 99th percentile.</summary>
    public static double Quantile(IEnumerable<double> samples, double share) =>
        Quantile(samples.Order().ToArray(), share);

    private static double Quantile(double[] sorted, double share)
    {
        var place = share * (sorted.Length - 1);
        var below = (int)place;
        var above = Math.Min(below + 1, sorted.Length - 1);
        return sorted[below] + ((place - below) * (sorted[above] - sorted[below]));
    }
}
