using System.Text.Json;

namespace EdgeDm.ModuleHost;

/// <summary>A message as it is on disk.</summary>
/// <param name="Output">The output.</param>
/// <param name="Schema">Application property <c>schema</c>.</param>
/// <param name="MessageId"><c>$.mid</c>.</param>
/// <param name="Body">JSON.</param>
/// <param name="Kind">What becomes of it when there is no room. Absent in the first landing, which threw nothing out.</param>
/// <param name="Series">With <see cref="PostKind.Thinned"/>: messages of one series say newer things about the same.</param>
internal sealed record OutboxMessage(
    string Output,
    string Schema,
    string MessageId,
    JsonElement Body,
    PostKind Kind = PostKind.Terminal,
    string? Series = null
);

/// <summary>A message as it waits.</summary>
internal sealed record Outgoing(long Sequence, OutboxMessage Message, int Bytes, bool IsVolatile, string? ReplaceKey)
{
    /// <summary>Waits in memory and in the common record.</summary>
    public bool IsThinned => !IsVolatile && Message.Kind == PostKind.Thinned;

    /// <summary>Waits as a file of its own.</summary>
    public bool IsFile => !IsVolatile && Message.Kind != PostKind.Thinned;
}

/// <summary>The outbox holds as many results as its options allow: the hub has been away for too long.</summary>
public sealed class OutboxFullException(int messages, long bytes)
    : IOException($"The outbox is full: {messages} messages, {bytes} bytes. It empties when edgeHub is reachable.")
{
    /// <summary>Messages in it.</summary>
    public int Messages { get; } = messages;

    /// <summary>Bytes of their bodies.</summary>
    public long Bytes { get; } = bytes;
}
