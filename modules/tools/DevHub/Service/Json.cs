using System.Buffers;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace EdgeDm.DevHub.Service;

/// <summary>JSON bodies, read strictly and written with their length.</summary>
internal static class Json
{
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    /// <summary>Reads an object.</summary>
    /// <exception cref="JsonException">It is none.</exception>
    public static async Task<JsonObject> ReadObjectAsync(HttpRequest request) =>
        await JsonNode.ParseAsync(request.Body, null, Strict, request.HttpContext.RequestAborted) as JsonObject
        ?? throw new JsonException("An object is expected.");

    /// <summary>Reads an array.</summary>
    /// <exception cref="JsonException">It is none.</exception>
    public static async Task<JsonArray> ReadArrayAsync(HttpRequest request) =>
        await JsonNode.ParseAsync(request.Body, null, Strict, request.HttpContext.RequestAborted) as JsonArray
        ?? throw new JsonException("An array is expected.");

    /// <summary>An object within an object; null when absent or null.</summary>
    /// <exception cref="JsonException">It is something else.</exception>
    public static JsonObject? ObjectAt(JsonObject parent, string name) =>
        parent[name] switch
        {
            null => null,
            JsonObject found => found,
            _ => throw new JsonException($"'{name}' must be an object."),
        };

    /// <summary>A whole number within an object; <paramref name="otherwise"/> when absent or null.</summary>
    /// <exception cref="JsonException">It is something else.</exception>
    public static int IntegerAt(JsonObject parent, string name, int otherwise) =>
        parent[name] switch
        {
            null => otherwise,
            JsonValue value when value.TryGetValue(out int number) => number,
            _ => throw new JsonException($"'{name}' must be a whole number."),
        };

    /// <summary>True or false within an object; null when absent or null.</summary>
    /// <exception cref="JsonException">It is something else.</exception>
    public static bool? FlagAt(JsonObject parent, string name) =>
        parent[name] switch
        {
            null => null,
            JsonValue value when value.TryGetValue(out bool flag) => flag,
            _ => throw new JsonException($"'{name}' must be true or false."),
        };

    /// <summary>A whole number of the query string; <paramref name="otherwise"/> when absent.</summary>
    /// <exception cref="HubException"><see cref="HubError.ArgumentInvalid"/>.</exception>
    public static int IntegerIn(IQueryCollection query, string name, int otherwise, int least, int most) =>
        Integer(query[name].ToString(), name, otherwise, least, most);

    /// <summary>A whole number as text; <paramref name="otherwise"/> when empty.</summary>
    /// <exception cref="HubException"><see cref="HubError.ArgumentInvalid"/>.</exception>
    public static int Integer(string text, string name, int otherwise, int least, int most)
    {
        if (text.Length == 0)
        {
            return otherwise;
        }
        return
            int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            && number >= least
            && number <= most
            ? number
            : throw new HubException(HubError.ArgumentInvalid, $"'{name}' must be a number, {least} to {most}.");
    }

    /// <summary>A time as IoT Hub writes it.</summary>
    public static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("O", CultureInfo.InvariantCulture);

    /// <summary>A string within an object; null when absent or null.</summary>
    /// <exception cref="JsonException">It is something else.</exception>
    public static string? TextAt(JsonObject parent, string name) =>
        parent[name] switch
        {
            null => null,
            JsonValue value when value.TryGetValue(out string? text) => text,
            _ => throw new JsonException($"'{name}' must be a string."),
        };

    /// <summary>Answers with JSON. The status is what it was, 200 unless set.</summary>
    public static async Task WriteAsync(HttpResponse response, JsonNode body)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            body.WriteTo(writer);
        }
        response.ContentType = "application/json; charset=utf-8";
        response.ContentLength = buffer.WrittenCount;
        await response.Body.WriteAsync(buffer.WrittenMemory, response.HttpContext.RequestAborted);
    }
}
