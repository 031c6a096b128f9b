using System.Collections.Immutable;

namespace EdgeDm.DevHub.Queries;

/// <content>Conditions and values, by precedence: OR, AND, NOT, comparisons, sums, products, signs.</content>
internal sealed partial class QueryParser
{
    private QueryExpression Condition() => Logical("OR", () => Logical("AND", Negation));

    private QueryExpression Logical(string keyword, Func<QueryExpression> term)
    {
        var first = term();
        if (!token.IsWord(keyword))
        {
            return first;
        }
        var terms = ImmutableArray.CreateBuilder<QueryExpression>();
        terms.Add(first);
        while (TryTake(keyword))
        {
            terms.Add(term());
        }
        return new LogicalExpression(keyword == "AND", terms.DrainToImmutable());
    }

    private QueryExpression Negation()
    {
        if (!token.IsWord("NOT"))
        {
            return Comparison();
        }
        var position = Take().Position;
        return Nested(position, () => new NotExpression(Negation()));
    }

    private QueryExpression Comparison()
    {
        var left = Sum();
        if (token.Kind == QueryTokenKind.Symbol && token.Text is "=" or "!=" or "<>" or "<" or "<=" or ">" or ">=")
        {
            return new ComparisonExpression(Take().Text, left, Sum());
        }
        if (token.IsWord("IN") || token.IsWord("NIN"))
        {
            return new MembershipExpression(left, Negated: Take().IsWord("NIN"), List: List());
        }
        if (token.IsWord("NOT") && ahead.IsWord("IN"))
        {
            Take();
            Take();
            return new MembershipExpression(left, Negated: true, List: List());
        }
        return left;
    }

    private ImmutableArray<QueryExpression> List()
    {
        ExpectSymbol("[");
        var items = ImmutableArray.CreateBuilder<QueryExpression>();
        if (!token.Is("]"))
        {
            do
            {
                items.Add(Sum());
            } while (TryTakeSymbol(","));
        }
        ExpectSymbol("]");
        return items.DrainToImmutable();
    }

    private QueryExpression Sum()
    {
        var value = Product();
        while (token.Kind == QueryTokenKind.Symbol && token.Text is "+" or "-" or "||")
        {
            value = new ArithmeticExpression(Take().Text, value, Product());
        }
        return value;
    }

    private QueryExpression Product()
    {
        var value = Sign();
        while (token.Kind == QueryTokenKind.Symbol && token.Text is "*" or "/" or "%")
        {
            value = new ArithmeticExpression(Take().Text, value, Sign());
        }
        return value;
    }

    private QueryExpression Sign()
    {
        if (!token.Is("-"))
        {
            return Value();
        }
        var position = Take().Position;
        return Nested(position, () => new ArithmeticExpression("-", new LiteralExpression(QueryValue.Of(0d)), Sign()));
    }

    private QueryExpression Value()
    {
        switch (token.Kind)
        {
            case QueryTokenKind.Number:
                return new LiteralExpression(QueryValue.Of(Take().Number));
            case QueryTokenKind.Text:
                return new LiteralExpression(QueryValue.Of(Take().Text));
            case QueryTokenKind.Symbol when token.Is("("):
                return Nested(Take().Position, Parenthesis);
            case QueryTokenKind.Name when ahead.Is("("):
                return Call();
            case QueryTokenKind.Name or QueryTokenKind.QuotedName:
                return Constant() is { } constant ? constant : Property();
            default:
                throw new QueryException(token.Position, $"a value is expected instead of {token}.");
        }
    }

    private QueryExpression Parenthesis()
    {
        var inner = Condition();
        ExpectSymbol(")");
        return inner;
    }

    private LiteralExpression? Constant()
    {
        var constant =
            token.IsWord("true") ? QueryValue.Of(true)
            : token.IsWord("false") ? QueryValue.Of(false)
            : token.IsWord("null") ? QueryValue.Null
            : token.IsWord("undefined") ? QueryValue.Undefined
            : (QueryValue?)null;
        if (constant is null)
        {
            return null;
        }
        Take();
        return new(constant.Value);
    }

    private PropertyExpression Property()
    {
        if (Keywords.Any(token.IsWord) || token.Kind is not (QueryTokenKind.Name or QueryTokenKind.QuotedName))
        {
            throw new QueryException(token.Position, $"a property is expected instead of {token}.");
        }
        var position = token.Position;
        var path = ImmutableArray.CreateBuilder<string>();
        do
        {
            path.Add(Name());
        } while (TryTakeSymbol("."));
        return new(path.DrainToImmutable(), position);
    }

    private FunctionExpression Call()
    {
        var name = Take();
        if (!QueryFunction.ByName.TryGetValue(name.Text, out var function))
        {
            var instead = Enum.TryParse<Aggregate>(name.Text, ignoreCase: true, out _)
                ? "it stands in SELECT alone, not within a condition or another value."
                : $"there are {string.Join(", ", QueryFunction.ByName.Keys.Order(StringComparer.Ordinal))}.";
            throw new QueryException(name.Position, $"'{name.Text}' is no function here: {instead}");
        }
        var arguments = Nested(name.Position, Arguments);
        return arguments.Length == function.Arguments
            ? new(function, arguments)
            : throw new QueryException(
                name.Position,
                $"{function.Name} takes {function.Arguments} values and has {arguments.Length}."
            );
    }

    private ImmutableArray<QueryExpression> Arguments()
    {
        ExpectSymbol("(");
        var arguments = ImmutableArray.CreateBuilder<QueryExpression>();
        if (!token.Is(")"))
        {
            do
            {
                arguments.Add(Condition());
            } while (TryTakeSymbol(","));
        }
        ExpectSymbol(")");
        return arguments.DrainToImmutable();
    }

    private QueryExpression AggregateOrValue()
    {
        if (
            token.Kind != QueryTokenKind.Name
            || !ahead.Is("(")
            || !Enum.TryParse<Aggregate>(token.Text, ignoreCase: true, out var aggregate)
        )
        {
            return Sum();
        }
        var name = Take();
        Take();
        // COUNT(*) is COUNT().
        var all = aggregate == Aggregate.Count && TryTakeSymbol("*");
        var of = all || token.Is(")") ? null : Sum();
        ExpectSymbol(")");
        return of is not null || aggregate == Aggregate.Count
            ? new AggregateExpression(aggregate, of)
            : throw new QueryException(name.Position, $"{name.Text} takes one value and has none.");
    }

    private T Nested<T>(int position, Func<T> inner)
    {
        if (++depth > limits.DeepestQuery)
        {
            throw new QueryException(position, $"it is nested deeper than {limits.DeepestQuery} levels.");
        }
        var result = inner();
        depth--;
        return result;
    }
}
