using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace EdgeDm.DevHub.Page;

/// <summary>
/// Takes out what the page must not show, wherever it stands in a text: queries and passwords of addresses (the token of a file's
/// address is there), shared access keys and signatures.
/// </summary>
internal static partial class PageSecrets
{
    /// <summary>Stands where something was taken out.</summary>
    public const string Mark = "\u00abhidden\u00bb";

    private const int LongestMilliseconds = 1000;

    /// <summary>The text without secrets.</summary>
    public static string Hide(string text)
    {
        var shown = AddressQuery().Replace(text, "${kept}?" + Mark);
        shown = AddressPassword().Replace(shown, "${kept}" + Mark + "@");
        shown = Signature().Replace(shown, "${kept}" + Mark);
        return NamedSecret().Replace(shown, "${kept}=" + Mark);
    }

    /// <summary>The document without secrets, as a copy.</summary>
    public static JsonNode? Hide(JsonNode? document) =>
        document switch
        {
            null => null,
            JsonObject members => new JsonObject(members.Select(m => KeyValuePair.Create(m.Key, Hide(m.Value)))),
            JsonArray items => new JsonArray([.. items.Select(Hide)]),
            JsonValue value when value.TryGetValue(out string? text) => JsonValue.Create(Hide(text)),
            _ => document.DeepClone(),
        };

    /// <summary>Where something that was taken out would be written back; null when nowhere.</summary>
    public static string? FindMark(JsonNode? document, string at = "") =>
        document switch
        {
            JsonObject members => members
                .Select(m => FindMark(m.Value, at.Length == 0 ? m.Key : $"{at}.{m.Key}"))
                .FirstOrDefault(found => found is not null),
            JsonArray items => items.Select(item => FindMark(item, at)).FirstOrDefault(found => found is not null),
            JsonValue value when value.TryGetValue(out string? text) && text.Contains(Mark, StringComparison.Ordinal) =>
                at,
            _ => null,
        };

    [GeneratedRegex(
        """(?<kept>[a-z][a-z0-9+.-]*://[^\s?"'<>]+)\?[^\s"'<>]+""",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
        LongestMilliseconds
    )]
    private static partial Regex AddressQuery();

    [GeneratedRegex(
        """(?<kept>[a-z][a-z0-9+.-]*://)[^\s/?"'<>@]+@""",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
        LongestMilliseconds
    )]
    private static partial Regex AddressPassword();

    [GeneratedRegex(
        """(?<kept>SharedAccessSignature )[^\s"',]+""",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
        LongestMilliseconds
    )]
    private static partial Regex Signature();

    [GeneratedRegex(
        """\b(?<kept>SharedAccessKey|SharedAccessSignature|AccountKey|sig)=[^\s;&"',]+""",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
        LongestMilliseconds
    )]
    private static partial Regex NamedSecret();
}
