using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace EdgeDm.DevHub.Deployment;

/// <summary>A JSON document that knows where in its file each property stands. Comments are allowed, double names are not.</summary>
internal sealed class LocatedJson
{
    private static readonly JsonReaderOptions ReaderOptions = new() { CommentHandling = JsonCommentHandling.Skip };

    private readonly TemplateText text;
    private readonly byte[] utf8;
    private readonly Dictionary<string, long> places = new(StringComparer.Ordinal);

    /// <summary>Parses.</summary>
    /// <exception cref="DeploymentException">It is no JSON object.</exception>
    public LocatedJson(TemplateText text)
    {
        this.text = text;
        utf8 = Encoding.UTF8.GetBytes(text.Expanded);
        try
        {
            Locate();
            Root =
                JsonNode.Parse(
                    utf8,
                    documentOptions: new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip }
                ) as JsonObject
                ?? throw ErrorAtByte(0, "This must be a JSON object, in braces.");
        }
        catch (JsonException error)
        {
            throw ErrorAtByte(
                ByteOf(error.LineNumber ?? 0, error.BytePositionInLine ?? 0),
                $"This is no well-formed JSON: {WithoutPlace(error.Message)}"
            );
        }
    }

    public JsonObject Root { get; }

    /// <summary>An error at a property of an object (or at the object, when it has none of this name).</summary>
    public DeploymentException Error(JsonNode parent, string property, string what)
    {
        var at = PointerOf(parent);
        return ErrorAtByte(places.GetValueOrDefault($"{at}/{property}", places.GetValueOrDefault(at)), what);
    }

    /// <summary>An error at a value.</summary>
    public DeploymentException Error(JsonNode node, string what) =>
        ErrorAtByte(places.GetValueOrDefault(PointerOf(node)), what);

    private void Locate()
    {
        var reader = new Utf8JsonReader(utf8, ReaderOptions);
        var path = new Stack<(string Pointer, int Next)>();
        var name = "";
        while (reader.Read())
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.PropertyName:
                    name = $"{path.Peek().Pointer}/{reader.GetString()}";
                    if (!places.TryAdd(name, reader.TokenStartIndex))
                    {
                        throw ErrorAtByte(
                            reader.TokenStartIndex,
                            $"'{reader.GetString()}' stands twice in this object; remove one."
                        );
                    }
                    continue;
                case JsonTokenType.EndObject or JsonTokenType.EndArray:
                    path.Pop();
                    continue;
            }
            var pointer = PointerOfValue(path, name);
            places.TryAdd(pointer, reader.TokenStartIndex);
            if (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray)
            {
                path.Push((pointer, reader.TokenType == JsonTokenType.StartArray ? 0 : -1));
            }
        }
    }

    private static string PointerOfValue(Stack<(string Pointer, int Next)> path, string name)
    {
        if (path.Count == 0)
        {
            return "";
        }
        if (path.Peek().Next < 0)
        {
            return name;
        }
        var (pointer, next) = path.Pop();
        path.Push((pointer, next + 1));
        return $"{pointer}/{next}";
    }

    private static string PointerOf(JsonNode node) =>
        node.Parent switch
        {
            JsonObject parent => $"{PointerOf(parent)}/{node.GetPropertyName()}",
            JsonArray parent => $"{PointerOf(parent)}/{node.GetElementIndex()}",
            _ => "",
        };

    private DeploymentException ErrorAtByte(long index, string what) =>
        text.ErrorAt(Encoding.UTF8.GetCharCount(utf8.AsSpan(0, (int)index)), what);

    private long ByteOf(long line, long byteInLine)
    {
        var start = 0;
        for (; line > 0; line--)
        {
            start += utf8.AsSpan(start).IndexOf((byte)'\n') + 1;
        }
        return Math.Min(start + byteInLine, utf8.Length);
    }

    // The reader's own place is one in the expanded text; ours is one in the file.
    private static string WithoutPlace(string message)
    {
        var end = message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return end < 0 ? message : message[..end];
    }
}
