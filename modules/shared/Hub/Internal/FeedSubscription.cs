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
            Release();
            throw;
        }
    }

    /// <summary>Gives it back. The hub's answer is not waited for: nobody could do anything about it.</summary>
    public void Release()
    {
        lock (gate)
        {
            if (--readers == 0)
            {
                subscribed = null;
                session.UnsubscribeFilter(filter);
            }
        }
    }
}
