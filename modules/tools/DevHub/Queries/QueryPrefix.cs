using System.Collections.Immutable;

namespace EdgeDm.DevHub.Queries;

/// <summary>Takes the collection's name off properties: <c>devices.jobs.jobId</c> is <c>jobId</c>.</summary>
internal static class QueryPrefix
{
    public static Query WithoutPrefix(this Query query)
    {
        string[] prefix = query.Source switch
        {
            QuerySource.Modules => ["devices", "modules"],
            QuerySource.Jobs => ["devices", "jobs"],
            _ => ["devices"],
        };
        return query with
        {
            Projections = [.. query.Projections.Select(p => p with { Expression = Strip(p.Expression, prefix) })],
            Where = query.Where is { } where ? Strip(where, prefix) : null,
            GroupBy = [.. query.GroupBy.Select(property => Strip(property, prefix))],
        };
    }

    private static QueryExpression Strip(QueryExpression expression, string[] prefix) =>
        expression switch
        {
            PropertyExpression property => Strip(property, prefix),
            ComparisonExpression e => e with { Left = Strip(e.Left, prefix), Right = Strip(e.Right, prefix) },
            ArithmeticExpression e => e with { Left = Strip(e.Left, prefix), Right = Strip(e.Right, prefix) },
            MembershipExpression e => e with { Value = Strip(e.Value, prefix), List = Strip(e.List, prefix) },
            LogicalExpression e => e with { Terms = Strip(e.Terms, prefix) },
            NotExpression e => e with { Term = Strip(e.Term, prefix) },
            FunctionExpression e => e with { Arguments = Strip(e.Arguments, prefix) },
            AggregateExpression { Of: { } of } e => e with { Of = Strip(of, prefix) },
            _ => expression,
        };

    private static ImmutableArray<QueryExpression> Strip(ImmutableArray<QueryExpression> all, string[] prefix) =>
        [.. all.Select(expression => Strip(expression, prefix))];

    private static PropertyExpression Strip(PropertyExpression property, string[] prefix) =>
        property.Path.Length > prefix.Length && property.Path.Take(prefix.Length).SequenceEqual(prefix)
            ? property with
            {
                Path = property.Path[prefix.Length..],
            }
            : property;
}
