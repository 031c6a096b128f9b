namespace EdgeDm.Hosting;

/// <summary>Runs the parts of a program that belong together.</summary>
public static class FirstToEnd
{
    /// <summary>
    /// Runs all parts until the first ends, then cancels the others and waits for them. A part that failed fails the
    /// whole; a part that was cancelled because another ended does not.
    /// </summary>
    public static async Task RunAsync(CancellationToken cancellationToken, params Func<CancellationToken, Task>[] parts)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var running = parts.Select(part => Task.Run(() => part(stop.Token), CancellationToken.None)).ToList();
        var first = await Task.WhenAny(running);
        await stop.CancelAsync();
        foreach (var part in running)
        {
            try
            {
                await part;
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested && part != first)
            {
                // Ended because the first did.
            }
        }
    }
}
