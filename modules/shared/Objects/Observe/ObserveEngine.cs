using System.Text.Json;
using EdgeDm.Contracts;

namespace EdgeDm.Objects;

/// <summary>
/// Decides which values are told when. Values go in by <see cref="Set"/>, notifications come out of <see cref="TakeDue"/>,
/// which is to be called when <see cref="NextDue"/> has passed. What is not taken waits, only the newest value of each
/// resource. No threads, no timers, no clock but the given one's monotonic side. Not for two threads at once.
/// </summary>
/// <remarks>
/// A first value is due at once. A change is due when the minimum period since the last notification has passed, and then
/// with the newest value. Due times fall on whole seconds, so that what belongs together travels together: minimum
/// periods are rounded up and maximum periods down, so neither promise is broken.
/// </remarks>
public sealed class ObserveEngine(TimeProvider time)
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly Dictionary<string, Observed> observed = new(StringComparer.Ordinal);
    private readonly long origin = time.GetTimestamp();

    /// <summary>Names of the observed resources.</summary>
    public IReadOnlyCollection<string> Resources => observed.Keys;

    /// <summary>The shortest minimum period of all; null when nothing is observed.</summary>
    public TimeSpan? ShortestMinPeriod => observed.Count == 0 ? null : observed.Values.Min(o => o.Attributes.MinPeriod);

    /// <summary>Time until something is due, zero when something is; null when nothing will be without a new value.</summary>
    public TimeSpan? NextDue
    {
        get
        {
            var now = Now();
            TimeSpan? next = null;
            foreach (var resource in observed.Values)
            {
                if (DueAt(resource) is { } due && (next is null || due - now < next))
                {
                    next = due - now;
                }
            }
            return next < TimeSpan.Zero ? TimeSpan.Zero : next;
        }
    }

    /// <summary>Observes a resource, or changes how. What was told before still counts.</summary>
    public void Observe(string resource, ObserveAttributes attributes)
    {
        if (observed.TryGetValue(resource, out var known))
        {
            known.Attributes = attributes;
        }
        else
        {
            observed.Add(resource, new(resource, attributes));
        }
    }

    /// <summary>No longer observes a resource.</summary>
    public void Forget(string resource) => observed.Remove(resource);

    /// <summary>Takes a reading. Of a resource that is not observed: nothing happens.</summary>
    /// <param name="resource">Its name.</param>
    /// <param name="value">A string, number or boolean.</param>
    /// <param name="readAt">When it was read, UTC.</param>
    /// <exception cref="EdgeDmException"><c>tooLarge</c>: alone it does not fit into a notification.</exception>
    public void Set(string resource, JsonElement value, DateTimeOffset readAt)
    {
        if (!observed.TryGetValue(resource, out var known))
        {
            return;
        }
        var reading = new ResourceValue(resource, value, readAt);
        NotificationBatch.RequireFits(reading);
        known.Take(reading);
    }

    /// <summary>The resource cannot be read now: nothing is told of it until it can, not even its last value.</summary>
    public void SetUnavailable(string resource)
    {
        if (observed.TryGetValue(resource, out var known))
        {
            known.Current = null;
        }
    }

    /// <summary>Everything that is due, in as few notifications as their size allows; none when nothing is.</summary>
    public IReadOnlyList<Notification> TakeDue()
    {
        var now = Now();
        var due = new List<ResourceValue>();
        foreach (var resource in observed.Values)
        {
            if (DueAt(resource) <= now)
            {
                due.Add(resource.Current!);
                resource.Told(now);
            }
        }
        return NotificationBatch.Split(due);
    }

    private static TimeSpan? DueAt(Observed resource)
    {
        if (resource.Current is null)
        {
            return null;
        }
        if (resource.ToldAt is not { } told)
        {
            return TimeSpan.Zero;
        }
        var earliest = told + resource.Attributes.MinPeriod;
        var max = resource.Attributes.MaxPeriod;
        TimeSpan? latest = null;
        if (max >= resource.Attributes.MinPeriod)
        {
            var rounded = Floor(told + max);
            latest = rounded >= earliest ? rounded : told + max;
        }
        if (!resource.Pending)
        {
            return latest;
        }
        var change = resource.Attributes.MinPeriod == TimeSpan.Zero ? earliest : Ceiling(earliest);
        return latest < change ? latest : change;
    }

    private TimeSpan Now() => time.GetElapsedTime(origin);

    private static TimeSpan Floor(TimeSpan span) => new(span.Ticks - span.Ticks % Second.Ticks);

    private static TimeSpan Ceiling(TimeSpan span) => Floor(span + Second - TimeSpan.FromTicks(1));

    /// <summary>One resource's present.</summary>
    private sealed class Observed(string name, ObserveAttributes attributes)
    {
        private JsonElement? lastTold;
        private double? previous;

        public string Name { get; } = name;

        public ObserveAttributes Attributes { get; set; } = attributes;

        /// <summary>The newest reading; null while unavailable.</summary>
        public ResourceValue? Current { get; set; }

        /// <summary>A condition was met since the last notification. Stays so even when the value comes back: the crossing happened.</summary>
        public bool Pending { get; private set; }

        public TimeSpan? ToldAt { get; private set; }

        public void Take(ResourceValue reading)
        {
            Current = reading;
            var number = Number(reading.Value);
            Pending |= lastTold is { } told && IsNews(told, reading.Value, number);
            previous = number;
        }

        public void Told(TimeSpan at)
        {
            lastTold = Current!.Value;
            ToldAt = at;
            Pending = false;
        }

        private bool IsNews(JsonElement told, JsonElement value, double? number)
        {
            if (number is not { } now || !Attributes.HasConditions)
            {
                return !JsonElement.DeepEquals(told, value);
            }
            var (more, less) = (Attributes.GreaterThan, Attributes.LessThan);
            return (previous is { } before && ((before > more) != (now > more) || (before < less) != (now < less)))
                || (Number(told) is { } last && Math.Abs(now - last) >= Attributes.Step);
        }

        private static double? Number(JsonElement value) =>
            value.ValueKind == JsonValueKind.Number ? value.GetDouble() : null;
    }
}
