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

    /// <summary>True when there is a goal and the whole interquartile range of ours misses it.</summary>
    public bool Misses => Goal is { } goal && goal.IsMissedBy(Statistics.Of(Ours));
}

/// <summary>An upper bound.</summary>
/// <param name="AtMost">The largest good value.</param>
internal sealed record Goal(double AtMost)
{
    /// <summary>
    /// True when even the lower quartile lies above the bound: a noisy sample alone does not miss a goal, and a lucky one
    /// does not hide that it is missed.
    /// </summary>
    public bool IsMissedBy(Statistics samples) => samples.LowerQuartile > AtMost;
}
