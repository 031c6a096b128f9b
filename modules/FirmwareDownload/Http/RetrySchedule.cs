namespace EdgeDm.FirmwareDownload.Http;

/// <summary>
/// Waits between rounds with decorrelated jitter: each is random between the base and three times the last one, so a
/// fleet that lost its server together does not come back together.
/// </summary>
/// <param name="options">Base and cap.</param>
/// <param name="random">Numbers from 0 up to 1.</param>
internal sealed class RetrySchedule(DownloadOptions options, Func<double> random)
{
    private const double Growth = 3;
    private TimeSpan last = options.RetryBase;

    /// <summary>The next wait.</summary>
    public TimeSpan Next()
    {
        var most = Math.Min(last.TotalSeconds * Growth, options.RetryCap.TotalSeconds);
        var least = Math.Min(options.RetryBase.TotalSeconds, most);
        last = TimeSpan.FromSeconds(least + (most - least) * random());
        return last;
    }

    /// <summary>Something went well: begin with short waits again.</summary>
    public void Reset() => last = options.RetryBase;
}
