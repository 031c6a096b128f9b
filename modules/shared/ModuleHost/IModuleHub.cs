using System.Text.Json.Nodes;

namespace EdgeDm.ModuleHost;

/// <summary>
/// A module's hub side as the module's own code sees it. Works whether the hub is there or not: what must arrive waits
/// on disk, what is told by the hub is handed over when it comes. Register handlers before <c>RunAsync</c>.
/// </summary>
public interface IModuleHub
{
    /// <summary>This module's id, for example <c>DeviceManagement</c>.</summary>
    string ModuleId { get; }

    /// <summary>True while a session with edgeHub is up. A snapshot.</summary>
    bool IsConnected { get; }

    /// <summary>
    /// Handles what arrives at an input, one message at a time; the message is acknowledged after the handler returned.
    /// A message whose <c>$.mid</c> was seen is acknowledged and dropped. A handler that throws <see cref="BadMessageException"/>
    /// or <see cref="System.Text.Json.JsonException"/> has it logged and acknowledged: the same bytes would fail again. After any other
    /// exception it is not acknowledged and comes again.
    /// </summary>
    void OnInput(string input, Func<InputMessage, CancellationToken, ValueTask> handler);

    /// <summary>
    /// Answers a direct method. Handlers run side by side. An exception is answered with 500 and its type's name.
    /// Unknown names are answered by <paramref name="name"/> <c>*</c> when such a handler is registered, else with 501.
    /// </summary>
    void OnMethod(string name, Func<MethodCall, CancellationToken, ValueTask<MethodReply>> handler);

    /// <summary>
    /// Handles the whole desired document: after each connect and after each change, in order, one at a time. Never
    /// called twice for the same version within one connection, unless the handler threw: then it is called a few times more.
    /// Documents that wait behind a slow handler may give way to newer ones.
    /// </summary>
    void OnDesired(Func<DesiredDocument, CancellationToken, ValueTask> handler);

    /// <summary>
    /// Sends to an output, for certain: on disk when this returns, sent when the hub is there, forgotten when the hub
    /// has acknowledged it. <paramref name="messageId"/> becomes <c>$.mid</c>; a repeat carries the same one. While a message with
    /// this id waits, another one with it is taken for the same. What there is no room for is thrown out as its
    /// <paramref name="kind"/> says, and the next message carries the application property <c>dropped</c>: how many were.
    /// </summary>
    /// <param name="output">The output's name.</param>
    /// <param name="schema">Application property <c>schema</c>.</param>
    /// <param name="json">The body.</param>
    /// <param name="messageId"><c>$.mid</c>; null = a new one.</param>
    /// <param name="kind">What becomes of it while the hub is away for long.</param>
    /// <param name="series">With <see cref="PostKind.Thinned"/>: messages of one series say newer things about the same.</param>
    /// <exception cref="OutboxFullException">It is terminal, and the outbox is full of results.</exception>
    /// <exception cref="ArgumentException">The message is too large for the hub.</exception>
    /// <exception cref="System.Text.Json.JsonException">It is no JSON.</exception>
    void Post(
        string output,
        string schema,
        ReadOnlyMemory<byte> json,
        string? messageId = null,
        PostKind kind = PostKind.Normal,
        string? series = null
    );

    /// <summary>
    /// Sends to an output if a session is up, and forgets it otherwise: progress and pings. Never blocks;
    /// of messages with the same <paramref name="replaceKey"/> only the newest waits.
    /// </summary>
    void PostVolatile(string output, string schema, ReadOnlyMemory<byte> json, string? replaceKey = null);

    /// <summary>
    /// Sets the whole value of top-level reported properties (null removes one). Persisted; the hub gets the smallest merge
    /// patch, with nulls for what vanished, all of one call in one patch if it fits. Calls before the hub is there are merged.
    /// </summary>
    /// <exception cref="ArgumentException">A value breaks one of <see cref="ReportLimits"/>; nothing of the call is taken.</exception>
    void Report(IReadOnlyDictionary<string, JsonNode?> properties);

    /// <summary>Signalled whenever a session came up or ended.</summary>
    event Action? ConnectionChanged;
}

/// <summary>A message at an input.</summary>
/// <param name="Input">The input's name.</param>
/// <param name="Schema">Application property <c>schema</c>; empty when absent.</param>
/// <param name="MessageId"><c>$.mid</c>; empty when absent.</param>
/// <param name="Sender"><c>deviceId/moduleId</c> as the hub stamped it (<c>$.cdid</c>, <c>$.cmid</c>); empty when absent.</param>
/// <param name="Payload">The body. Valid until the handler returns.</param>
public sealed record InputMessage(
    string Input,
    string Schema,
    string MessageId,
    string Sender,
    ReadOnlyMemory<byte> Payload
);

/// <summary>A direct method call.</summary>
/// <param name="Name">Method name.</param>
/// <param name="Payload">JSON, may be empty.</param>
public sealed record MethodCall(string Name, ReadOnlyMemory<byte> Payload);

/// <summary>A direct method's answer.</summary>
/// <param name="Status">HTTP-like; not 0.</param>
/// <param name="Json">JSON, at most 128 KB; empty = no payload.</param>
public sealed record MethodReply(int Status, ReadOnlyMemory<byte> Json);

/// <summary>The whole desired document.</summary>
/// <param name="Version">Desired <c>$version</c>.</param>
/// <param name="Properties">Top-level properties without <c>$metadata</c> and <c>$version</c>. Not to be changed.</param>
public sealed record DesiredDocument(long Version, JsonObject Properties);

/// <summary>The message's content is wrong and would be wrong again: drop it.</summary>
public sealed class BadMessageException(string message, Exception? inner = null) : Exception(message, inner);
