using System.Threading.Channels;

namespace EdgeDm.Hosting;

/// <summary>Wakes one waiter. Set many times before a wait, it wakes once.</summary>
public sealed class AsyncAutoResetEvent
{
    private readonly Channel<bool> channel = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite }
    );

    /// <summary>Wakes the waiter, or the next one.</summary>
    public void Set() => channel.Writer.TryWrite(true);

    /// <summary>Waits for the next <see cref="Set"/>, or returns at once when there was one since the last wait.</summary>
    public async ValueTask WaitAsync(CancellationToken cancellationToken) =>
        await channel.Reader.ReadAsync(cancellationToken);
}
