using System.Runtime.CompilerServices;
using EdgeDm.Hub.Internal;

namespace EdgeDm.Hub;

/// <summary>A kind of incoming data that can be subscribed to.</summary>
/// <typeparam name="T">One item.</typeparam>
public sealed class HubChannel<T>
{
    internal HubChannel(Func<IoTHubSession, CancellationToken, ValueTask<HubSubscription<T>>> open) => Open = open;

    internal Func<IoTHubSession, CancellationToken, ValueTask<HubSubscription<T>>> Open { get; }
}

/// <summary>The kinds of incoming data.</summary>
public static class HubChannel
{
    /// <summary>Messages at all inputs that have no reader of their own. Module only.</summary>
    public static HubChannel<HubMessage> Inputs { get; } =
        new((session, token) => session.OpenInputsAsync(null, token));

    /// <summary>Direct method calls.</summary>
    public static HubChannel<DirectMethodRequest> Methods { get; } =
        new((session, token) => session.OpenMethodsAsync(token));

    /// <summary>Changes of desired properties, as they come: with gaps and repeats. <see cref="IoTHubSession.WatchTwinAsync"/> has none.</summary>
    public static HubChannel<DesiredUpdate> DesiredUpdates { get; } =
        new((session, token) => session.OpenDesiredAsync(token));

    /// <summary>Messages from the cloud. Device only.</summary>
    public static HubChannel<HubMessage> CloudMessages { get; } =
        new((session, token) => session.OpenCloudMessagesAsync(token));

    /// <summary>Messages at one input. Module only.</summary>
    public static HubChannel<HubMessage> Input(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return new((session, token) => session.OpenInputsAsync(name, token));
    }
}

/// <summary>
/// Incoming data of one kind: the hub has confirmed it, nothing sent from now on is missed. Ends when the session is disposed;
/// throws <see cref="ConnectionLostException"/>, after the items that had come, when it is lost.
/// </summary>
/// <typeparam name="T">One item.</typeparam>
public sealed class HubSubscription<T> : IAsyncEnumerable<T>, IAsyncDisposable
{
    private readonly Inbox<T> inbox;
    private readonly Action<T> finished;
    private readonly Func<T, bool> isFinished;
    private readonly Func<ValueTask> close;
    private readonly Func<T, HubOperation?>? watch;
    private int disposed;

    internal HubSubscription(
        Inbox<T> inbox,
        Action<T> finished,
        Func<T, bool> isFinished,
        Func<ValueTask> close,
        Func<T, HubOperation?>? watch = null
    )
    {
        this.watch = watch;
        this.inbox = inbox;
        this.finished = finished;
        this.isFinished = isFinished;
        this.close = close;
    }

    /// <summary>For <c>await foreach</c>, one loop at a time. A loop that is left returns its unfinished item.</summary>
    public IAsyncEnumerator<T> GetAsyncEnumerator(CancellationToken cancellationToken = default) =>
        ReadAsync(cancellationToken).GetAsyncEnumerator(cancellationToken);

    /// <summary>Ends the subscription; the last reader of a kind tells the hub.</summary>
    public ValueTask DisposeAsync() => Interlocked.Exchange(ref disposed, 1) == 0 ? close() : ValueTask.CompletedTask;

    private async IAsyncEnumerable<T> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!inbox.TryTake(out var item))
            {
                if (await inbox.WaitAsync(cancellationToken))
                {
                    continue;
                }
                yield break;
            }
            using var operation = watch?.Invoke(item);
            var asked = false;
            try
            {
                yield return item;
                asked = true;
            }
            finally
            {
                if (!asked && !isFinished(item))
                {
                    inbox.PutBack(item);
                }
            }
            finished(item);
        }
    }
}
