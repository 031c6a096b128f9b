namespace EdgeDm.HostAccess.Hosts;

/// <summary>Waiting for units.</summary>
internal static class HostUnitsWait
{
    private static readonly TimeSpan FirstLook = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(500);

    /// <summary>Returns when the unit does not run any more. The unit goes on when the wait is cancelled.</summary>
    public static async Task<UnitState> WaitAsync(
        this IHostUnits units,
        string name,
        TimeProvider time,
        CancellationToken cancel
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
            await Task.Delay(pause, time, cancel);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }
}
