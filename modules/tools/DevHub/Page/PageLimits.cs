namespace EdgeDm.DevHub.Page;

/// <summary>How much the page shows, and to how many.</summary>
public sealed record PageLimits
{
    /// <summary>Browsers that may be let in; one more ends the oldest session.</summary>
    public int Sessions { get; init; } = 16;

    /// <summary>Open pages at a time; one more is refused.</summary>
    public int Viewers { get; init; } = 8;

    /// <summary>Lines and messages that wait for one open page between its turns; with more it loses the oldest, and is told.</summary>
    public int EventsKept { get; init; } = 1000;

    /// <summary>Bytes of a message's body that are shown, and as many characters of a line.</summary>
    public int EventBytes { get; init; } = 8 * 1024;

    /// <summary>Lines of a module that a page finds when it opens.</summary>
    public int LinesKept { get; init; } = 500;

    /// <summary>Jobs of services that are shown, the newest first.</summary>
    public int Jobs { get; init; } = 50;

    /// <summary>From one turn of an open page to the next.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromMilliseconds(250);
}
