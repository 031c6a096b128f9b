using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace EdgeDm.Cli;

/// <summary>JSON as text, readable: only what JSON itself demands is escaped.</summary>
internal static class JsonText
{
    public static string Indented(JsonNode? node) => Write(node, indented: true);

    public static string Compact(JsonNode? node) => Write(node, indented: false);

    /// <summary>Parses what a person typed; a usage error names <paramref name="what"/> and the place.</summary>
    public static JsonNode? Parse(string text, string what)
    {
        try
        {
            return JsonNode.Parse(text, documentOptions: new() { AllowDuplicateProperties = false });
        }
        catch (JsonException error)
        {
            throw new CliException(
                ExitCodes.Usage,
                $"{what} is not JSON (line {error.LineNumber + 1}, byte {error.BytePositionInLine + 1}).",
                inner: error
            );
        }
    }

    private static string Write(JsonNode? node, bool indented)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (
            var writer = new Utf8JsonWriter(
                buffer,
                new() { Indented = indented, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }
            )
        )
        {
            if (node is null)
            {
                writer.WriteNullValue();
            }
            else
            {
                node.WriteTo(writer);
            }
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
