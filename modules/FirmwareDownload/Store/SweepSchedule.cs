namespace EdgeDm.FirmwareDownload.Store;

/// <summary>
/// When housekeeping may look at how old things are. Ages go by the wall clock, so never soon after a start or after the clock was set:
/// a clock that makes all look old must take nothing away that HostAccess is about to copy. Not for two threads at once.
/// </summary>
/// <param name="delay">How long the clock must have gone evenly.</param>
/// <param name="time">Both clocks.</param>
internal sealed class SweepSchedule(TimeSpan delay, TimeProvider time)
{
    /// <summary>Housekeeping happens this often.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromHours(24);

    /// <summary>The clock is looked at this often at least.</summary>
    public static readonly TimeSpan LookInterval = TimeSpan.FromHours(1);

    /// <summary>The clocks may differ so much between two looks: NTP corrects by less.</summary>
    private static readonly TimeSpan Tolerance = TimeSpan.FromMinutes(30);

    private (DateTimeOffset Wall, long Monotonic) lastLook = (time.GetUtcNow(), time.GetTimestamp());
    private long evenSince = time.GetTimestamp();
    private long? sweptAt;

    /// <summary>True when ages may be trusted and the last time is long enough ago.</summary>
    public bool IsDue()
    {
        var difference = time.GetUtcNow() - lastLook.Wall - time.GetElapsedTime(lastLook.Monotonic);
        lastLook = (time.GetUtcNow(), time.GetTimestamp());
        if (difference.Duration() > Tolerance)
        {
            evenSince = time.GetTimestamp();
        }
        return time.GetElapsedTime(evenSince) >= delay
            && (sweptAt is not { } swept || time.GetElapsedTime(swept) >= Interval);
    }

    /// <summary>It was done.</summary>
    public void Swept() => sweptAt = time.GetTimestamp();
}
