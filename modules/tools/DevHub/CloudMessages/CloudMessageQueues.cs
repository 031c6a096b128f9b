using System.Globalization;
using EdgeDm.DevHub.Identities;
using EdgeDm.DevHub.Queues;
using EdgeDm.DevHub.Routing;

namespace EdgeDm.DevHub.CloudMessages;

/// <summary>
/// Messages from the cloud to devices: a queue for each, in the same store as the inputs' messages, so that they survive what those
/// survive. Delivered until the device acknowledges them or their time is over. Safe for use by many threads.
/// </summary>
internal sealed class CloudMessageQueues(MessageStore store, CloudMessageLimits limits, TimeProvider time)
{
    private readonly Lock gate = new();

    /// <summary>Takes a message for a device. Completes when it is accepted, on disk where the queues are.</summary>
    /// <param name="deviceId">Whom for.</param>
    /// <param name="message">With <c>absoluteExpiryTimeUtc</c> among its system properties, or without for the usual time.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="HubException">It is too large, its time is wrong, or too many wait.</exception>
    public ValueTask SendAsync(string deviceId, HubMessage message, CancellationToken cancellationToken)
    {
        var size = SizeOf(message);
        if (size > limits.LargestMessage)
        {
            throw new HubException(
                HubError.MessageTooLarge,
                $"The message has {size} bytes, properties counted, and {limits.LargestMessage} is the most."
            );
        }
        var life = LifeOf(message);
        // Counted and added together: two senders must not both be the last.
        lock (gate)
        {
            if (Count(deviceId) >= limits.MostWaiting)
            {
                throw new HubException(
                    HubError.DeviceMaximumQueueDepthExceeded,
                    $"{limits.MostWaiting} messages wait for '{deviceId}', which is the most. Purge them or have the device read."
                );
            }
            return store.EnqueueAsync(QueueOf(deviceId), message, priority: 0, life, cancellationToken);
        }
    }

    /// <summary>How many wait for a device.</summary>
    public int Count(string deviceId) => store.Count(QueueOf(deviceId));

    /// <summary>Forgets what waits for a device, and tells how many those were.</summary>
    public int Purge(string deviceId) => store.Purge(QueueOf(deviceId));

    private TimeSpan LifeOf(HubMessage message)
    {
        if (!message.System.TryGetValue(MessageProperties.Expiry, out var text))
        {
            return limits.EffectiveDefaultLife;
        }
        var left = DateTimeOffset.TryParse(
            text,
            CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal,
            out var expiry
        )
            ? expiry - time.GetUtcNow()
            : TimeSpan.Zero;
        return left > TimeSpan.Zero && left <= limits.EffectiveLongestLife
            ? left
            : throw new HubException(
                HubError.InvalidMessageExpiryTime,
                $"$.exp is '{text}' instead of a time within the next {limits.EffectiveLongestLife.TotalHours} hours."
            );
    }

    private static long SizeOf(HubMessage message) =>
        message.Body.Length + message.System.Size + message.Properties.Size;

    private static QueueName QueueOf(string deviceId) => new(new HubIdentity(deviceId), Input: null);
}
