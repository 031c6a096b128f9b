namespace EdgeDm.DevHub.Tests;

/// <summary>For what can only be asked after again and again.</summary>
internal static class HubWait
{
    /// <summary>Returns when it is so; fails when it is not within <see cref="TestHub.Patience"/>.</summary>
    public static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        using var patience = new CancellationTokenSource(TestHub.Patience);
        using var period = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!await isSo())
        {
            await period.WaitForNextTickAsync(patience.Token);
        }
    }
}
