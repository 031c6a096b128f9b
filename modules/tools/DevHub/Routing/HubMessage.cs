using System.Collections.Frozen;
using EdgeDm.DevHub.Identities;

namespace EdgeDm.DevHub.Routing;

/// <summary>A message on its way.</summary>
/// <param name="Source">Where it came from, as routes see it, for example <c>/messages/modules/m/outputs/o</c>.</param>
/// <param name="System">System properties by the names of <see cref="MessageProperties"/>.</param>
/// <param name="Properties">The sender's own properties.</param>
/// <param name="Body">Its bytes, untouched.</param>
public sealed record HubMessage(string Source, MessageBag System, MessageBag Properties, ReadOnlyMemory<byte> Body)
{
    private const int Overhead = 256;

    /// <summary>Bytes that it costs to keep.</summary>
    public long Size => Overhead + Body.Length + System.Size + Properties.Size;

    /// <summary>The source of a client's message.</summary>
    /// <param name="sender">Device or module.</param>
    /// <param name="output">The module's output; null = none named.</param>
    public static string SourceOf(HubIdentity sender, string? output) =>
        sender.ModuleId is null ? "/messages"
        : output is null ? $"/messages/modules/{sender.ModuleId}"
        : $"/messages/modules/{sender.ModuleId}/outputs/{output}";
}

/// <summary>Names of system properties, and how they stand in a topic's property bag (after <c>$.</c>), as edgeHub maps them.</summary>
public static class MessageProperties
{
    public const string ConnectionDeviceId = "connectionDeviceId";
    public const string ConnectionModuleId = "connectionModuleId";
    public const string ConnectionAuthMethod = "connectionAuthMethod";
    public const string ContentEncoding = "contentEncoding";
    public const string ContentType = "contentType";
    public const string EnqueuedTime = "enqueuedTime";
    public const string Expiry = "absoluteExpiryTimeUtc";
    public const string MessageId = "messageId";
    public const string OutputName = "outputName";

    /// <summary>What a client may set.</summary>
    public static readonly FrozenDictionary<string, string> Incoming = new Dictionary<string, string>(
        StringComparer.Ordinal
    )
    {
        ["$.exp"] = Expiry,
        ["$.cid"] = "correlationId",
        ["$.mid"] = MessageId,
        ["$.to"] = "to",
        ["$.uid"] = "userId",
        ["ack"] = "ack",
        ["$.on"] = OutputName,
        ["$.ct"] = ContentType,
        ["$.ce"] = ContentEncoding,
        ["$.schema"] = "messageSchema",
        ["iothub-operation"] = "operation",
        ["$.ctime"] = "creationTimeUtc",
        ["$.ifid"] = "interfaceId",
        ["$.sub"] = "componentName",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>What a receiver is told: what came in without output and interface, and who sent it.</summary>
    public static readonly FrozenDictionary<string, string> Outgoing = Incoming
        .Where(p => p.Key is not ("$.on" or "$.ifid"))
        .Append(new("$.cdid", ConnectionDeviceId))
        .Append(new("$.cmid", ConnectionModuleId))
        .ToFrozenDictionary(p => p.Value, p => p.Key, StringComparer.Ordinal);
}
