using System.Buffers;

namespace EdgeDm.DevHub.Routing;

/// <summary>
/// Splits a route's text as edgeHub's lexer does: the longest token wins, and of equally long ones the more special. So <c>/*</c>
/// opens a comment whenever a <c>*/</c> follows anywhere in the text, also one that was meant as part of a path; and a name takes
/// every character that is no delimiter: <c>a+b</c>, <c>3-4</c> and the <c>x!</c> of <c>x!=1</c> are names.
/// </summary>
internal sealed class RouteLexer
{
    private static readonly SearchValues<char> NotInNames = SearchValues.Create("()<>@,;:\\\"/[]?={} \t\r\n");
    private static readonly SearchValues<char> NotInPaths = SearchValues.Create("()<>@,;:\\\"/?={} \t\r\n");
    private static readonly SearchValues<char> Digits = SearchValues.Create("0123456789");
    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdefABCDEF");

    private readonly string text;
    private int start;
    private int next;

    public RouteLexer(string text)
    {
        this.text = text;
        Advance();
    }

    /// <summary>The token at hand.</summary>
    public RouteToken Kind { get; private set; }

    /// <summary>Its first character, counted from 1.</summary>
    public int Position => start + 1;

    /// <summary>Where the token before it ended: the number of characters up to there.</summary>
    public int LastEnd { get; private set; }

    /// <summary>The token as it stands, with its quotes.</summary>
    public string Word => text[start..next];

    /// <summary>The token for a message.</summary>
    public string Found => Kind == RouteToken.End ? "the end of the route" : $"'{Word}'";

    /// <summary>Takes a token of this kind, or fails saying what stands there instead.</summary>
    public string Take(RouteToken kind)
    {
        if (Kind != kind)
        {
            throw new RouteSyntaxException(
                $"Expected {Describe(kind)} at position {Position}, found {Found}.{Hint(kind)}"
            );
        }
        var taken = Word;
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

    /// <summary>Goes on to the next token.</summary>
    public void Advance()
    {
        LastEnd = next;
        SkipBlanks();
        start = next;
        (Kind, var length) = next == text.Length ? (RouteToken.End, 0) : Read(text.AsSpan(next));
        next += length;
    }

    private static string Describe(RouteToken kind) =>
        kind switch
        {
            RouteToken.Slash => "'/'",
            RouteToken.Star => "'*'",
            RouteToken.Open => "'('",
            RouteToken.Close => "')'",
            RouteToken.CloseBrace => "'}'",
            RouteToken.Name => "a name",
            RouteToken.SystemName => "'$' and a name",
            RouteToken.Text => "a quoted endpoint",
            RouteToken.End => "the end of the route",
            _ => kind.ToString().ToUpperInvariant(),
        };

    private string Hint(RouteToken expected) =>
        expected switch
        {
            _ when Kind != RouteToken.Name => "",
            RouteToken.From => Spelling.DidYouMean(Word, ["FROM", "SELECT"]),
            RouteToken.Into => Spelling.DidYouMean(Word, ["INTO", "WHERE"]),
            _ => "",
        };

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

    private (RouteToken Kind, int Length) Read(ReadOnlySpan<char> rest)
    {
        var name = Run(rest, NotInNames);
        var path = Run(rest, NotInPaths);
        if (rest[0] is '"' or '\'' && QuotedText.Measure(text, start) is var quoted && quoted >= path)
        {
            return (RouteToken.Text, quoted);
        }
        if (rest[0] == '$' && path > 1)
        {
            return (RouteToken.SystemName, path);
        }
        if (path > name)
        {
            return (RouteToken.Path, path);
        }
        return name == 0 || rest.StartsWith("!=") ? ReadSign(rest) : (KindOf(rest[..name]), name);
    }

    private static int Run(ReadOnlySpan<char> rest, SearchValues<char> delimiters) =>
        rest.IndexOfAny(delimiters) is >= 0 and var length ? length : rest.Length;

    private static (RouteToken Kind, int Length) ReadSign(ReadOnlySpan<char> rest) =>
        rest switch
        {
            ['!', '=', ..] or ['<', '>', ..] => (RouteToken.NotEqual, 2),
            ['<', '=', ..] => (RouteToken.LessOrEqual, 2),
            ['>', '=', ..] => (RouteToken.GreaterOrEqual, 2),
            ['?', '?', ..] => (RouteToken.Coalesce, 2),
            ['<', ..] => (RouteToken.Less, 1),
            ['>', ..] => (RouteToken.Greater, 1),
            ['=', ..] => (RouteToken.Equal, 1),
            ['(', ..] => (RouteToken.Open, 1),
            [')', ..] => (RouteToken.Close, 1),
            ['{', ..] => (RouteToken.OpenBrace, 1),
            ['}', ..] => (RouteToken.CloseBrace, 1),
            [',', ..] => (RouteToken.Comma, 1),
            ['/', ..] => (RouteToken.Slash, 1),
            _ => (RouteToken.Other, 1),
        };

    private static RouteToken KindOf(ReadOnlySpan<char> word) =>
        word switch
        {
            "*" => RouteToken.Star,
            "+" => RouteToken.Plus,
            "-" => RouteToken.Minus,
            "%" => RouteToken.Percent,
            "||" => RouteToken.Concat,
            "true" => RouteToken.True,
            "false" => RouteToken.False,
            "null" => RouteToken.Null,
            "undefined" => RouteToken.Undefined,
            _ when word.Equals("SELECT", StringComparison.OrdinalIgnoreCase) => RouteToken.Select,
            _ when word.Equals("FROM", StringComparison.OrdinalIgnoreCase) => RouteToken.From,
            _ when word.Equals("WHERE", StringComparison.OrdinalIgnoreCase) => RouteToken.Where,
            _ when word.Equals("INTO", StringComparison.OrdinalIgnoreCase) => RouteToken.Into,
            _ when word.Equals("AND", StringComparison.OrdinalIgnoreCase) => RouteToken.And,
            _ when word.Equals("OR", StringComparison.OrdinalIgnoreCase) => RouteToken.Or,
            _ when word.Equals("NOT", StringComparison.OrdinalIgnoreCase) => RouteToken.Not,
            _ when IsHex(word) || IsDecimal(word) => RouteToken.Number,
            _ => RouteToken.Name,
        };

    private static bool IsHex(ReadOnlySpan<char> word) =>
        word is ['0', 'x' or 'X', _, ..] && !word[2..].ContainsAnyExcept(HexDigits);

    // Before an exponent the grammar asks for no digit: e5 is a number, though one without a value.
    private static bool IsDecimal(ReadOnlySpan<char> word)
    {
        if (word is ['-', ..])
        {
            word = word[1..];
        }
        var whole = SkipDigits(ref word);
        if (word.IsEmpty)
        {
            return whole > 0;
        }
        if (word is ['.', ..])
        {
            word = word[1..];
            if (SkipDigits(ref word) == 0)
            {
                return false;
            }
        }
        if (word is not ['e' or 'E', ..])
        {
            return word.IsEmpty;
        }
        word = word is [_, '+' or '-', ..] ? word[2..] : word[1..];
        return SkipDigits(ref word) > 0 && word.IsEmpty;
    }

    private static int SkipDigits(ref ReadOnlySpan<char> word)
    {
        var count = word.IndexOfAnyExcept(Digits) is >= 0 and var found ? found : word.Length;
        word = word[count..];
        return count;
    }
}
