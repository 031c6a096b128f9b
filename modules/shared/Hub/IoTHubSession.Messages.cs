using System.Runtime.CompilerServices;
using EdgeDm.Hub.Internal;

namespace EdgeDm.Hub;

public sealed partial class IoTHubSession
{
    private readonly MessageFeed messages;

    /// <summary>
    /// Messages at the module's inputs. Each is acknowledged when the loop asks for the next one, or by
    /// <see cref="HubMessage.AckAsync"/>. A loop that is left before that gives its message back; it is not lost.
    /// </summary>
    /// <param name="inputName">One input; null = all that have no reader of their own. One reader per name.</param>
    /// <param name="cancellationToken">Ends the loop.</param>
    /// <exception cref="InvalidOperationException">There is a reader already, or this is a device.</exception>
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

    /// <summary>Messages from the cloud to the device, acknowledged as those of <see cref="ReadInputsAsync"/>. One reader.</summary>
    /// <param name="cancellationToken">Ends the loop.</param>
    /// <exception cref="InvalidOperationException">There is a reader already, or this is a module.</exception>
    public async IAsyncEnumerable<HubMessage> ReadCloudMessagesAsync(
        [EnumeratorCancellation] CancellationToken cancellationToken = default
    )
    {
        await using var subscription = await OpenCloudMessagesAsync(cancellationToken);
        await foreach (var message in subscription.WithCancellation(cancellationToken))
        {
            yield return message;
        }
    }

    /// <summary>The explicit form: returns when the hub has confirmed the subscription.</summary>
    /// <exception cref="SubscriptionRefusedException">The hub refused.</exception>
    /// <exception cref="InvalidOperationException">There is a reader already, or this identity has no such channel.</exception>
    public ValueTask<HubSubscription<T>> SubscribeAsync<T>(
        HubChannel<T> channel,
        CancellationToken cancellationToken = default
    ) => channel.Open(this, cancellationToken);

    internal ValueTask<HubSubscription<HubMessage>> OpenInputsAsync(
        string? name,
        CancellationToken cancellationToken
    ) =>
        ModuleId is not null
            ? messages.OpenAsync(name, cancellationToken)
            : throw new InvalidOperationException("A device has no inputs.");

    internal ValueTask<HubSubscription<HubMessage>> OpenCloudMessagesAsync(CancellationToken cancellationToken) =>
        ModuleId is null
            ? messages.OpenAsync(null, cancellationToken)
            : throw new InvalidOperationException("A module gets no messages from the cloud; its device does.");
}
