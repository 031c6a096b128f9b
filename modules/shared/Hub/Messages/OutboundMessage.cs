namespace EdgeDm.Hub;

/// <summary>A message to the hub.</summary>
/// <param name="Payload">The body; must not change until the send has completed.</param>
public sealed record OutboundMessage(ReadOnlyMemory<byte> Payload)
{
    /// <summary><c>$.mid</c>. Set one: delivery is at least once, and the receiver tells repeats by it.</summary>
    public string? MessageId { get; init; }

    /// <summary><c>$.cid</c>.</summary>
    public string? CorrelationId { get; init; }

    /// <summary><c>$.ct</c>, for example <c>application/json</c>.</summary>
    public string? ContentType { get; init; }

    /// <summary><c>$.ce</c>, for example <c>utf-8</c>.</summary>
    public string? ContentEncoding { get; init; }

    /// <summary>Application properties; names that begin with <c>$</c> belong to the hub.</summary>
    public IReadOnlyDictionary<string, string>? Properties { get; init; }
}
