using EdgeDm.Mqtt;

namespace EdgeDm.Hub.Internal;

/// <summary>
/// One topic filter, subscribed while it has readers. The first reader subscribes, further ones wait for the same SUBACK, the
/// last one unsubscribes. Packets leave in the order of the calls, so no lock is held over the network.
/// </summary>
internal sealed class FeedSubscription(IoTHubSession session, string filter, MqttQoS qos)
{
    private readonly Lock gate = new();
    private Task? subscribed;
    private int readers;

    /// <summary>Returns after SUBACK. When it throws, nothing is held.</summary>
    public async ValueTask AcquireAsync(CancellationToken cancellationToken)
    {
        Task waiting;
        lock (gate)
        {
            readers++;
            waiting = subscribed ??= session.SubscribeFilterAsync(filter, qos);
        }
        try
        {
            await waiting.WaitAsync(cancellationToken);
        }
        catch
        {
            await ReleaseAsync();
            throw;
        }
    }

    /// <summary>Gives it back. Never throws: a connection that is gone has no subscriptions.</summary>
    public async ValueTask ReleaseAsync()
    {
        Task unsubscribed;
        lock (gate)
        {
            if (--readers > 0)
            {
                return;
            }
            subscribed = null;
            unsubscribed = session.UnsubscribeFilterAsync(filter);
        }
        try
        {
            await unsubscribed;
        }
        catch (Exception error) when (error is HubException or ObjectDisposedException or TimeoutException)
        {
            // Nothing to take back any more.
        }
    }
}
