using System.Collections.Frozen;
using System.Globalization;

namespace EdgeDm.DevHub.Routing.Conditions;

/// <summary>The functions of conditions, by edgeHub's names, whatever their case.</summary>
internal static class Functions
{
    private const ConditionType Number = ConditionType.Number;
    private const ConditionType String = ConditionType.String;
    private const ConditionType Bool = ConditionType.Bool;
    private const string ConcatName = "concat";
    private const string AsNumberName = "as_number";

    private static readonly FrozenDictionary<string, Function> ByName = new Function[]
    {
        new("abs", Number, [Number], (n, _, _) => ConditionValue.Of(Math.Abs(n.Number))),
        new("exp", Number, [Number], (n, _, _) => ConditionValue.Of(Math.Exp(n.Number))),
        new("power", Number, [Number, Number], (n, m, _) => ConditionValue.Of(Math.Pow(n.Number, m.Number))),
        new("square", Number, [Number], (n, _, _) => ConditionValue.Of(n.Number * n.Number)),
        new("ceiling", Number, [Number], (n, _, _) => ConditionValue.Of(Math.Ceiling(n.Number))),
        new("floor", Number, [Number], (n, _, _) => ConditionValue.Of(Math.Floor(n.Number))),
        new("sign", Number, [Number], (n, _, _) => ConditionValue.Of((double)Math.Sign(n.Number))),
        new("sqrt", Number, [Number], (n, _, _) => ConditionValue.Of(Math.Sqrt(n.Number))),
        new("length", Number, [String], (s, _, _) => ConditionValue.Of((double)s.Text!.Length)),
        new("lower", String, [String], (s, _, _) => ConditionValue.Of(s.Text!.ToLowerInvariant())),
        new("upper", String, [String], (s, _, _) => ConditionValue.Of(s.Text!.ToUpperInvariant())),
        new("substring", String, [String, Number, Number], Substring) { Fewest = 2 },
        new("index_of", Number, [String, String], (s, t, _) => ConditionValue.Of((double)IndexOf(s, t))),
        new("starts_with", Bool, [String, String], (s, t, _) => ConditionValue.Of(StartsWith(s, t))),
        new("ends_with", Bool, [String, String], (s, t, _) => ConditionValue.Of(EndsWith(s, t))),
        new("contains", Bool, [String, String], (s, t, _) => ConditionValue.Of(IndexOf(s, t) >= 0)),
    }.ToFrozenDictionary(f => f.Name, StringComparer.OrdinalIgnoreCase);

    // Those that take a value of any type, and as_number, which takes two.
    private static readonly FrozenDictionary<string, Func<ConditionNode, ConditionNode?>> OfAnything = new Dictionary<
        string,
        Func<ConditionNode, ConditionNode?>
    >(StringComparer.OrdinalIgnoreCase)
    {
        [AsNumberName] = AsNumber,
        ["is_bool"] = value => Is(value, Bool, IsBool),
        ["is_defined"] = value => new AskNode(Bool, value, v => ConditionValue.Of(v.Kind != ValueKind.Undefined)),
        ["is_null"] = value => Is(value, ConditionType.Null, IsNull),
        ["is_number"] = value =>
            Is(value, Number, v => ConditionValue.Of(double.IsFinite(v.Number) && v.Kind == ValueKind.Number)),
        ["is_string"] = value => Is(value, String, v => ConditionValue.Of(v.Kind == ValueKind.String)),
    }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    /// <summary>All names but <c>twin_change_includes</c>, whose argument is no value.</summary>
    public static IEnumerable<string> Names =>
        ByName.Keys.Concat(OfAnything.Keys).Append(ConcatName).Order(StringComparer.Ordinal);

