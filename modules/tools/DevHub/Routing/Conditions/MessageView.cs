using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace EdgeDm.DevHub.Routing.Conditions;

/// <summary>
/// A message while its routes are chosen: its body is parsed when the first condition asks for it, and once for all of them.
/// Passed by reference; dispose it when the last condition has been asked.
/// </summary>
/// <param name="message">The message.</param>
internal struct MessageView(HubMessage message) : IDisposable
{
    // As edgeHub's JSON reader.
    private static readonly JsonDocumentOptions Leniency = new()
    {
        AllowTrailingCommas = true,
        CommentHandling = JsonCommentHandling.Skip,
    };

    private JsonDocument? body;
    private bool tried;

    /// <summary>The message.</summary>
    public HubMessage Message { get; } = message;

    /// <summary>A user property, whatever its case; null when there is none.</summary>
    public readonly string? FindProperty(string name)
    {
        if (Message.Properties.TryGetValue(name, out var exact))
        {
            return exact;
        }
        foreach (var (key, value) in Message.Properties)
        {
            if (key.Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                return value;
            }
        }
        return null;
    }

    /// <summary>The body, when it is a JSON object and the message says so by content type and encoding.</summary>
    public bool TryReadBody(out JsonElement root)
    {
        if (!tried)
        {
            tried = true;
            body = Parse();
        }
        root = body?.RootElement ?? default;
        return root.ValueKind == JsonValueKind.Object;
    }

    /// <inheritdoc/>
    public readonly void Dispose() => body?.Dispose();

    private readonly JsonDocument? Parse()
    {
        if (
            !Message.System.TryGetValue(MessageProperties.ContentType, out var type)
            || !type.Equals("application/json", StringComparison.OrdinalIgnoreCase)
            || !Message.System.TryGetValue(MessageProperties.ContentEncoding, out var encoding)
        )
        {
            return null;
        }
        try
        {
            return encoding.ToUpperInvariant() switch
            {
                "UTF-8" when Utf8.IsValid(Message.Body.Span) => JsonDocument.Parse(Message.Body, Leniency),
                "UTF-8" => Parse(Encoding.UTF8),
                "UTF-16" => Parse(Encoding.Unicode),
                "UTF-32" => Parse(Encoding.UTF32),
                _ => null,
            };
        }
        catch (JsonException)
        {
            // No JSON, whatever its content type says: every question about it is undefined.
            return null;
        }
    }

    private readonly JsonDocument Parse(Encoding encoding) =>
        JsonDocument.Parse(encoding.GetString(Message.Body.Span), Leniency);
}
