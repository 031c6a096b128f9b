using EdgeDm.DevHub.Identities;
using EdgeDm.DevHub.Routing;

namespace EdgeDm.DevHub.Queues;

/// <summary>What waits together: the messages for one input of a module, or those from the cloud for a device.</summary>
/// <param name="Receiver">Who takes them.</param>
/// <param name="Input">The module's input; null = messages from the cloud.</param>
public readonly record struct QueueName(HubIdentity Receiver, string? Input)
{
    /// <inheritdoc/>
    public override string ToString() => Input is null ? $"{Receiver}" : $"{Receiver}/inputs/{Input}";
}

/// <summary>A message that waits for its receiver.</summary>
/// <param name="Queue">Where it waits.</param>
/// <param name="Message">What.</param>
/// <param name="Priority">Of the route that it took; 0 is first.</param>
/// <param name="Sequence">Order of arrival, over all queues, also those of an earlier process.</param>
/// <param name="Expires">When it is dropped; null = never.</param>
public sealed record QueuedMessage(
    QueueName Queue,
    HubMessage Message,
    uint Priority,
    long Sequence,
    DateTimeOffset? Expires
)
{
    /// <summary>Bytes that it costs to keep.</summary>
    public long Size { get; } = Message.Size;
}
