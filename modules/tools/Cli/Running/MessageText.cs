using System.Net.Http.Headers;

namespace EdgeDm.Cli;

/// <summary>Messages as they are typed.</summary>
internal static class MessageText
{
    private const string MessageId = "$.mid";

    /// <summary>Reads <c>name=value</c> each, and adds an id where there is none: receivers drop what they have seen, by it.</summary>
    /// <exception cref="CliException">One is something else.</exception>
    public static List<KeyValuePair<string, string>> Properties(IEnumerable<string> typed)
    {
        var properties = typed.Select(Property).ToList();
        if (!properties.Exists(property => property.Key == MessageId))
        {
            properties.Add(new(MessageId, Guid.NewGuid().ToString()));
        }
        return properties;
    }

    /// <summary>The id among the properties.</summary>
    public static string IdOf(IEnumerable<KeyValuePair<string, string>> properties) =>
        properties.First(property => property.Key == MessageId).Value;

    /// <summary>Fails unless it is a content type.</summary>
    /// <exception cref="CliException">It is none.</exception>
    public static void CheckContentType(string contentType)
    {
        if (!MediaTypeHeaderValue.TryParse(contentType, out _))
        {
            throw new CliException(ExitCodes.Usage, $"'{contentType}' is no content type.");
        }
    }

    private static KeyValuePair<string, string> Property(string text)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        return equals > 0
            ? new(text[..equals], text[(equals + 1)..])
            : throw new CliException(ExitCodes.Usage, $"'{text}' is not name=value.");
    }
}
