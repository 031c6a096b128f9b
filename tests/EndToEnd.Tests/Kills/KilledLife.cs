namespace EdgeDm.EndToEnd.Tests.Kills;

/// <summary>One gateway, one kill, one check.</summary>
internal static class KilledLife
{
    /// <summary>About what an undisturbed life's update takes here; moments by the clock are parts of it.</summary>
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(8);

    /// <summary>
    /// Runs a case. Returns null when the failpoint was not passed as often as the case asks.
    /// </summary>
    public static async Task<CheckedLife?> RunAsync(KillCase kill)
    {
        await using var gateway = await KillableGateway.StartAsync();
        var life = new GatewayLife(gateway);
        var killed = true;
        if (kill.Failpoint is { } point)
        {
            gateway.Arm(point.Module, point.Point, point.Passage);
            using var over = new CancellationTokenSource();
            var watching = WatchAsync(gateway, kill, point.Module, over.Token);
            try
            {
                await life.RunAsync();
            }
            finally
            {
                await over.CancelAsync();
                killed = await watching; // It may be starting the hub again.
            }
        }
        else
        {
            await life.RunAsync(async () =>
            {
                // The moment is what is tested: it is a time, not a wait for something.
                using var timer = new PeriodicTimer(Duration * kill.Part);
                await timer.WaitForNextTickAsync();
                await gateway.KillAsync(kill.Victims);
            });
        }
        var checkedLife = await life.CheckAsync(kill.MayFail);
        return killed ? checkedLife : null;
    }

    private static async Task<bool> WatchAsync(
        KillableGateway gateway,
        KillCase kill,
        string module,
        CancellationToken over
    )
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        try
        {
            while (!gateway.HasFired(module))
            {
                await timer.WaitForNextTickAsync(over);
            }
        }
        catch (OperationCanceledException)
        {
            return gateway.HasFired(module);
        }
        if (kill.Victims == KillCase.Everything)
        {
            await gateway.KillAsync(KillCase.Everything);
        }
        return true;
    }
}
