using System.Collections.Immutable;
using System.Text.Json;
using EdgeDm.Hosting;

namespace EdgeDm.HostAccess.Configuration;

/// <summary>
/// One object of a JSON file, read strictly: each property is asked for by name, wrong types and ranges are refused with
/// their path, and <see cref="RefuseUnread"/> refuses what nobody asked for. <c>null</c> counts as absent.
/// </summary>
internal sealed class ConfigurationNode
{
    private const int DeepestNesting = 8;

    private readonly JsonElement element;
    private readonly string file;
    private readonly string path;
    private readonly HashSet<string> read = new(StringComparer.Ordinal);

    private ConfigurationNode(JsonElement element, string file, string path)
    {
        this.element = element;
        this.file = file;
        this.path = path;
        if (element.ValueKind != JsonValueKind.Object)
        {
            throw new MisconfiguredException($"{file}: {Name(path)} must be an object.");
        }
    }

    /// <summary>Parses the text. Duplicate names and comments are refused: two readers could disagree about them.</summary>
    public static ConfigurationNode Open(string text, string file)
    {
        try
        {
            using var document = JsonDocument.Parse(
                text,
                new() { AllowDuplicateProperties = false, MaxDepth = DeepestNesting }
            );
            return new(document.RootElement.Clone(), file, "");
        }
        catch (JsonException error)
        {
            throw new MisconfiguredException($"{file} is no valid JSON: {error.Message}");
        }
    }

    public bool Has(string name) => Find(name) is not null;

    public ConfigurationNode Required(string name) => Optional(name) ?? throw Wrong(name, "is missing");

    public ConfigurationNode? Optional(string name) => Find(name) is { } value ? new(value, file, PathOf(name)) : null;

    public bool Flag(string name, bool otherwise) =>
        Find(name) switch
        {
            null => otherwise,
            { ValueKind: JsonValueKind.True } => true,
            { ValueKind: JsonValueKind.False } => false,
            _ => throw Wrong(name, "must be true or false"),
        };

    public int Whole(string name, int otherwise, int least, int most)
    {
        if (Find(name) is not { } value)
        {
            return otherwise;
        }
        return
            value.ValueKind == JsonValueKind.Number
            && value.TryGetInt32(out var number)
            && number >= least
            && number <= most
            ? number
            : throw Wrong(name, $"must be a whole number from {least} to {most}");
    }

    public string Text(string name, int longest, string? otherwise = null) =>
        Find(name) is { } value
            ? TextOf(name, value, longest)
            : otherwise ?? throw Wrong(name, $"is missing; give a text of 1 to {longest} characters");

    public ImmutableArray<string> Texts(string name, int most, int longest) =>
        [.. Items(name, most).Select(item => TextOf(name, item, longest))];

    /// <summary>Null when absent: the caller has a default that is no list.</summary>
    public ImmutableArray<uint>? UserIds(string name, int most) =>
        Has(name)
            ?
            [
                .. Items(name, most)
                    .Select(item =>
                        item.ValueKind == JsonValueKind.Number && item.TryGetUInt32(out var id)
                            ? id
                            : throw Wrong(name, "must list user ids (whole numbers)")
                    ),
            ]
            : null;

    public void RefuseUnread()
    {
        foreach (var property in element.EnumerateObject().Where(property => !read.Contains(property.Name)))
        {
            throw Wrong(property.Name, "is not known; remove it or correct its spelling");
        }
    }

    public MisconfiguredException Wrong(string name, string what) => new($"{file}: {Name(PathOf(name))} {what}.");

    private JsonElement[] Items(string name, int most)
    {
        if (Find(name) is not { } value)
        {
            return [];
        }
        return value.ValueKind == JsonValueKind.Array && value.GetArrayLength() <= most
            ? [.. value.EnumerateArray()]
            : throw Wrong(name, $"must be a list of at most {most}");
    }

    private string TextOf(string name, JsonElement value, int longest) =>
        value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text && text.Length <= longest
            ? text
            : throw Wrong(name, $"must be a text of 1 to {longest} characters");

    private JsonElement? Find(string name)
    {
        read.Add(name);
        return element.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
    }

    private string PathOf(string name) => path.Length == 0 ? name : $"{path}.{name}";

    private static string Name(string path) => path.Length == 0 ? "the document" : $"property '{path}'";
}
