using System.Text.Json;
using System.Text.Unicode;
using EdgeDm.Contracts;

namespace EdgeDm.Updates;

/// <summary>
/// Reads JSON that decides what may run as root: one meaning per text. Duplicate names, comments, trailing commas,
/// invalid UTF-8 and lone surrogates are refused here, so that no later reader can trip over or disagree about them.
/// </summary>
internal static class StrictJson
{
    /// <summary>Deepest nesting of objects and arrays.</summary>
    public const int MaxDepth = 16;

    /// <summary>Parses one object. The result needs no disposal.</summary>
    public static StrictNode ParseObject(ReadOnlySpan<byte> utf8, ErrorCode malformed, string context)
    {
        try
        {
            if (!Utf8.IsValid(utf8))
            {
                throw new JsonException("Not valid UTF-8.");
            }
            using var document = JsonDocument.Parse(
                utf8.ToArray(),
                new() { MaxDepth = MaxDepth, AllowDuplicateProperties = false }
            );
            Touch(document.RootElement);
            return new StrictNode(document.RootElement.Clone(), context, malformed).Object();
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // The parser's own text can quote the document; its position is enough.
            var position = error is JsonException { LineNumber: { } line, BytePositionInLine: { } column }
                ? $" (line {line + 1}, byte {column + 1})"
                : "";
            throw malformed.Exception(
                Subsystems.Updates,
                context,
                $"It is not strict JSON, at most {MaxDepth} levels deep, without duplicate names{position}."
            );
        }
    }

    // Strings are decoded lazily; an undecodable one must fail now and not in the hands of a caller.
    private static void Touch(JsonElement element)
    {
        if (element.ValueKind == JsonValueKind.String)
        {
            _ = element.GetString();
        }
        else if (element.ValueKind == JsonValueKind.Array)
        {
            foreach (var item in element.EnumerateArray())
            {
                Touch(item);
            }
        }
        else if (element.ValueKind == JsonValueKind.Object)
        {
            foreach (var property in element.EnumerateObject())
            {
                _ = property.Name;
                Touch(property.Value);
            }
        }
    }
}

/// <summary>A value with its path, so that every complaint names the place.</summary>
/// <param name="Element">The value.</param>
/// <param name="Path">For example <c>updateManifest.files.f1.sizeInBytes</c>.</param>
/// <param name="Malformed">What a wrong value is reported as.</param>
internal readonly record struct StrictNode(JsonElement Element, string Path, ErrorCode Malformed)
{
    private const int LongestNameInPath = 64;

    public StrictNode Object() =>
        Element.ValueKind == JsonValueKind.Object ? this : throw Wrong("It must be an object.");

    public StrictNode Required(string name) => Optional(name) ?? throw Child(name, default).Wrong("It is missing.");

    /// <summary>A member; null when absent or JSON null.</summary>
    public StrictNode? Optional(string name) =>
        Element.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null
            ? Child(name, value)
            : null;

    public string Text(int maxLength, int minLength = 1)
    {
        if (Element.ValueKind != JsonValueKind.String)
        {
            throw Wrong("It must be a text.");
        }
        var text = Element.GetString()!;
        return text.Length >= minLength && text.Length <= maxLength
            ? text
            : throw Wrong($"It has {text.Length} characters; {minLength} to {maxLength} are allowed.");
    }

    public long WholeNumber(long most) =>
        Element.ValueKind == JsonValueKind.Number && Element.TryGetInt64(out var value) && value >= 0 && value <= most
            ? value
            : throw Wrong($"It must be a whole number from 0 to {most}.");

    public IEnumerable<StrictNode> Items(int most)
    {
        if (Element.ValueKind != JsonValueKind.Array)
        {
            throw Wrong("It must be an array.");
        }
        Limit(Element.GetArrayLength(), most);
        var (path, malformed) = (Path, Malformed);
        return Element.EnumerateArray().Select((item, i) => new StrictNode(item, $"{path}[{i}]", malformed));
    }

    public IEnumerable<(string Name, StrictNode Value)> Members(int most)
    {
        Object();
        Limit(Element.GetPropertyCount(), most);
        var self = this;
        return Element.EnumerateObject().Select(member => (member.Name, self.Child(member.Name, member.Value)));
    }

    public EdgeDmException Wrong(string what) => Malformed.Exception(Subsystems.Updates, Path, $"{Path}: {what}");

    private void Limit(int count, int most)
    {
        if (count > most)
        {
            throw Wrong($"It has {count} entries; at most {most} are allowed.");
        }
    }

    private StrictNode Child(string name, JsonElement value) =>
        new(value, $"{Path}.{(name.Length > LongestNameInPath ? name[..LongestNameInPath] : name)}", Malformed);
}
