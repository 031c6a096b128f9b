using System.Globalization;
using System.Text;

namespace EdgeDm.DevHub.Queries;

/// <summary>What a token is.</summary>
internal enum QueryTokenKind
{
    /// <summary>A name or keyword.</summary>
    Name,

    /// <summary>A name in <c>[[..]]</c>: never a keyword.</summary>
    QuotedName,
    Text,
    Number,
    Symbol,
    End,
}

/// <summary>A word of a query.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">Unescaped.</param>
/// <param name="Position">Where it begins, from 0.</param>
/// <param name="Number">Of a number.</param>
internal readonly record struct QueryToken(QueryTokenKind Kind, string Text, int Position, double Number = 0)
{
    public bool Is(string symbol) => Kind == QueryTokenKind.Symbol && Text == symbol;

    public bool IsWord(string keyword) =>
        Kind == QueryTokenKind.Name && Text.Equals(keyword, StringComparison.OrdinalIgnoreCase);

    /// <summary>For messages.</summary>
    public override string ToString() => Kind == QueryTokenKind.End ? "the end" : $"'{Text}'";
}

/// <summary>Cuts a query's text into tokens.</summary>
internal sealed class QueryLexer(string text)
{
    // Longer ones first.
    private static readonly string[] Symbols =
    [
        "!=",
        "<>",
        "<=",
        ">=",
        "||",
        "=",
        "<",
        ">",
        "(",
        ")",
        "[",
        "]",
        ",",
        ".",
        "*",
        "/",
        "%",
        "+",
        "-",
    ];

    private int at;

    /// <summary>The next token; the end again and again after the last.</summary>
    /// <exception cref="QueryException">No token can begin here, or one does not end.</exception>
    public QueryToken Next()
    {
        while (at < text.Length && char.IsWhiteSpace(text[at]))
        {
            at++;
        }
        if (at == text.Length)
        {
            return new(QueryTokenKind.End, "", at);
        }
        var first = text[at];
        if (IsNameStart(first))
        {
            return Name();
        }
        if (char.IsAsciiDigit(first))
        {
            return Number();
        }
        if (first is '\'' or '"')
        {
            return Text(first);
        }
        return text.AsSpan(at).StartsWith("[[") ? QuotedName() : Symbol();
    }

    private QueryToken Name()
    {
        var start = at;
        while (at < text.Length && (IsNameStart(text[at]) || char.IsAsciiDigit(text[at])))
        {
            at++;
        }
        return new(QueryTokenKind.Name, text[start..at], start);
    }

    private QueryToken QuotedName()
    {
        var start = at;
        var end = text.IndexOf("]]", start, StringComparison.Ordinal);
        if (end < 0)
        {
            throw new QueryException(start, "'[[' is not closed by ']]'.");
        }
        at = end + 2;
        return new(QueryTokenKind.QuotedName, text[(start + 2)..end], start);
    }

    private QueryToken Number()
    {
        var start = at;
        while (at < text.Length && (char.IsAsciiLetterOrDigit(text[at]) || text[at] == '.' || IsSignOfExponent(start)))
        {
            at++;
        }
        var word = text[start..at];
        if (word.StartsWith("0x", StringComparison.OrdinalIgnoreCase))
        {
            return long.TryParse(word[2..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var hex)
                ? new(QueryTokenKind.Number, word, start, hex)
                : throw new QueryException(start, $"'{word}' is no number.");
        }
        const NumberStyles Real = NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        return double.TryParse(word, Real, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number)
            ? new(QueryTokenKind.Number, word, start, number)
            : throw new QueryException(start, $"'{word}' is no number.");
    }

    private bool IsSignOfExponent(int start) =>
        text[at] is '+' or '-'
        && at > start
        && text[at - 1] is 'e' or 'E'
        && !text.AsSpan(start).StartsWith("0x", StringComparison.OrdinalIgnoreCase);

    private QueryToken Text(char quote)
    {
        var start = at++;
        var content = new StringBuilder();
        while (at < text.Length && text[at] != quote)
        {
            content.Append(text[at] == '\\' ? Escaped() : text[at++]);
        }
        if (at == text.Length)
        {
            throw new QueryException(start, $"The string is not closed by {quote}.");
        }
        at++;
        return new(QueryTokenKind.Text, content.ToString(), start);
    }

    private char Escaped()
    {
        const int HexDigits = 4;
        var start = at;
        at += 2;
        var kind = start + 1 < text.Length ? text[start + 1] : '\0';
        if (kind is '\'' or '"' or '\\')
        {
            return kind;
        }
        if (
            kind == 'u'
            && at + HexDigits <= text.Length
            && ushort.TryParse(
                text.AsSpan(at, HexDigits),
                NumberStyles.AllowHexSpecifier,
                CultureInfo.InvariantCulture,
                out var code
            )
        )
        {
            at += HexDigits;
            return (char)code;
        }
        throw new QueryException(start, """'\' must be followed by ', ", \ or u and four hexadecimal digits.""");
    }

    private QueryToken Symbol()
    {
        var start = at;
        foreach (var symbol in Symbols)
        {
            if (text.AsSpan(at).StartsWith(symbol, StringComparison.Ordinal))
            {
                at += symbol.Length;
                return new(QueryTokenKind.Symbol, symbol, start);
            }
        }
        throw new QueryException(start, $"'{text[start]}' means nothing here.");
    }

    private static bool IsNameStart(char c) => char.IsLetter(c) || c is '_' or '$';
}
