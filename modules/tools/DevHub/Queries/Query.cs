using System.Collections.Immutable;

namespace EdgeDm.DevHub.Queries;

/// <summary>A query in IoT Hub's language for twins and jobs, read and checked (its documentation, "IoT Hub query language").</summary>
/// <param name="Source">What is looked through.</param>
/// <param name="Top">Most rows; null = all.</param>
/// <param name="Projections">What each row tells; empty = all of it (<c>*</c>).</param>
/// <param name="Where">Which rows; null = all.</param>
/// <param name="GroupBy">What makes a group; empty with aggregates = one group of all rows.</param>
internal sealed record Query(
    QuerySource Source,
    int? Top,
    ImmutableArray<Projection> Projections,
    QueryExpression? Where,
    ImmutableArray<PropertyExpression> GroupBy
)
{
    /// <summary>True when a row of the answer stands for a group of rows.</summary>
    public bool IsGrouped => !GroupBy.IsEmpty || Projections.Any(p => p.Expression is AggregateExpression);
}

/// <summary>One value of an answer's row.</summary>
/// <param name="Name">By which it is told.</param>
/// <param name="Expression">What.</param>
internal sealed record Projection(string Name, QueryExpression Expression);

/// <summary>A collection that can be queried.</summary>
internal enum QuerySource
{
    /// <summary><c>devices</c>: the twins of devices.</summary>
    Devices,

    /// <summary><c>devices.modules</c>: the twins of modules.</summary>
    Modules,

    /// <summary><c>devices.jobs</c>: what jobs did on each device.</summary>
    Jobs,
}

/// <summary>How large a query may be.</summary>
/// <param name="LongestQuery">Characters.</param>
/// <param name="DeepestQuery">Parentheses, functions and signs within each other.</param>
/// <param name="DefaultPage">Rows of an answer when nothing is asked for (IoT Hub's 100).</param>
/// <param name="LargestPage">Rows of an answer at most.</param>
public sealed record QueryLimits(
    int LongestQuery = 8 * 1024,
    int DeepestQuery = 32,
    int DefaultPage = 100,
    int LargestPage = 1000
)
{
    /// <summary>As IoT Hub's, or larger.</summary>
    public static readonly QueryLimits Default = new();
}

/// <summary>A query is wrong; the message says what, and at which character.</summary>
internal sealed class QueryException(int position, string what)
    : Exception($"The query is wrong at character {position + 1}: {what}")
{
    /// <summary>From 0.</summary>
    public int Position { get; } = position;
}
