using System.Collections.Immutable;
using System.Text.Json.Nodes;

namespace EdgeDm.DevHub.Queries;

/// <summary>
/// A part of a condition or projection that has a value for each row. What is computed of a missing property is undefined, and
/// <c>AND</c>, <c>OR</c> and <c>NOT</c> take that as "not known": <c>tags.a != 1</c> does not match a row without <c>tags.a</c>.
/// </summary>
internal abstract record QueryExpression
{
    /// <summary>The value for a row.</summary>
    public abstract QueryValue Evaluate(JsonObject row);
}

/// <summary>The same for all rows.</summary>
internal sealed record LiteralExpression(QueryValue Value) : QueryExpression
{
    public override QueryValue Evaluate(JsonObject row) => Value;
}

/// <summary>A property by its path, for example <c>tags.location.plant</c>.</summary>
internal sealed record PropertyExpression(ImmutableArray<string> Path, int Position) : QueryExpression
{
    /// <summary>What it is called in an answer where nothing else is said.</summary>
    public string Name => Path[^1];

    public override QueryValue Evaluate(JsonObject row)
    {
        JsonNode? at = row;
        foreach (var name in Path)
        {
            if (at is not JsonObject members || !members.TryGetPropertyValue(name, out at))
            {
                return QueryValue.Undefined;
            }
        }
        return QueryValue.Of(at);
    }

    public bool Equals(PropertyExpression? other) => other is not null && Path.SequenceEqual(other.Path);

    public override int GetHashCode() => string.Join('.', Path).GetHashCode(StringComparison.Ordinal);
}

/// <summary><c>=</c>, <c>!=</c>, <c>&lt;</c> and so on.</summary>
internal sealed record ComparisonExpression(string Operator, QueryExpression Left, QueryExpression Right)
    : QueryExpression
{
    public override QueryValue Evaluate(JsonObject row)
    {
        var left = Left.Evaluate(row);
        var right = Right.Evaluate(row);
        if (Operator is "=" or "!=" or "<>")
        {
            return QueryValue.AreEqual(left, right) is { } equal
                ? QueryValue.Of(equal == (Operator == "="))
                : QueryValue.Undefined;
        }
        if (QueryValue.Compare(left, right) is not { } order)
        {
            return QueryValue.Undefined;
        }
        return QueryValue.Of(
            Operator switch
            {
                "<" => order < 0,
                "<=" => order <= 0,
                ">" => order > 0,
                _ => order >= 0,
            }
        );
    }
}

/// <summary><c>IN [..]</c> and <c>NIN [..]</c>.</summary>
internal sealed record MembershipExpression(QueryExpression Value, ImmutableArray<QueryExpression> List, bool Negated)
    : QueryExpression
{
    public override QueryValue Evaluate(JsonObject row)
    {
        var value = Value.Evaluate(row);
        return value.Kind == QueryKind.Undefined
            ? QueryValue.Undefined
            : QueryValue.Of(List.Any(item => QueryValue.AreEqual(value, item.Evaluate(row)) == true) != Negated);
    }
}

/// <summary><c>AND</c> and <c>OR</c> of many.</summary>
internal sealed record LogicalExpression(bool IsAnd, ImmutableArray<QueryExpression> Terms) : QueryExpression
{
    public override QueryValue Evaluate(JsonObject row)
    {
        var known = true;
        foreach (var term in Terms)
        {
            var value = term.Evaluate(row);
            if (value.Kind != QueryKind.Bool)
            {
                known = false;
            }
            else if (value.IsTrue != IsAnd)
            {
                return value;
            }
        }
        return known ? QueryValue.Of(IsAnd) : QueryValue.Undefined;
    }
}

/// <summary><c>NOT</c>.</summary>
internal sealed record NotExpression(QueryExpression Term) : QueryExpression
{
    public override QueryValue Evaluate(JsonObject row)
    {
        var value = Term.Evaluate(row);
        return value.Kind == QueryKind.Bool ? QueryValue.Of(!value.IsTrue) : QueryValue.Undefined;
    }
}

/// <summary>Arithmetic of numbers, and <c>||</c> of strings.</summary>
internal sealed record ArithmeticExpression(string Operator, QueryExpression Left, QueryExpression Right)
    : QueryExpression
{
    public override QueryValue Evaluate(JsonObject row)
    {
        var left = Left.Evaluate(row);
        var right = Right.Evaluate(row);
        if (Operator == "||")
        {
            return left.Kind == QueryKind.Text && right.Kind == QueryKind.Text
                ? QueryValue.Of(left.Text + right.Text)
                : QueryValue.Undefined;
        }
        if (left.Kind != QueryKind.Number || right.Kind != QueryKind.Number)
        {
            return QueryValue.Undefined;
        }
        return QueryValue.Of(
            Operator switch
            {
                "+" => left.Number + right.Number,
                "-" => left.Number - right.Number,
                "*" => left.Number * right.Number,
                "/" => left.Number / right.Number,
                _ => left.Number % right.Number,
            }
        );
    }
}

/// <summary>A call of a <see cref="QueryFunction"/>.</summary>
internal sealed record FunctionExpression(QueryFunction Function, ImmutableArray<QueryExpression> Arguments)
    : QueryExpression
{
    public override QueryValue Evaluate(JsonObject row) =>
        Function.Evaluate([.. Arguments.Select(argument => argument.Evaluate(row))]);
}

/// <summary>What is told of a group of rows.</summary>
internal enum Aggregate
{
    Count,
    Sum,
    Avg,
    Min,
    Max,
}

/// <summary><c>COUNT()</c>, <c>SUM(..)</c> and so on; a projection as a whole, never a part of one.</summary>
/// <param name="Aggregate">Which.</param>
/// <param name="Of">Of what; null = of the rows.</param>
internal sealed record AggregateExpression(Aggregate Aggregate, QueryExpression? Of) : QueryExpression
{
    public override QueryValue Evaluate(JsonObject row) =>
        throw new InvalidOperationException("An aggregate has no value for one row.");

    /// <summary>The value for a group. Rows in which it is undefined do not count; sums and averages are of numbers alone.</summary>
    public QueryValue Evaluate(IReadOnlyList<JsonObject> group)
    {
        var values = Of is null
            ? []
            : group.Select(Of.Evaluate).Where(value => value.Kind != QueryKind.Undefined).ToList();
        var numbers = values.Where(value => value.Kind == QueryKind.Number).Select(value => value.Number).ToList();
        return Aggregate switch
        {
            Aggregate.Count => QueryValue.Of(Of is null ? group.Count : (double)values.Count),
            Aggregate.Sum => QueryValue.Of(numbers.Sum()),
            Aggregate.Avg => numbers.Count == 0 ? QueryValue.Undefined : QueryValue.Of(numbers.Average()),
            Aggregate.Min => Extreme(values, -1),
            _ => Extreme(values, 1),
        };
    }

    // Of numbers or of strings; what has no order with the first is passed over.
    private static QueryValue Extreme(IReadOnlyList<QueryValue> values, int sign)
    {
        var best = QueryValue.Undefined;
        foreach (var value in values)
        {
            if (best.Kind == QueryKind.Undefined || QueryValue.Compare(value, best) * sign > 0)
            {
                best = value;
            }
        }
        return best;
    }
}
