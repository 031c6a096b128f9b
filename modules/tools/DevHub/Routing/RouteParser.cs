using System.Buffers;
using System.Globalization;
using System.Text;

namespace EdgeDm.DevHub.Routing;

/// <summary>A route's text is wrong; the message says where and what was expected.</summary>
public sealed class RouteSyntaxException(string message) : Exception(message);

/// <summary>
/// Reads <c>[SELECT *] FROM source INTO sink</c> as edgeHub's grammar does. Conditions (<c>WHERE</c>) are refused: this hub does
/// not evaluate them, and a route that ignored its condition would deliver too much.
/// </summary>
public static class RouteParser
{
    private const int SinkParts = 4;

    /// <summary>Reads source and sink.</summary>
    /// <exception cref="RouteSyntaxException">It is no route.</exception>
    public static (RouteSource Source, RouteEndpoint Sink) Parse(string text)
    {
        var tokens = new RouteLexer(text);
        if (tokens.TryTake(RouteToken.Select))
        {
            tokens.Take(RouteToken.Star);
        }
        tokens.Take(RouteToken.From);
        var source = ParseSource(tokens);
        if (tokens.Kind == RouteToken.Where)
        {
            throw new RouteSyntaxException(
                $"The condition (WHERE) at position {tokens.Position} is not supported by this dev hub. "
                    + "Route without it, and look at the message in the receiving module."
            );
        }
        tokens.Take(RouteToken.Into);
        var sink = ParseSink(tokens);
        tokens.Take(RouteToken.End);
        return (source, sink);
    }

    private static RouteSource ParseSource(RouteLexer tokens)
    {
        var pattern = new StringBuilder();
        do
        {
            tokens.Take(RouteToken.Slash);
            pattern.Append('/');
            pattern.Append(
                tokens.Kind == RouteToken.Star ? tokens.Take(RouteToken.Star) : tokens.Take(RouteToken.Name)
            );
        } while (tokens.Kind == RouteToken.Slash);
        return new(pattern.ToString());
    }

    private static RouteEndpoint ParseSink(RouteLexer tokens)
    {
        var position = tokens.Position;
        if (tokens.Kind == RouteToken.SystemName)
        {
            var name = tokens.Take(RouteToken.SystemName);
            return name.Equals("$upstream", StringComparison.OrdinalIgnoreCase)
                ? RouteEndpoint.Upstream
                : throw new RouteSyntaxException(
                    $"The sink '{name}' at position {position} is unknown; $upstream is meant?"
                );
        }
        var function = tokens.Take(RouteToken.Name);
        if (!function.Equals("BrokeredEndpoint", StringComparison.OrdinalIgnoreCase))
        {
            throw new RouteSyntaxException(
                $"The sink '{function}' at position {position} is unknown; there are $upstream and BrokeredEndpoint(\"...\")."
            );
        }
        tokens.Take(RouteToken.Open);
        position = tokens.Position;
        var address = tokens.Take(RouteToken.Text);
        tokens.Take(RouteToken.Close);
        // edgeHub counts the parts and uses the second and the fourth.
        var parts = address.Split('/', StringSplitOptions.RemoveEmptyEntries);
        return parts.Length == SinkParts && RouteEndpoint.IsValidName(parts[1]) && RouteEndpoint.IsValidName(parts[3])
            ? new(parts[1], parts[3])
            : throw new RouteSyntaxException(
                $"The endpoint \"{address}\" at position {position} must be \"/modules/<module>/inputs/<input>\"."
            );
    }
}

internal enum RouteToken
{
    Select,
    From,
    Where,
    Into,
    Slash,
    Star,
    Open,
    Close,
    Name,
    SystemName,
    Text,
    Other,
    End,
}

/// <summary>
/// Splits a route's text as edgeHub's lexer does: the longest token wins. So <c>/*</c> opens a comment whenever a
/// <c>*/</c> follows anywhere in the text, also one that was meant as part of a path.
/// </summary>
internal sealed class RouteLexer
{
    private static readonly SearchValues<char> NotInNames = SearchValues.Create("()<>@,;:\\\"/[]?={} \t\r\n");
    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdefABCDEF");
    private const int UnicodeEscapeDigits = 4;

    private readonly string text;
    private int next;
    private string value = "";

    public RouteLexer(string text)
    {
        this.text = text;
        Advance();
    }

    /// <summary>The token at hand.</summary>
    public RouteToken Kind { get; private set; }

