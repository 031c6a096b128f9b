namespace EdgeDm.HostAccess.Updates;

/// <summary>
/// Tells progress on: what grows only, at most once within <see cref="Interval"/>, and never behind its end. The newest number of an
/// interval is told when it is over, so that a long silence behind it does not hide it.
/// </summary>
internal sealed class ThrottledProgress : IProgress<int>, IDisposable
{
    /// <summary>Whoever waits for an update is woken as often as that.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private const int Most = 100;

    private readonly Action<int> tell;
    private readonly Lock gate = new();
    private readonly ITimer timer;
    private int told;
    private int newest;
    private bool isWaiting;
    private bool isOver;

    /// <param name="from">What was told before; only more than that is.</param>
    /// <param name="tell">Is told, one number after the other; must not call back.</param>
    /// <param name="time">For the interval.</param>
    public ThrottledProgress(int from, Action<int> tell, TimeProvider time)
    {
        this.tell = tell;
        told = newest = from;
        timer = time.CreateTimer(_ => EndInterval(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>From any thread.</summary>
    /// <param name="value">Percent; more than 100 is 100.</param>
    public void Report(int value)
    {
        lock (gate)
        {
            newest = Math.Max(newest, Math.Min(value, Most));
            if (!isWaiting)
            {
                TellNewest();
            }
        }
    }

    /// <summary>Nothing is told any more when this returns.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            isOver = true;
        }
        timer.Dispose();
    }

    private void EndInterval()
    {
        lock (gate)
        {
            isWaiting = false;
            TellNewest();
        }
    }

    private void TellNewest()
    {
        if (isOver || newest <= told)
        {
            return;
        }
        told = newest;
        isWaiting = true;
        timer.Change(Interval, Timeout.InfiniteTimeSpan);
        tell(newest);
    }
}
