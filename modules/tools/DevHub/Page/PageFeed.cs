using System.Collections.Immutable;
using System.Text.Json.Nodes;

namespace EdgeDm.DevHub.Page;

/// <summary>Something that happened, for those who look at the page.</summary>
internal interface IPageEvent
{
    /// <summary>Name of the event.</summary>
    string Kind { get; }

    /// <summary>What it says, without secrets. Made only for who reads it, and maybe more than once.</summary>
    JsonObject Document();
}

/// <summary>Brings what happens to everybody who looks at the page. Safe for use by many threads.</summary>
internal sealed class PageFeed(PageLimits limits, TimeProvider time)
{
    private ImmutableArray<PageViewer> viewers = [];

    /// <summary>False when nobody looks: then spare the work.</summary>
    public bool HasViewers => !viewers.IsEmpty;

    /// <summary>Somebody looks, until disposal.</summary>
    /// <exception cref="HubException"><see cref="HubError.IotHubQuotaExceeded"/>: too many look already.</exception>
    public PageViewer Open()
    {
        var viewer = new PageViewer(
            limits,
            time,
            gone => ImmutableInterlocked.Update(ref viewers, all => all.Remove(gone))
        );
        var taken = ImmutableInterlocked.Update(
            ref viewers,
            all => all.Length < limits.Viewers ? all.Add(viewer) : all
        );
        if (!taken)
        {
            viewer.Dispose();
            throw new HubException(
                HubError.IotHubQuotaExceeded,
                $"{limits.Viewers} pages are open already; close one of them."
            );
        }
        return viewer;
    }

    /// <summary>Tells everybody who looks. Never waits.</summary>
    public void Publish(IPageEvent happened)
    {
        foreach (var viewer in viewers)
        {
            viewer.Add(happened);
        }
    }
}

/// <summary>One who looks: what waits for them, bounded. Who is too slow loses the oldest, and is told how many.</summary>
internal sealed class PageViewer(PageLimits limits, TimeProvider time, Action<PageViewer> gone) : IDisposable
{
    private readonly Lock gate = new();
    private readonly PeriodicTimer tick = new(limits.Interval, time);
    private Queue<IPageEvent> waiting = new();
    private long lost;

    /// <summary>Adds; drops the oldest when there is no room.</summary>
    public void Add(IPageEvent happened)
    {
        lock (gate)
        {
            if (waiting.Count == limits.EventsKept)
            {
                waiting.Dequeue();
                lost++;
            }
            waiting.Enqueue(happened);
        }
    }

    /// <summary>What came since the last time, and how many were lost before it.</summary>
    public (IReadOnlyCollection<IPageEvent> Events, long Lost) Take()
    {
        lock (gate)
        {
            var taken = (waiting, lost);
            (waiting, lost) = (new(), 0);
            return taken;
        }
    }

    /// <summary>Waits until it is time to look again.</summary>
    public ValueTask<bool> WaitAsync(CancellationToken cancellationToken) =>
        tick.WaitForNextTickAsync(cancellationToken);

    /// <inheritdoc/>
    public void Dispose()
    {
        gone(this);
        tick.Dispose();
    }
}