    /// <summary>Its first character, counted from 1.</summary>
    public int Position { get; private set; }

    /// <summary>Takes a token of this kind, or fails saying what stands there instead.</summary>
    public string Take(RouteToken kind)
    {
        if (Kind != kind)
        {
            var found = Kind == RouteToken.End ? "the end of the route" : $"'{value}'";
            throw new RouteSyntaxException($"Expected {Describe(kind)} at position {Position}, found {found}.");
        }
        var taken = value;
        Advance();
        return taken;
    }

    /// <summary>Takes a token if it is of this kind.</summary>
    public bool TryTake(RouteToken kind)
    {
        if (Kind != kind)
        {
            return false;
        }
        Advance();
        return true;
    }

    private static string Describe(RouteToken kind) =>
        kind switch
        {
            RouteToken.Slash => "'/'",
            RouteToken.Star => "'*'",
            RouteToken.Open => "'('",
            RouteToken.Close => "')'",
            RouteToken.Name => "a name",
            RouteToken.Text => "a quoted endpoint",
            RouteToken.End => "the end of the route",
            _ => kind.ToString().ToUpperInvariant(),
        };

    private void Advance()
    {
        SkipBlanks();
        Position = next + 1;
        (Kind, value) = next == text.Length ? (RouteToken.End, "") : Read();
    }

    private void SkipBlanks()
    {
        while (next < text.Length)
        {
            if (text[next] is ' ' or '\t' or '\r' or '\n')
            {
                next++;
            }
            else if (
                text.AsSpan(next).StartsWith("/*")
                && text.IndexOf("*/", next + 2, StringComparison.Ordinal) is > 0 and var end
            )
            {
                next = end + 2;
            }
            else
            {
                return;
            }
        }
    }

    private (RouteToken Kind, string Value) Read()
    {
        var first = text[next];
        if (first == '"' || (first == '\'' && text.IndexOf('\'', next + 1) > 0))
        {
            return (RouteToken.Text, ReadText(first));
        }
        var length = text.AsSpan(next).IndexOfAny(NotInNames);
        var word = length < 0 ? text[next..] : text[next..(next + Math.Max(length, 1))];
        next += word.Length;
        return (KindOf(word), word);
    }

    private static RouteToken KindOf(string word) =>
        word.ToUpperInvariant() switch
        {
            "SELECT" => RouteToken.Select,
            "FROM" => RouteToken.From,
            "WHERE" => RouteToken.Where,
            "INTO" => RouteToken.Into,
            "/" => RouteToken.Slash,
            "*" => RouteToken.Star,
            "(" => RouteToken.Open,
            ")" => RouteToken.Close,
            // Words of conditions are no names in a path either.
            "AND" or "OR" or "NOT" or "+" or "-" or "%" or "||" => RouteToken.Other,
            _ when word is "true" or "false" or "null" or "undefined" => RouteToken.Other,
            _ when word[0] == '$' && word.Length > 1 => RouteToken.SystemName,
            _ when NotInNames.Contains(word[0]) || IsNumber(word) => RouteToken.Other,
            _ => RouteToken.Name,
        };

    private static bool IsNumber(string word) =>
        (word[0] is '-' or '.' || char.IsAsciiDigit(word[0]))
        && (
            double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out _)
            || (
                word.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
                && word.Length > 2
                && word.AsSpan(2).IndexOfAnyExcept(HexDigits) < 0
            )
        );

    private string ReadText(char quote)
    {
        var start = next + 1;
        var content = new StringBuilder();
        for (next++; next < text.Length && text[next] != quote; next++)
        {
            content.Append(text[next] == '\\' ? ReadEscape() : text[next]);
        }
        if (next == text.Length)
        {
            throw new RouteSyntaxException($"The text that opens at position {start} is not closed.");
        }
        next++;
        return content.ToString();
    }

    private char ReadEscape()
    {
        next++;
        if (next < text.Length && text[next] is '"' or '\'' or '\\')
        {
            return text[next];
        }
        if (
            next + UnicodeEscapeDigits < text.Length
            && text[next] == 'u'
            && ushort.TryParse(
                text.AsSpan(next + 1, UnicodeEscapeDigits),
                NumberStyles.AllowHexSpecifier,
                CultureInfo.InvariantCulture,
                out var code
            )
        )
        {
            next += UnicodeEscapeDigits;
            return (char)code;
        }
        throw new RouteSyntaxException($"The escape at position {next} is not one of \\\" \\' \\\\ \\uXXXX.");
    }
}
