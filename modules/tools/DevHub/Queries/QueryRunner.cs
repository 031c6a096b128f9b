using System.Globalization;
using System.Text.Json.Nodes;

namespace EdgeDm.DevHub.Queries;

/// <summary>A row that a query looks at.</summary>
/// <param name="Key">Orders the rows, and tells them apart.</param>
/// <param name="Document">What it says.</param>
internal readonly record struct QueryRow(string Key, JsonObject Document);

/// <summary>A part of a query's answer.</summary>
/// <param name="Rows">In the order of their keys.</param>
/// <param name="Next">Where the next part begins; null = there is none.</param>
internal sealed record QueryPage(IReadOnlyList<JsonObject> Rows, QueryMark? Next);

/// <summary>Where a part of an answer ended.</summary>
/// <param name="Key">Of its last row: what is added or removed meanwhile neither repeats rows nor loses any.</param>
/// <param name="Told">Rows told until then, for TOP.</param>
internal sealed record QueryMark(string Key, int Told);

/// <summary>Answers queries.</summary>
internal static class QueryRunner
{
    /// <summary>One page of the answer.</summary>
    /// <param name="query">What is asked.</param>
    /// <param name="rows">What is looked through, in any order.</param>
    /// <param name="after">Where the page before ended; null = the first.</param>
    /// <param name="most">Most rows.</param>
    public static QueryPage Run(Query query, IEnumerable<QueryRow> rows, QueryMark? after, int most)
    {
        var told = after?.Told ?? 0;
        var left = query.Top is { } top ? Math.Max(0, top - told) : int.MaxValue;
        var found = Answer(query, rows)
            .Where(row => after is null || string.CompareOrdinal(row.Key, after.Key) > 0)
            .Take(left)
            .Take(most + 1)
            .ToList();
        var page = found.Take(most).ToList();
        return new([.. page.Select(row => row.Document)], found.Count > most ? new(page[^1].Key, told + most) : null);
    }

    /// <summary>The rows that match, without regard to TOP and to what is told of them.</summary>
    public static IEnumerable<QueryRow> Matching(Query query, IEnumerable<QueryRow> rows) =>
        rows.Where(row => query.Where?.Evaluate(row.Document).IsTrue ?? true);

    private static IEnumerable<QueryRow> Answer(Query query, IEnumerable<QueryRow> rows)
    {
        var matching = Matching(query, rows).OrderBy(row => row.Key, StringComparer.Ordinal);
        if (query.IsGrouped)
        {
            return Groups(query, [.. matching]);
        }
        return query.Projections.IsEmpty
            ? matching
            : matching.Select(row => row with { Document = Project(query, p => p.Evaluate(row.Document)) });
    }

    private static IEnumerable<QueryRow> Groups(Query query, IReadOnlyList<QueryRow> rows)
    {
        // Aggregates without GROUP BY tell of all rows, also of none.
        if (query.GroupBy.IsEmpty)
        {
            return [new("", Tell(query, [.. rows.Select(row => row.Document)]))];
        }
        return rows.GroupBy(row => KeyOf(query, row.Document), StringComparer.Ordinal)
            .Select(group => new QueryRow(group.Key, Tell(query, [.. group.Select(row => row.Document)])))
            .OrderBy(group => group.Key, StringComparer.Ordinal);
    }

    private static JsonObject Tell(Query query, IReadOnlyList<JsonObject> group) =>
        Project(
            query,
            expression =>
                expression is AggregateExpression aggregate ? aggregate.Evaluate(group)
                : group.Count == 0 ? QueryValue.Undefined
                : expression.Evaluate(group[0])
        );

    private static JsonObject Project(Query query, Func<QueryExpression, QueryValue> evaluate)
    {
        var row = new JsonObject();
        foreach (var projection in query.Projections)
        {
            var value = evaluate(projection.Expression);
            if (value.Kind != QueryKind.Undefined)
            {
                row[projection.Name] = value.ToJson();
            }
        }
        return row;
    }

    private static string KeyOf(Query query, JsonObject row) =>
        string.Join(
            '\n',
            query.GroupBy.Select(property =>
            {
                var value = property.Evaluate(row);
                var json = value.Kind == QueryKind.Undefined ? "" : value.ToJson()?.ToJsonString() ?? "null";
                return string.Create(CultureInfo.InvariantCulture, $"{(int)value.Kind}{json}");
            })
        );
}
