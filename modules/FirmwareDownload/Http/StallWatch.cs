namespace EdgeDm.FirmwareDownload.Http;

/// <summary>
/// Ends an attempt that crawls. One timer per attempt looks once per window at the bytes that came in, so reading costs
/// an addition and allocates nothing. Time that the disk takes does not count.
/// </summary>
internal sealed class StallWatch : IDisposable
{
    private readonly CancellationTokenSource source;
    private readonly ITimer timer;
    private readonly long least;
    private long received;
    private int waiting;
    private volatile bool stalled;

    /// <summary>Begins to watch.</summary>
    public StallWatch(DownloadOptions options, TimeProvider time, CancellationToken cancel)
    {
        source = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        least = options.LeastProgressBytes;
        timer = time.CreateTimer(_ => Look(), null, options.StallWindow, options.StallWindow);
    }

    /// <summary>Cancelled when the transfer stalls or the caller's token is.</summary>
    public CancellationToken Token => source.Token;

    /// <summary>The transfer was ended by this watch.</summary>
    public bool Stalled => stalled;

    /// <summary>A read begins.</summary>
    public void Waiting() => Volatile.Write(ref waiting, 1);

    /// <summary>A read ended.</summary>
    public void Received(int bytes)
    {
        Volatile.Write(ref waiting, 0);
        Interlocked.Add(ref received, bytes);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        timer.Dispose();
        source.Dispose();
    }

    private void Look()
    {
        if (Interlocked.Exchange(ref received, 0) >= least || Volatile.Read(ref waiting) == 0)
        {
            return;
        }
        stalled = true;
        try
        {
            source.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The attempt ended in the same moment.
        }
    }
}
