using EdgeDm.Mqtt;

namespace EdgeDm.Hub.Internal;

/// <summary>
/// Hands messages to the reader of their input, else to the reader of all, else keeps them: a hub that remembers the
/// subscription sends before it is asked. edgeHub knows no subscription to a single input, so there is one for all.
/// </summary>
internal sealed class MessageFeed(IoTHubSession session, string filter, int capacity)
{
    private const string Everything = "";

    private readonly Lock gate = new();
    private readonly FeedSubscription subscription = new(session, filter, MqttQoS.AtLeastOnce);
    private readonly Dictionary<string, Inbox<HubMessage>> readers = [];
    private readonly List<HubMessage> unclaimed = [];
    private Exception? error;
    private bool completed;

    public async ValueTask<HubSubscription<HubMessage>> OpenAsync(string? name, CancellationToken cancellationToken)
    {
        var key = name ?? Everything;
        var inbox = new Inbox<HubMessage>(capacity);
        lock (gate)
        {
            if (!readers.TryAdd(key, inbox))
            {
                throw new InvalidOperationException($"There is a reader of '{name ?? "*"}' already.");
            }
            Deal();
            if (completed)
            {
                inbox.Complete(error);
            }
        }
        try
        {
            await subscription.AcquireAsync(cancellationToken);
        }
        catch
        {
            Remove(key, inbox);
            throw;
        }
        return new(
            inbox,
            message => message.Acknowledge(),
            message => message.IsAcknowledged,
            () =>
            {
                Remove(key, inbox);
                subscription.Release();
                return ValueTask.CompletedTask;
            },
            Watch
        );
    }

    public bool TryAdd(HubMessage message)
    {
        lock (gate)
        {
            if (Find(message) is { } inbox)
            {
                return inbox.TryAdd(message);
            }
            unclaimed.Add(message);
            return unclaimed.Count <= capacity;
        }
    }

    public void Complete(Exception? reason)
    {
        lock (gate)
        {
            completed = true;
            error = reason;
            foreach (var inbox in readers.Values)
            {
                inbox.Complete(reason);
            }
        }
    }

    private HubOperation? Watch(HubMessage message)
    {
        if (!HubInstruments.IsWatched(HubOperationKind.Receive))
        {
            return null;
        }
        var operation = HubInstruments.Begin(
            session,
            HubOperationKind.Receive,
            message.InputName.Length > 0 ? message.InputName : null
        );
        operation.Describe(message.MessageId, message.Payload.Length);
        return operation;
    }

    private Inbox<HubMessage>? Find(HubMessage message) =>
        readers.GetValueOrDefault(message.InputName) ?? readers.GetValueOrDefault(Everything);

    private void Remove(string key, Inbox<HubMessage> inbox)
    {
        lock (gate)
        {
            readers.Remove(key);
            unclaimed.InsertRange(0, inbox.Drain());
            Deal();
        }
    }

    private void Deal() => unclaimed.RemoveAll(message => Find(message)?.TryAdd(message) ?? false);
}
