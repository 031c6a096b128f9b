using System.Collections.Immutable;

namespace EdgeDm.DevHub.Queries;

/// <summary>Reads queries. Keywords and functions are written in any case, properties exactly.</summary>
internal sealed partial class QueryParser
{
    private static readonly string[] Keywords =
    [
        "select",
        "top",
        "from",
        "where",
        "group",
        "by",
        "as",
        "and",
        "or",
        "not",
        "in",
        "nin",
        "true",
        "false",
        "null",
        "undefined",
    ];

    private readonly QueryLexer lexer;
    private readonly QueryLimits limits;
    private QueryToken token;
    private QueryToken ahead;
    private int depth;

    private QueryParser(string text, QueryLimits limits)
    {
        if (text.Length > limits.LongestQuery)
        {
            throw new QueryException(limits.LongestQuery, $"it has more than {limits.LongestQuery} characters.");
        }
        this.limits = limits;
        lexer = new(text);
        token = lexer.Next();
        ahead = lexer.Next();
    }

    /// <summary>Reads <c>SELECT .. FROM .. [WHERE ..] [GROUP BY ..]</c>.</summary>
    /// <exception cref="QueryException">It is wrong.</exception>
    public static Query Parse(string text, QueryLimits? limits = null)
    {
        var parser = new QueryParser(text, limits ?? QueryLimits.Default);
        parser.Expect("SELECT");
        var top = parser.Top();
        var projections = parser.Projections();
        var start = parser.token.Position;
        var query = parser.FromAndWhere() with { Top = top, Projections = projections };
        var groups = ImmutableArray.CreateBuilder<PropertyExpression>();
        if (parser.TryTake("GROUP"))
        {
            parser.Expect("BY");
            do
            {
                groups.Add(parser.Property());
            } while (parser.TryTakeSymbol(","));
        }
        parser.ExpectEnd();
        return Checked((query with { GroupBy = groups.DrainToImmutable() }).WithoutPrefix(), start);
    }

    /// <summary>
    /// Reads the condition of a job or a configuration: what stands behind <c>WHERE</c>, over devices; or <c>FROM .. [WHERE ..]</c>;
    /// or <c>*</c> for all devices.
    /// </summary>
    /// <exception cref="QueryException">It is wrong.</exception>
    public static Query ParseCondition(string text, QueryLimits? limits = null)
    {
        var parser = new QueryParser(text, limits ?? QueryLimits.Default);
        Query query;
        if (parser.token.IsWord("FROM"))
        {
            query = parser.FromAndWhere();
        }
        else if (parser.TryTakeSymbol("*"))
        {
            query = new(QuerySource.Devices, null, [], null, []);
        }
        else
        {
            query = new(QuerySource.Devices, null, [], parser.Condition(), []);
        }
        parser.ExpectEnd();
        return query.WithoutPrefix();
    }

    private int? Top()
    {
        if (!token.IsWord("TOP") || ahead.Kind != QueryTokenKind.Number)
        {
            return null;
        }
        Take();
        var number = Take();
        return number.Number is >= 1 and <= int.MaxValue && number.Number == Math.Floor(number.Number)
            ? (int)number.Number
            : throw new QueryException(number.Position, "TOP takes a whole number from 1.");
    }

    private ImmutableArray<Projection> Projections()
    {
        if (TryTakeSymbol("*"))
        {
            return [];
        }
        var projections = ImmutableArray.CreateBuilder<Projection>();
        do
        {
            var position = token.Position;
            var expression = AggregateOrValue();
            var name =
                TryTake("AS") ? Name()
                : expression is PropertyExpression property ? property.Name
                : $"${projections.Count + 1}";
            if (projections.Any(known => known.Name == name))
            {
                throw new QueryException(position, $"two values are called '{name}'. Give one another name by AS.");
            }
            projections.Add(new(name, expression));
        } while (TryTakeSymbol(","));
        return projections.DrainToImmutable();
    }

    private Query FromAndWhere()
    {
        Expect("FROM");
        var position = token.Position;
        var source = string.Join('.', Property().Path) switch
        {
            "devices" => QuerySource.Devices,
            "devices.modules" => QuerySource.Modules,
            "devices.jobs" => QuerySource.Jobs,
            _ => throw new QueryException(
                position,
                "FROM takes devices, devices.modules or devices.jobs. There is nothing else to look through."
            ),
        };
        return new(source, null, [], TryTake("WHERE") ? Condition() : null, []);
    }

    private static Query Checked(Query query, int position)
    {
        if (query.Projections.IsEmpty && !query.GroupBy.IsEmpty)
        {
            throw new QueryException(position, "with GROUP BY, SELECT must name what is told of each group.");
        }
        if (query.IsGrouped && query.Projections.FirstOrDefault(p => !IsOfGroup(query, p.Expression)) is { } loose)
        {
            throw new QueryException(
                position,
                $"'{loose.Name}' differs within a group: name it in GROUP BY, or tell COUNT(), SUM(), AVG(), MIN() or MAX() of it."
            );
        }
        return query;
    }

    private static bool IsOfGroup(Query query, QueryExpression expression) =>
        expression is AggregateExpression or LiteralExpression
        || (expression is PropertyExpression property && query.GroupBy.Contains(property));

    private string Name()
    {
        var name = Take();
        return name.Kind is QueryTokenKind.Name or QueryTokenKind.QuotedName
            ? name.Text
            : throw new QueryException(name.Position, $"a name is expected instead of {name}.");
    }

    private QueryToken Take()
    {
        var taken = token;
        token = ahead;
        ahead = lexer.Next();
        return taken;
    }

    private bool TryTake(string keyword)
    {
        if (!token.IsWord(keyword))
        {
            return false;
        }
        Take();
        return true;
    }

    private bool TryTakeSymbol(string symbol)
    {
        if (!token.Is(symbol))
        {
            return false;
        }
        Take();
        return true;
    }

    private void Expect(string keyword)
    {
        if (!TryTake(keyword))
        {
            throw new QueryException(token.Position, $"{keyword} is expected instead of {token}.");
        }
    }

    private void ExpectSymbol(string symbol)
    {
        if (!TryTakeSymbol(symbol))
        {
            throw new QueryException(token.Position, $"'{symbol}' is expected instead of {token}.");
        }
    }

    private void ExpectEnd()
    {
        if (token.Kind != QueryTokenKind.End)
        {
            throw new QueryException(token.Position, $"nothing is expected any more, and {token} stands there.");
        }
    }
}
