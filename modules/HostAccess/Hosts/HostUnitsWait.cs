namespace EdgeDm.HostAccess.Hosts;

/// <summary>Waiting for units.</summary>
internal static class HostUnitsWait
{
    private static readonly TimeSpan FirstLook = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(500);

    /// <summary>Returns when the unit does not run any more. The unit goes on when the wait is cancelled.</summary>
    /// <param name="units">The host's.</param>
    /// <param name="name">Which one.</param>
    /// <param name="time">For the pauses.</param>
    /// <param name="cancel">Ends the waiting.</param>
    /// <param name="look">Called at each look at a unit that still runs.</param>
    public static async Task<UnitState> WaitAsync(
        this IHostUnits units,
        string name,
        TimeProvider time,
        CancellationToken cancel,
        Action? look = null
    )
    {
        var pause = FirstLook;
        while (true)
        {
            var state = units.Query(name);
            if (state.Phase != UnitPhase.Running)
            {
                return state;
            }
            look?.Invoke();
            await Task.Delay(pause, time, cancel);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }
}
