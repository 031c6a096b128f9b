using System.Runtime.CompilerServices;
using EdgeDm.Hub.Internal;
using EdgeDm.Mqtt;
using EdgeDm.Mqtt.IoTHub;

namespace EdgeDm.Hub;

public sealed partial class IoTHubSession
{
    private readonly InputFeed? inputs;

    /// <summary>
    /// Messages at the module's inputs. Each is acknowledged when the loop asks for the next one, or by
    /// <see cref="HubMessage.AckAsync"/>. A loop that is left before that gives its message back; it is not lost.
    /// </summary>
    /// <param name="inputName">One input; null = all that have no reader of their own. One reader per name.</param>
    /// <param name="cancellationToken">Ends the loop.</param>
    public async IAsyncEnumerable<HubMessage> ReadInputsAsync(
        string? inputName = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default
    )
    {
        await using var subscription = await OpenInputsAsync(inputName, cancellationToken);
        await foreach (var message in subscription.WithCancellation(cancellationToken))
        {
            yield return message;
        }
    }

    /// <summary>The explicit form: returns when the hub has confirmed the subscription.</summary>
    /// <exception cref="SubscriptionRefusedException">The hub refused.</exception>
    /// <exception cref="InvalidOperationException">There is a reader already, or a device has no such channel.</exception>
    public ValueTask<HubSubscription<T>> SubscribeAsync<T>(
        HubChannel<T> channel,
        CancellationToken cancellationToken = default
    ) => channel.Open(this, cancellationToken);

    internal ValueTask<HubSubscription<HubMessage>> OpenInputsAsync(
        string? name,
        CancellationToken cancellationToken
    ) =>
        inputs is not null
            ? inputs.OpenAsync(name, cancellationToken)
            : throw new InvalidOperationException("A device has no inputs.");

    /// <summary>
    /// Hands input messages to the reader of their name, else to the reader of all, else keeps them: a hub that remembers the
    /// subscription sends before it is asked. edgeHub knows no subscription to a single input, so there is one for all.
    /// </summary>
    private sealed class InputFeed(IoTHubSession session, int capacity)
    {
        private const string AllInputs = "";

        private readonly Lock gate = new();
        private readonly FeedSubscription subscription = new(
            session,
            HubTopics.InputsFilter(session.DeviceId, session.ModuleId!),
            MqttQoS.AtLeastOnce
        );
        private readonly Dictionary<string, Inbox<HubMessage>> readers = [];
        private readonly List<HubMessage> unclaimed = [];
        private Exception? error;
        private bool completed;

        public async ValueTask<HubSubscription<HubMessage>> OpenAsync(string? name, CancellationToken cancellationToken)
        {
            var key = name ?? AllInputs;
            var inbox = new Inbox<HubMessage>(capacity);
            lock (gate)
            {
                if (!readers.TryAdd(key, inbox))
                {
                    throw new InvalidOperationException($"There is a reader of input '{name ?? "*"}' already.");
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
                }
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

        private Inbox<HubMessage>? Find(HubMessage message) =>
            readers.GetValueOrDefault(message.InputName) ?? readers.GetValueOrDefault(AllInputs);

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
}