    /// <summary>A call.</summary>
    /// <exception cref="RouteSyntaxException">There is no such function, or it takes something else.</exception>
    public static ConditionNode Call(string name, int position, ConditionNode[] arguments)
    {
        if (name.Equals(ConcatName, StringComparison.OrdinalIgnoreCase))
        {
            return arguments.Length >= 2 && arguments.All(a => Fits(String, a))
                ? new ConcatNode(arguments)
                : throw Wrong("concat(string, string, ...)", position, arguments);
        }
        if (OfAnything.TryGetValue(name, out var make))
        {
            var value = name.Equals(AsNumberName, StringComparison.OrdinalIgnoreCase) ? "string or number" : "value";
            return (arguments.Length == 1 ? make(arguments[0]) : null)
                ?? throw Wrong($"{name}({value})", position, arguments);
        }
        if (!ByName.TryGetValue(name, out var function))
        {
            throw new RouteSyntaxException(
                $"The function '{name}' at position {position} is unknown.{Spelling.DidYouMean(name, Names)} There are {string.Join(", ", Names)}, twin_change_includes."
            );
        }
        return
            arguments.Length >= function.Fewest
            && arguments.Length <= function.Parameters.Length
            && arguments.Zip(function.Parameters).All(p => Fits(p.Second, p.First))
            ? new CallNode(function, arguments)
            : throw Wrong(function.Signature, position, arguments);
    }

    private static bool Fits(ConditionType wanted, ConditionNode argument) =>
        argument.Type == wanted || argument.Type == ConditionType.Body;

    private static RouteSyntaxException Wrong(string signature, int position, ConditionNode[] arguments) =>
        new(
            $"The function at position {position} is {signature}, found {OperandHints.Describe(arguments)} in its brackets."
                + (signature.Contains("(number", StringComparison.Ordinal) ? OperandHints.ForNumbers(arguments) : "")
        );

    private static AskNode? AsNumber(ConditionNode value) =>
        value.Type is Number or String or ConditionType.Body ? new AskNode(Number, value, ToNumber) : null;

    private static ConditionValue ToNumber(ConditionValue value) =>
        value.Kind == ValueKind.Number ? value
        : value.Kind == ValueKind.String
        && double.TryParse(value.Text, NumberStyles.Any, CultureInfo.InvariantCulture, out var number)
            ? ConditionValue.Of(number)
        : ConditionValue.Undefined;

    // What is of another type for certain is false without a look, even when it is undefined.
    private static ConditionNode Is(
        ConditionNode value,
        ConditionType type,
        Func<ConditionValue, ConditionValue> ask
    ) => Fits(type, value) ? new AskNode(Bool, value, ask) : ConstantNode.False;

    private static ConditionValue IsBool(ConditionValue value) =>
        value.Kind == ValueKind.Undefined ? value : ConditionValue.Of(value.Kind == ValueKind.Bool);

    // edgeHub compares by reference here: whatever the body has is "null", and what it lacks is not.
    private static ConditionValue IsNull(ConditionValue value) =>
        value.Kind == ValueKind.Undefined ? value : ConditionValue.Of(value != ConditionValue.Missing);

    private static int IndexOf(ConditionValue text, ConditionValue part) =>
        text.Text!.IndexOf(part.Text!, StringComparison.Ordinal);

    private static bool StartsWith(ConditionValue text, ConditionValue part) =>
        text.Text!.StartsWith(part.Text!, StringComparison.Ordinal);

    private static bool EndsWith(ConditionValue text, ConditionValue part) =>
        text.Text!.EndsWith(part.Text!, StringComparison.Ordinal);

    // Without a length the start may be the very end, with one it may not.
    private static ConditionValue Substring(ConditionValue text, ConditionValue start, ConditionValue length)
    {
        var all = text.Text!.Length;
        var from = start.Number;
        if (length.Kind == ValueKind.Undefined)
        {
            return from >= 0 && from <= all ? ConditionValue.Of(text.Text[(int)from..]) : ConditionValue.Undefined;
        }
        return from >= 0 && from < all && length.Number >= 0 && length.Number <= all - from
            ? ConditionValue.Of(text.Text.Substring((int)from, (int)length.Number))
            : ConditionValue.Undefined;
    }
}
