namespace EdgeDm.Benchmarks;

/// <summary>One line of a result.</summary>
/// <param name="What">What was measured.</param>
/// <param name="Unit">Of the samples and the goal.</param>
/// <param name="Ours">One sample per round.</param>
/// <param name="Peer">One sample per round; empty = nothing to compare with.</param>
/// <param name="Goal">What ours is to be; null = told only.</param>
internal sealed record Row(
    string What,
    string Unit,
    IReadOnlyList<double> Ours,
    IReadOnlyList<double> Peer,
    Goal? Goal = null
)
{
    /// <summary>Median of ours by median of the peer's; null without a peer, or when that is 0.</summary>
    public double? Ratio =>
        Peer.Count > 0 && Statistics.Of(Peer).Median is > 0 and var peer ? Statistics.Of(Ours).Median / peer : null;

    /// <summary>
    /// True when there is a goal and the whole interquartile range of ours misses it. A goal beside a peer is not missed where
    /// there is none to compare with.
    /// </summary>
    public bool Misses => Bound is { } bound && Goal!.IsMissedBy(Statistics.Of(Ours), bound);

    /// <summary>The goal in the row's unit: a ratio's is the peer's median times that; null = cannot be judged.</summary>
    private double? Bound =>
        Goal switch
        {
            null => null,
            { IsOfRatio: false } => Goal.Bound,
            _ => Peer.Count > 0 ? Statistics.Of(Peer).Median * Goal.Bound : null,
        };
}

/// <summary>What ours is to be.</summary>
/// <param name="Bound">The last good value.</param>
/// <param name="IsOfRatio">The bound is one of ours by the peer's, and not of ours.</param>
/// <param name="IsLeast">More is better.</param>
internal sealed record Goal(double Bound, bool IsOfRatio = false, bool IsLeast = false)
{
    /// <summary>
    /// True when even the best quartile lies beyond the bound: a noisy sample alone does not miss a goal, and a lucky one
    /// does not hide that it is missed.
    /// </summary>
    /// <param name="samples">Ours.</param>
    /// <param name="bound">In the samples' unit.</param>
    public bool IsMissedBy(Statistics samples, double bound) =>
        IsLeast ? samples.UpperQuartile < bound : samples.LowerQuartile > bound;
}
