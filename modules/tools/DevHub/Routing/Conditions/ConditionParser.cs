using System.Globalization;

namespace EdgeDm.DevHub.Routing.Conditions;

/// <summary>
/// Reads a condition and compiles it on the way. From the tightest: sign and NOT; <c>* / %</c>; <c>+ - ||</c>;
/// <c>&lt; &lt;= > >=</c>; <c>= != &lt;></c>; AND; OR; <c>??</c>. Operators of one row go from left to right.
/// </summary>
/// <param name="tokens">At the condition's first token.</param>
/// <param name="source">The route's source: one function is for one source only.</param>
/// <param name="limits">How deep it may go.</param>
internal sealed class ConditionParser(RouteLexer tokens, RouteSource source, RouteLimits limits)
{
    private const string BodyPrefix = "$body.";
    private const string TwinChangeIncludes = "twin_change_includes";

    private static readonly string[] TwinChangePrefixes = ["properties.reported.", "properties.desired.", "tags."];

    private readonly List<NamedNode> names = [];
    private int depth;

    /// <summary>The names that were read.</summary>
    public IEnumerable<NamedNode> Names => names;

    /// <summary>The condition; the tokens then stand behind it.</summary>
    public ConditionNode Parse() => ParseBinary(1);

    private static int BindingOf(RouteToken kind) =>
        kind switch
        {
            RouteToken.Coalesce => 1,
            RouteToken.Or => 2,
            RouteToken.And => 3,
            RouteToken.Equal or RouteToken.NotEqual => 4,
            RouteToken.Less or RouteToken.LessOrEqual or RouteToken.Greater or RouteToken.GreaterOrEqual => 5,
            RouteToken.Plus or RouteToken.Minus or RouteToken.Concat => 6,
            RouteToken.Star or RouteToken.Slash or RouteToken.Percent => 7,
            _ => 0,
        };

    private ConditionNode ParseBinary(int loosest)
    {
        var left = ParseUnary();
        while (BindingOf(tokens.Kind) is var binding && binding >= loosest)
        {
            var (kind, word, position) = (tokens.Kind, tokens.Word, tokens.Position);
            tokens.Advance();
            left = Operators.Binary(kind, word, position, left, ParseBinary(binding + 1));
        }
        return left;
    }

    private ConditionNode ParseUnary()
    {
        var (kind, position) = (tokens.Kind, tokens.Position);
        if (++depth > limits.DeepestNesting)
        {
            throw new RouteSyntaxException(
                $"The condition is nested deeper than {limits.DeepestNesting} at position {position}. Part it into several routes to the same sink."
            );
        }
        ConditionNode node;
        if (tokens.TryTake(RouteToken.Minus))
        {
            node = Operators.Negate(ParseUnary(), position);
        }
        else if (tokens.TryTake(RouteToken.Not))
        {
            node = Operators.Not(ParseUnary(), position);
        }
        else if (tokens.TryTake(RouteToken.Open))
        {
            node = ParseBinary(1);
            tokens.Take(RouteToken.Close);
        }
        else
        {
            node = ParsePrimary(kind, position);
        }
        depth--;
        return node;
    }

