using System.Collections.Frozen;

namespace EdgeDm.DevHub.Queries;

/// <summary>A function of the query language.</summary>
/// <param name="Name">As written, in lower case.</param>
/// <param name="Arguments">How many it takes.</param>
/// <param name="Evaluate">What it gives.</param>
internal sealed record QueryFunction(string Name, int Arguments, Func<QueryValue[], QueryValue> Evaluate)
{
    private static readonly QueryFunction[] All =
    [
        new("is_defined", 1, a => QueryValue.Of(a[0].Kind != QueryKind.Undefined)),
        IsKind("is_null", QueryKind.Null),
        IsKind("is_bool", QueryKind.Bool),
        IsKind("is_number", QueryKind.Number),
        IsKind("is_string", QueryKind.Text),
        IsKind("is_array", QueryKind.Array),
        IsKind("is_object", QueryKind.Object),
        new(
            "is_primitive",
            1,
            a => QueryValue.Of(a[0].Kind is QueryKind.Null or QueryKind.Bool or QueryKind.Number or QueryKind.Text)
        ),
        OfTexts("startswith", (text, part) => QueryValue.Of(text.StartsWith(part, StringComparison.Ordinal))),
        OfTexts("starts_with", (text, part) => QueryValue.Of(text.StartsWith(part, StringComparison.Ordinal))),
        OfTexts("endswith", (text, part) => QueryValue.Of(text.EndsWith(part, StringComparison.Ordinal))),
        OfTexts("ends_with", (text, part) => QueryValue.Of(text.EndsWith(part, StringComparison.Ordinal))),
        OfTexts("contains", (text, part) => QueryValue.Of(text.Contains(part, StringComparison.Ordinal))),
        OfTexts("concat", (text, part) => QueryValue.Of(text + part)),
        OfText("lower", text => QueryValue.Of(text.ToLowerInvariant())),
        OfText("upper", text => QueryValue.Of(text.ToUpperInvariant())),
        OfText("length", text => QueryValue.Of((double)text.Length)),
        OfNumber("abs", Math.Abs),
        OfNumber("ceiling", Math.Ceiling),
        OfNumber("floor", Math.Floor),
        OfNumber("sqrt", Math.Sqrt),
    ];

    /// <summary>All functions, by name in any case.</summary>
    public static FrozenDictionary<string, QueryFunction> ByName { get; } =
        All.ToFrozenDictionary(function => function.Name, StringComparer.OrdinalIgnoreCase);

    private static QueryFunction IsKind(string name, QueryKind kind) =>
        new(name, 1, a => QueryValue.Of(a[0].Kind == kind));

    private static QueryFunction OfText(string name, Func<string, QueryValue> function) =>
        new(name, 1, a => a[0].Kind == QueryKind.Text ? function(a[0].Text) : QueryValue.Undefined);

    private static QueryFunction OfTexts(string name, Func<string, string, QueryValue> function) =>
        new(
            name,
            2,
            a =>
                a[0].Kind == QueryKind.Text && a[1].Kind == QueryKind.Text
                    ? function(a[0].Text, a[1].Text)
                    : QueryValue.Undefined
        );

    private static QueryFunction OfNumber(string name, Func<double, double> function) =>
        new(name, 1, a => a[0].Kind == QueryKind.Number ? QueryValue.Of(function(a[0].Number)) : QueryValue.Undefined);
}
