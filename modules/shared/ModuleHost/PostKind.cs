namespace EdgeDm.ModuleHost;

/// <summary>What becomes of a message that waits when the hub is away for so long that there is no room.</summary>
public enum PostKind
{
    /// <summary>On disk. The oldest of them give way to newer ones and to results.</summary>
    Normal,

    /// <summary>On disk, and never thrown out: how something ended.</summary>
    Terminal,

    /// <summary>
    /// One of a series of values: in memory, on disk within the hour. The newest always stays, older ones are thinned by half with each
    /// age.
    /// </summary>
    Thinned,
}
