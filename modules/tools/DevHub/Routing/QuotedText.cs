using System.Globalization;
using System.Text;

namespace EdgeDm.DevHub.Routing;

/// <summary>Texts in single or double quotes, with the escapes <c>\"</c>, <c>\'</c>, <c>\\</c> and <c>\uXXXX</c>.</summary>
internal static class QuotedText
{
    private const int UnicodeEscapeDigits = 4;

    /// <summary>Length of the quoted text that begins at an index, quotes included.</summary>
    /// <exception cref="RouteSyntaxException">It is not closed, or has another escape.</exception>
    public static int Measure(string text, int start)
    {
        var next = start + 1;
        while (next < text.Length && text[next] != text[start])
        {
            next += text[next] == '\\' ? ReadEscape(text, next, out _) : 1;
        }
        return next < text.Length
            ? next + 1 - start
            : throw new RouteSyntaxException(
                $"The text that opens at position {start + 1} is not closed: {text[start]} is missing."
            );
    }

    /// <summary>What a quoted text says.</summary>
    /// <param name="quoted">As measured, with its quotes.</param>
    public static string Unescape(string quoted)
    {
        if (!quoted.Contains('\\', StringComparison.Ordinal))
        {
            return quoted[1..^1];
        }
        var content = new StringBuilder(quoted.Length);
        for (var next = 1; next < quoted.Length - 1; )
        {
            var character = quoted[next];
            next += character == '\\' ? ReadEscape(quoted, next, out character) : 1;
            content.Append(character);
        }
        return content.ToString();
    }

    private static int ReadEscape(string text, int index, out char character)
    {
        var rest = text.AsSpan(index + 1);
        if (rest is ['"' or '\'' or '\\', ..])
        {
            character = rest[0];
            return 2;
        }
        if (
            rest is ['u', _, _, _, _, ..]
            && ushort.TryParse(
                rest.Slice(1, UnicodeEscapeDigits),
                NumberStyles.AllowHexSpecifier,
                CultureInfo.InvariantCulture,
                out var code
            )
        )
        {
            character = (char)code;
            return 2 + UnicodeEscapeDigits;
        }
        throw new RouteSyntaxException(
            $"The escape at position {index + 1} is not one of \\\" \\' \\\\ \\uXXXX; a backslash itself is \\\\."
        );
    }
}
