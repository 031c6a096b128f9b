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

    /// <summary>Why the body cannot be read; null when it can, or when nobody asked yet.</summary>
    public string? BodyRefusal { get; private set; }

    /// <summary>The encoding of that name, of those that conditions read; null for others.</summary>
    public static Encoding? FindEncoding(string? name) =>
        name?.ToUpperInvariant() switch
        {
            "UTF-8" => Encoding.UTF8,
            "UTF-16" => Encoding.Unicode,
            "UTF-32" => Encoding.UTF32,
            _ => null,
        };

    /// <summary>A user property, whatever its case; null when there is none.</summary>
    public readonly string? FindProperty(string name)
    {
        if (Message.Properties.TryGetValue(name, out var exact))
        {
            return exact;
        }
        foreach (var (key, value) in Message.Properties.Entries)
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
            Parse();
        }
        root = body?.RootElement ?? default;
        return BodyRefusal is null;
    }

    /// <inheritdoc/>
    public readonly void Dispose() => body?.Dispose();

    private void Parse()
    {
        var system = Message.System;
        if (
            !system.TryGetValue(MessageProperties.ContentType, out var type)
            || !type.Equals("application/json", StringComparison.OrdinalIgnoreCase)
        )
        {
            BodyRefusal = "the message's contentType is not application/json";
        }
        else if (FindEncoding(system[MessageProperties.ContentEncoding]) is not { } encoding)
        {
            BodyRefusal = "the message's contentEncoding is not utf-8, utf-16 or utf-32";
        }
        else if (!TryParse(encoding) || body!.RootElement.ValueKind != JsonValueKind.Object)
        {
            BodyRefusal = "the message's body is no JSON object";
        }
    }

    private bool TryParse(Encoding encoding)
    {
        try
        {
            body =
                encoding is UTF8Encoding && Utf8.IsValid(Message.Body.Span)
                    ? JsonDocument.Parse(Message.Body, Leniency)
                    : JsonDocument.Parse(encoding.GetString(Message.Body.Span), Leniency);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
