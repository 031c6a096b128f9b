namespace EdgeDm.DevHub.Routing.Conditions;

/// <summary>A function of at most three values whose types are fixed. It is called only with values of these.</summary>
/// <param name="Name">In lower case.</param>
/// <param name="Result">Type of what it gives.</param>
/// <param name="Parameters">Types of what it takes.</param>
/// <param name="Body">What it does; absent arguments are undefined.</param>
internal sealed record Function(
    string Name,
    ConditionType Result,
    ConditionType[] Parameters,
    Func<ConditionValue, ConditionValue, ConditionValue, ConditionValue> Body
)
{
    /// <summary>Arguments that must be there.</summary>
    public int Fewest { get; init; } = Parameters.Length;

    /// <summary>For messages.</summary>
    public string Signature
    {
        get
        {
            var words = Parameters.Select(p => p == ConditionType.Number ? "number" : "string").ToArray();
            var optional = string.Concat(words[Fewest..].Select(w => $"[, {w}]"));
            return $"{Name}({string.Join(", ", words[..Fewest])}{optional})";
        }
    }
}

/// <summary>A call of a function; undefined when an argument is not what it takes.</summary>
internal sealed class CallNode(Function function, ConditionNode[] arguments) : ConditionNode(function.Result)
{
    public override ConditionValue Evaluate(ref MessageView message)
    {
        Span<ConditionValue> values = [default, default, default];
        for (var index = 0; index < arguments.Length; index++)
        {
            values[index] = arguments[index].Evaluate(ref message);
            var wanted = function.Parameters[index] == ConditionType.Number ? ValueKind.Number : ValueKind.String;
            if (values[index].Kind != wanted)
            {
                return ConditionValue.Undefined;
            }
        }
        return function.Body(values[0], values[1], values[2]);
    }
}

/// <summary>A function of one value of any type.</summary>
internal sealed class AskNode(ConditionType type, ConditionNode operand, Func<ConditionValue, ConditionValue> ask)
    : ConditionNode(type)
{
    public override ConditionValue Evaluate(ref MessageView message) => ask(operand.Evaluate(ref message));
}

/// <summary><c>twin_change_includes</c>: whether a change of a twin has something at a path.</summary>
internal sealed class TwinChangeNode(BodyPath path) : ConditionNode(ConditionType.Bool)
{
    public override ConditionValue Evaluate(ref MessageView message) =>
        message.TryReadBody(out var body)
            ? ConditionValue.Of(path.Find(body) != ConditionValue.Missing)
            : ConditionValue.Undefined;
}