    private ConditionNode ParsePrimary(RouteToken kind, int position)
    {
        var word = tokens.Word;
        switch (kind)
        {
            case RouteToken.True:
                tokens.Advance();
                return ConstantNode.True;
            case RouteToken.False:
                tokens.Advance();
                return ConstantNode.False;
            case RouteToken.Null:
                tokens.Advance();
                return ConstantNode.Null;
            case RouteToken.Undefined:
                tokens.Advance();
                return ConstantNode.Undefined;
            case RouteToken.Number:
                tokens.Advance();
                return ToNumber(word);
            case RouteToken.Text:
                tokens.Advance();
                return new ConstantNode(ConditionType.String, ConditionValue.Of(QuotedText.Unescape(word)));
            case RouteToken.Name:
                tokens.Advance();
                return tokens.TryTake(RouteToken.Open)
                    ? ParseCall(word, position)
                    : Named(word, new PropertyNode(word));
            case RouteToken.SystemName:
                tokens.Advance();
                return Named(word, OrUserProperty(word, ToSystemNode(word, position)));
            case RouteToken.OpenBrace:
                tokens.Advance();
                position = tokens.Position;
                var name = tokens.Take(RouteToken.SystemName);
                tokens.Take(RouteToken.CloseBrace);
                return Named($"{{{name}}}", ToSystemNode(name, position));
            case RouteToken.Path:
                throw new RouteSyntaxException(
                    $"'{word}' at position {position} has brackets; only a path of the body may have an index: $body.{word}."
                );
            default:
                throw new RouteSyntaxException(
                    $"Expected a value at position {position}, found {tokens.Found}."
                        + (
                            kind == RouteToken.Equal && tokens.LastEnd == position - 1
                                ? " To compare, write one '='."
                                : ""
                        )
                );
        }
    }

    private ConditionNode Named(string name, ConditionNode node)
    {
        names.Add(new(name, node));
        return node;
    }

    // What does not fit is undefined, as at edgeHub.
    private static ConstantNode ToNumber(string word)
    {
        if (word.StartsWith("0x", StringComparison.OrdinalIgnoreCase))
        {
            return long.TryParse(
                word.AsSpan(2),
                NumberStyles.AllowHexSpecifier,
                CultureInfo.InvariantCulture,
                out var whole
            )
                ? new(ConditionType.Number, ConditionValue.Of((double)whole))
                : ConstantNode.Undefined;
        }
        return double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            ? new(ConditionType.Number, ConditionValue.Of(number))
            : ConstantNode.Undefined;
    }

    private static ConditionNode ToSystemNode(string name, int position) =>
        name.StartsWith(BodyPrefix, StringComparison.OrdinalIgnoreCase)
            ? new BodyNode(BodyPath.Parse(name[BodyPrefix.Length..], position + BodyPrefix.Length))
        : HasBrackets(name) ? ConstantNode.Undefined
        : new SystemPropertyNode(SystemPropertyNames.Find(name[1..]));

    // A property's name has no brackets.
    private static ConditionNode OrUserProperty(string name, ConditionNode other) =>
        HasBrackets(name) ? other : new PropertyOrElseNode(name, other);

    private static bool HasBrackets(string name) => name.AsSpan().ContainsAny('[', ']');

    private ConditionNode ParseCall(string name, int position)
    {
        if (name.Equals(TwinChangeIncludes, StringComparison.OrdinalIgnoreCase))
        {
            return ParseTwinChange(position);
        }
        var arguments = new List<ConditionNode>();
        if (!tokens.TryTake(RouteToken.Close))
        {
            do
            {
                arguments.Add(ParseBinary(1));
            } while (tokens.TryTake(RouteToken.Comma));
            tokens.Take(RouteToken.Close);
        }
        return Functions.Call(name, position, [.. arguments]);
    }

    // Its argument is a path, not a value.
    private TwinChangeNode ParseTwinChange(int position)
    {
        if (!source.IsTwinChanges)
        {
            throw new RouteSyntaxException(
                $"{TwinChangeIncludes} at position {position} works only in a route FROM {RouteSource.TwinChanges}."
            );
        }
        position = tokens.Position;
        var path = tokens.Kind == RouteToken.Name ? tokens.Word : "";
        if (!TwinChangePrefixes.Any(p => path.StartsWith(p, StringComparison.OrdinalIgnoreCase)))
        {
            throw new RouteSyntaxException(
                $"Expected a path at position {position} that begins with {string.Join(" or ", TwinChangePrefixes)}, without quotes, found {tokens.Found}."
            );
        }
        tokens.Advance();
        tokens.Take(RouteToken.Close);
        return new(BodyPath.Parse(path, position));
    }
}
