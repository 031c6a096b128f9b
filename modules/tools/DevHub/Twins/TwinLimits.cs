using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace EdgeDm.DevHub.Twins;

/// <summary>
/// What IoT Hub lets into a twin (its documentation, "Device twins", and edgeHub's validator of reported patches, which
/// have the same numbers). Names of things are in errors, values are not.
/// </summary>
public static class TwinLimits
{
    /// <summary>Objects and arrays within each other, not counting the document itself.</summary>
    public const int Depth = 10;

    /// <summary>UTF-8 bytes of a property's name.</summary>
    public const int NameBytes = 1024;

    /// <summary>UTF-8 bytes of a string.</summary>
    public const int StringBytes = 4096;

    /// <summary>Largest whole number, 2^52 - 1.</summary>
    public const long LargestInteger = (1L << 52) - 1;

    /// <summary>Smallest whole number, -2^52.</summary>
    public const long SmallestInteger = -(1L << 52);

    /// <summary>Size of desired or reported properties, and of one patch as JSON text.</summary>
    public const int PropertiesBytes = 32 * 1024;

    /// <summary>Size of the tags.</summary>
    public const int TagsBytes = 8 * 1024;

    private const int NumberBytes = 8;
    private const int BooleanBytes = 4;

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    /// <summary>Reads a JSON object that names nothing twice.</summary>
    /// <exception cref="JsonException">It is no JSON, or no object.</exception>
    public static JsonObject Parse(ReadOnlySpan<byte> json) =>
        JsonNode.Parse(json, nodeOptions: null, Strict) as JsonObject
        ?? throw new JsonException("A JSON object is expected.");

    /// <summary>Checks names and values of a patch or document.</summary>
    /// <exception cref="HubException"><see cref="HubError.ArgumentInvalid"/>, naming the path.</exception>
    public static void CheckContent(JsonObject document) => CheckObject(document, "", 0);

    /// <summary>Checks a document's size.</summary>
    /// <exception cref="HubException"><see cref="HubError.ArgumentInvalid"/>.</exception>
    public static void CheckSize(JsonObject document, int limit, string what)
    {
        var size = SizeOf(document);
        if (size > limit)
        {
            throw Invalid($"The {what} would be {size} bytes; the limit is {limit}.");
        }
    }

    /// <summary>IoT Hub's measure: UTF-8 bytes of names and strings, 8 per number, 4 per boolean.</summary>
    public static int SizeOf(JsonNode? node) =>
        node switch
        {
            null => 0,
            JsonObject members => members.Sum(m => Encoding.UTF8.GetByteCount(m.Key) + SizeOf(m.Value)),
            JsonArray items => items.Sum(SizeOf),
            _ => node.GetValueKind() switch
            {
                JsonValueKind.String => Encoding.UTF8.GetByteCount(node.GetValue<string>()),
                JsonValueKind.Number => NumberBytes,
                _ => BooleanBytes,
            },
        };

    private static void CheckObject(JsonObject members, string path, int depth)
    {
        foreach (var (name, value) in members)
        {
            var at = path.Length == 0 ? name : $"{path}.{name}";
            CheckName(name, path);
            CheckValue(value, at, depth);
        }
    }

    private static void CheckName(string name, string path)
    {
        if (Encoding.UTF8.GetByteCount(name) > NameBytes)
        {
            throw Invalid($"A property name below '{path}' is longer than {NameBytes} bytes.");
        }
        if (name.Any(c => char.IsControl(c) || char.IsWhiteSpace(c) || c is '.' or '$' or '#'))
        {
            throw Invalid($"Property name '{name}' has a character that is not allowed: white space, '.', '$' or '#'.");
        }
    }

    private static void CheckValue(JsonNode? value, string at, int depth)
    {
        switch (value)
        {
            case JsonObject or JsonArray when depth == Depth:
                throw Invalid($"'{at}' is nested deeper than {Depth} levels.");
            case JsonObject members:
                CheckObject(members, at, depth + 1);
                break;
            case JsonArray items:
                foreach (var item in items)
                {
                    CheckValue(item ?? throw Invalid($"The array '{at}' has a null in it."), at, depth + 1);
                }
                break;
            case JsonValue scalar:
                CheckScalar(scalar, at);
                break;
        }
    }

    private static void CheckScalar(JsonValue value, string at)
    {
        switch (value.GetValueKind())
        {
            case JsonValueKind.String when Encoding.UTF8.GetByteCount(value.GetValue<string>()) > StringBytes:
                throw Invalid($"The string '{at}' is longer than {StringBytes} bytes.");
            case JsonValueKind.Number:
                var text = value.ToJsonString();
                if (
                    text.AsSpan().IndexOfAny(".eE") < 0
                    && (!long.TryParse(text, out var number) || number is < SmallestInteger or > LargestInteger)
                )
                {
                    throw Invalid($"The number '{at}' is not within {SmallestInteger} and {LargestInteger}.");
                }
                break;
        }
    }

    private static HubException Invalid(string what) => new(HubError.ArgumentInvalid, what);
}
