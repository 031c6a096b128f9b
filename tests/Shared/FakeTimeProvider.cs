namespace EdgeDm.Testing;

/// <summary>
/// A clock that stands still until a test moves it. Timers fire inside <see cref="Advance"/>, in order of their due time,
/// each seeing the time it asked for.
/// </summary>
public sealed class FakeTimeProvider : TimeProvider
{
    private readonly Lock gate = new();
    private readonly List<FakeTimer> timers = [];
    private TaskCompletionSource changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private DateTimeOffset utcNow;
    private long ticks;

    /// <summary>Starts at the given time.</summary>
    public FakeTimeProvider(DateTimeOffset? start = null) =>
        utcNow = start ?? new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <inheritdoc/>
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <inheritdoc/>
    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow()
    {
        lock (gate)
        {
            return utcNow;
        }
    }

    /// <inheritdoc/>
    public override long GetTimestamp()
    {
        lock (gate)
        {
            return ticks;
        }
    }

    /// <summary>Lets time pass.</summary>
    public void Advance(TimeSpan span)
    {
        long end;
        lock (gate)
        {
            end = ticks + span.Ticks;
        }
        while (TakeDue(end) is { } due)
        {
            due.Fire();
        }
        lock (gate)
        {
            Pass(end - ticks);
        }
    }

    /// <summary>Sets the wall clock only, as an operator or NTP does; the monotonic clock and the timers do not notice.</summary>
    public void StepClock(TimeSpan by)
    {
        lock (gate)
        {
            utcNow += by;
        }
    }

    /// <summary>Time until the next timer; null when none is armed.</summary>
    public TimeSpan? NextTimer
    {
        get
        {
            lock (gate)
            {
                var armed = timers.Where(t => t.Due is not null).ToArray();
                return armed.Length == 0 ? null : TimeSpan.FromTicks(Math.Max(0, armed.Min(t => t.Due!.Value) - ticks));
            }
        }
    }

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new FakeTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Waits until a timer is armed that is due in exactly this time: the code under test has begun its wait.</summary>
    public async Task WaitForTimerAsync(TimeSpan dueIn)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (true)
        {
            Task next;
            lock (gate)
            {
                if (timers.Exists(t => t.Due == ticks + dueIn.Ticks))
                {
                    return;
                }
                next = changed.Task;
            }
            await next.WaitAsync(limit.Token);
        }
    }

    private FakeTimer? TakeDue(long end)
    {
        lock (gate)
        {
            var next = timers.Where(t => t.Due is { } due && due <= end).MinBy(t => t.Due);
            if (next is null)
            {
                return null;
            }
            Pass(Math.Max(0, next.Due!.Value - ticks));
            next.Due = next.Period is { } period ? ticks + period : null;
            return next;
        }
    }

    private void Pass(long span)
    {
        ticks += span;
        utcNow += TimeSpan.FromTicks(span);
    }

    private sealed class FakeTimer(FakeTimeProvider clock, TimerCallback callback, object? state) : ITimer
    {
        public long? Due { get; set; }

        public long? Period { get; private set; }

        public void Fire() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (clock.gate)
            {
                Due = dueTime == Timeout.InfiniteTimeSpan ? null : clock.ticks + dueTime.Ticks;
                Period = period <= TimeSpan.Zero ? null : period.Ticks;
                if (!clock.timers.Contains(this))
                {
                    clock.timers.Add(this);
                }
                clock.changed.TrySetResult();
                clock.changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
                return true;
            }
        }

        public void Dispose()
        {
            lock (clock.gate)
            {
                clock.timers.Remove(this);
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
