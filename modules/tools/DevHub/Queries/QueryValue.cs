using System.Text.Json;
using System.Text.Json.Nodes;

namespace EdgeDm.DevHub.Queries;

/// <summary>Kinds of values.</summary>
internal enum QueryKind
{
    /// <summary>What a missing property gives, and whatever is computed of it. No row matches by it.</summary>
    Undefined,
    Null,
    Bool,
    Number,
    Text,
    Array,
    Object,
}

/// <summary>A value within a query.</summary>
internal readonly struct QueryValue
{
    private readonly double number;
    private readonly string? text;
    private readonly JsonNode? node;

    private QueryValue(QueryKind kind, double number = 0, string? text = null, JsonNode? node = null)
    {
        Kind = kind;
        this.number = number;
        this.text = text;
        this.node = node;
    }

    public static QueryValue Undefined => default;

    public static QueryValue Null { get; } = new(QueryKind.Null);

    public QueryKind Kind { get; }

    /// <summary>True for <c>true</c> and for nothing else.</summary>
    public bool IsTrue => Kind == QueryKind.Bool && number > 0;

    /// <summary>Of a number.</summary>
    public double Number => number;

    /// <summary>Of a string.</summary>
    public string Text => text ?? "";

    public static QueryValue Of(bool value) => new(QueryKind.Bool, value ? 1 : 0);

    /// <summary>A number; undefined when it is none, as after a division by zero.</summary>
    public static QueryValue Of(double value) => double.IsFinite(value) ? new(QueryKind.Number, value) : Undefined;

    public static QueryValue Of(string value) => new(QueryKind.Text, text: value);

    /// <summary>Of JSON that is there; null is JSON's null.</summary>
    public static QueryValue Of(JsonNode? node) =>
        node switch
        {
            null => Null,
            JsonObject => new(QueryKind.Object, node: node),
            JsonArray => new(QueryKind.Array, node: node),
            _ => node.GetValueKind() switch
            {
                JsonValueKind.String => new(QueryKind.Text, text: node.GetValue<string>(), node: node),
                JsonValueKind.Number => new(QueryKind.Number, NumberOf(node), node: node),
                JsonValueKind.True => Of(true),
                JsonValueKind.False => Of(false),
                _ => Null,
            },
        };

    /// <summary>As JSON, which belongs to the caller; only of what is defined. Numbers of documents keep their form.</summary>
    public JsonNode? ToJson() =>
        node?.DeepClone()
        ?? Kind switch
        {
            QueryKind.Bool => JsonValue.Create(number > 0),
            QueryKind.Number when number == Math.Floor(number) && Math.Abs(number) < 1L << 53 => JsonValue.Create(
                (long)number
            ),
            QueryKind.Number => JsonValue.Create(number),
            QueryKind.Text => JsonValue.Create(text),
            _ => null,
        };

    /// <summary>Null = they cannot be compared: one is undefined.</summary>
    public static bool? AreEqual(QueryValue left, QueryValue right)
    {
        if (left.Kind == QueryKind.Undefined || right.Kind == QueryKind.Undefined)
        {
            return null;
        }
        return left.Kind == right.Kind
            && left.Kind switch
            {
                QueryKind.Null => true,
                QueryKind.Text => left.text == right.text,
                QueryKind.Array or QueryKind.Object => JsonNode.DeepEquals(left.node, right.node),
                _ => left.number.Equals(right.number),
            };
    }

    /// <summary>Less than 0, 0 or more as in sorting; null = they have no order.</summary>
    public static int? Compare(QueryValue left, QueryValue right) =>
        left.Kind != right.Kind
            ? null
            : left.Kind switch
            {
                QueryKind.Text => string.CompareOrdinal(left.text, right.text),
                QueryKind.Number or QueryKind.Bool => left.number.CompareTo(right.number),
                _ => null,
            };

    // Made in code, a number is of its own type; parsed, of any.
    private static double NumberOf(JsonNode node) =>
        node.AsValue().TryGetValue(out double real) ? real
        : node.AsValue().TryGetValue(out long whole) ? whole
        : node.AsValue().TryGetValue(out int small) ? small
        : double.NaN;
}
