using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace EdgeDm.Hub;

/// <summary>A message to the hub.</summary>
/// <param name="Payload">The body; must not change until the send has completed.</param>
public sealed record OutboundMessage(ReadOnlyMemory<byte> Payload)
{
    private Rare rare = Rare.None;

    /// <summary><c>$.mid</c>. Set one: delivery is at least once, and the receiver tells repeats by it.</summary>
    public string? MessageId { get; init; }

    /// <summary><c>$.cid</c>.</summary>
    public string? CorrelationId { get; init; }

    /// <summary><c>$.ct</c>, for example <c>application/json</c>.</summary>
    public string? ContentType { get; init; }

    /// <summary><c>$.ce</c>: <c>utf-8</c>, <c>utf-16</c> or <c>utf-32</c> where routes are to read the body.</summary>
    public string? ContentEncoding { get; init; }

    /// <summary>Application properties; names that begin with <c>$</c> belong to the hub.</summary>
    public IReadOnlyDictionary<string, string>? Properties { get; init; }

    /// <summary><c>$.uid</c>: who made it.</summary>
    public string? UserId
    {
        get => rare.UserId;
        init => rare = rare with { UserId = value };
    }

    /// <summary><c>$.ifid</c>: the interface (DTDL) that it belongs to.</summary>
    public string? InterfaceId
    {
        get => rare.InterfaceId;
        init => rare = rare with { InterfaceId = value };
    }

    /// <summary><c>$.sub</c>: the component (DTDL) that it belongs to.</summary>
    public string? ComponentName
    {
        get => rare.ComponentName;
        init => rare = rare with { ComponentName = value };
    }

    /// <summary><c>$.ctime</c>: when it was made.</summary>
    public DateTimeOffset? CreatedOn
    {
        get => rare.CreatedOn;
        init => rare = rare with { CreatedOn = value };
    }

    /// <summary><c>$.exp</c>: when nobody wants it any more.</summary>
    public DateTimeOffset? ExpiresOn
    {
        get => rare.ExpiresOn;
        init => rare = rare with { ExpiresOn = value };
    }

    /// <summary>A text, as <c>text/plain</c> in UTF-8.</summary>
    public static OutboundMessage FromText(string text) =>
        new(Encoding.UTF8.GetBytes(text)) { ContentType = "text/plain", ContentEncoding = "utf-8" };

    /// <summary>A value, as <c>application/json</c> in UTF-8.</summary>
    public static OutboundMessage FromJson<T>(T value, JsonTypeInfo<T> typeInfo) =>
        new(JsonSerializer.SerializeToUtf8Bytes(value, typeInfo))
        {
            ContentType = "application/json",
            ContentEncoding = "utf-8",
        };

    internal bool HasRare => !ReferenceEquals(rare, Rare.None);

    /// <summary>What few messages have: beside the others it would make each message half as large again.</summary>
    private sealed record Rare(
        string? UserId,
        string? InterfaceId,
        string? ComponentName,
        DateTimeOffset? CreatedOn,
        DateTimeOffset? ExpiresOn
    )
    {
        public static readonly Rare None = new(null, null, null, null, null);
    }
}
