namespace EdgeDm.Hub;

/// <summary>Someone calls a direct method.</summary>
public sealed class DirectMethodRequest
{
    private int answered;

    internal DirectMethodRequest(string name, string requestId, ReadOnlyMemory<byte> payload, long receivedAt)
    {
        Name = name;
        RequestId = requestId;
        Payload = payload;
        ReceivedAt = receivedAt;
    }

    /// <summary>The method's name.</summary>
    public string Name { get; }

    /// <summary>The hub's id of the call; opaque.</summary>
    public string RequestId { get; }

    /// <summary>JSON, or empty.</summary>
    public ReadOnlyMemory<byte> Payload { get; }

    /// <summary>Time stamp of the session's clock.</summary>
    internal long ReceivedAt { get; }

    /// <summary>True for the first taker.</summary>
    internal bool TryAnswer() => Interlocked.Exchange(ref answered, 1) == 0;
}

/// <summary>A direct method's answer.</summary>
/// <param name="Status">HTTP-like; not 0.</param>
/// <param name="Utf8Json">JSON, at most 128 KB; empty = no payload.</param>
public readonly record struct MethodResult(int Status, ReadOnlyMemory<byte> Utf8Json = default);
