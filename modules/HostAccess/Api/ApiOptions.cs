namespace EdgeDm.HostAccess.Api;

/// <summary>Bounds of the interface. A caller is a module of ours; whatever goes beyond them is none.</summary>
internal sealed record ApiOptions
{
    /// <summary>
    /// Most bytes of a request's body. The largest is a submission: a manifest of 256 KiB as a JSON string, and its signature.
    /// </summary>
    public int MaxBodyBytes { get; init; } = 512 * 1024;

    /// <summary>Most bytes of request line and headers.</summary>
    public int MaxHeadBytes { get; init; } = 8 * 1024;

    /// <summary>Connections at once per socket; further ones are closed at once.</summary>
    public int MaxConnections { get; init; } = 16;

    /// <summary>Time for a request's head, and again for its body.</summary>
    public TimeSpan ReadTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Bytes of answers that a caller must read per second, on average, once they pile up; Kestrel's own 240 would let one that reads
    /// nothing keep its connection for minutes.
    /// </summary>
    public int MinAnswerRate { get; init; } = 64 * 1024;

    /// <summary>Time before <see cref="MinAnswerRate"/> counts; above 1 s.</summary>
    public TimeSpan AnswerGrace { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>An unused connection is closed after this.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>Longest wait of a long poll in seconds (<c>waitSeconds</c>).</summary>
    public int MaxWaitSeconds { get; init; } = 30;

    /// <summary>At stop, answers that are under way get this long.</summary>
    public TimeSpan StopTimeout { get; init; } = TimeSpan.FromSeconds(2);
}
