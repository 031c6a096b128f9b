namespace EdgeDm.DevHub.Routing.Conditions;

/// <summary><c>-number</c>.</summary>
internal sealed class NegateNode(ConditionNode operand) : ConditionNode(ConditionType.Number)
{
    public override ConditionValue Evaluate(ref MessageView message)
    {
        var value = operand.Evaluate(ref message);
        return value.Kind == ValueKind.Number ? ConditionValue.Of(-value.Number) : ConditionValue.Undefined;
    }
}

/// <summary><c>NOT condition</c>; what is undefined stays so.</summary>
internal sealed class NotNode(ConditionNode operand) : ConditionNode(ConditionType.Bool)
{
    public override ConditionValue Evaluate(ref MessageView message)
    {
        var value = operand.Evaluate(ref message);
        return value.Kind == ValueKind.Bool ? ConditionValue.Of(value.IsFalse) : ConditionValue.Undefined;
    }
}

/// <summary>AND and OR with three values: what is decided by one side stays decided when the other is undefined.</summary>
internal sealed class LogicalNode(RouteToken kind, ConditionNode left, ConditionNode right)
    : ConditionNode(ConditionType.Bool)
{
    public override ConditionValue Evaluate(ref MessageView message)
    {
        // Asked in this order so that the body is not parsed for nothing.
        var first = left.Evaluate(ref message);
        if (Decides(first))
        {
            return first;
        }
        var second = right.Evaluate(ref message);
        return Decides(second) ? second
            : first.Kind == ValueKind.Undefined ? first
            : second;
    }

    private bool Decides(ConditionValue value) => kind == RouteToken.And ? value.IsFalse : value.IsTrue;
}

/// <summary>AND and OR with a body value on the left: edgeHub then wants true or false on both sides, and nothing is decided by one.</summary>
internal sealed class BodyLogicalNode(RouteToken kind, ConditionNode left, ConditionNode right)
    : ConditionNode(ConditionType.Bool)
{
    public override ConditionValue Evaluate(ref MessageView message)
    {
        var first = left.Evaluate(ref message);
        if (first.Kind != ValueKind.Bool)
        {
            return ConditionValue.Undefined;
        }
        var second = right.Evaluate(ref message);
        return second.Kind != ValueKind.Bool ? ConditionValue.Undefined
            : kind == RouteToken.And ? ConditionValue.Of(first.IsTrue && second.IsTrue)
            : ConditionValue.Of(first.IsTrue || second.IsTrue);
    }
}

/// <summary><c>= != &lt; &lt;= &gt; &gt;=</c>.</summary>
internal sealed class CompareNode(RouteToken kind, ConditionNode left, ConditionNode right)
    : ConditionNode(ConditionType.Bool)
{
    public override ConditionValue Evaluate(ref MessageView message)
    {
        if (ConditionValue.Compare(left.Evaluate(ref message), right.Evaluate(ref message)) is not { } order)
        {
            return ConditionValue.Undefined;
        }
        return ConditionValue.Of(
            kind switch
            {
                RouteToken.Equal => order == 0,
                RouteToken.NotEqual => order != 0,
                RouteToken.Less => order < 0,
                RouteToken.LessOrEqual => order <= 0,
                RouteToken.Greater => order > 0,
                _ => order >= 0,
            }
        );
    }
}

/// <summary><c>+ - * / %</c> of numbers as .NET's double has them: n / 0 is infinite, 0 / 0 and n % 0 are undefined.</summary>
internal sealed class ArithmeticNode(RouteToken kind, ConditionNode left, ConditionNode right)
    : ConditionNode(
        left.Type == ConditionType.Body || right.Type == ConditionType.Body ? ConditionType.Body : ConditionType.Number
    )
{
    public override ConditionValue Evaluate(ref MessageView message)
    {
        var first = left.Evaluate(ref message);
        var second = right.Evaluate(ref message);
        if (first.Kind != ValueKind.Number || second.Kind != ValueKind.Number)
        {
            return ConditionValue.Undefined;
        }
        return ConditionValue.Of(
            kind switch
            {
                RouteToken.Plus => first.Number + second.Number,
                RouteToken.Minus => first.Number - second.Number,
                RouteToken.Star => first.Number * second.Number,
                RouteToken.Slash => first.Number / second.Number,
                _ => first.Number % second.Number,
            }
        );
    }
}

/// <summary><c>left ?? right</c>: the left one, unless it is undefined.</summary>
internal sealed class CoalesceNode(ConditionNode left, ConditionNode right)
    : ConditionNode(
        left.Type == ConditionType.Body || right.Type == ConditionType.Body ? ConditionType.Body : left.Type
    )
{
    public override ConditionValue Evaluate(ref MessageView message)
    {
        var value = left.Evaluate(ref message);
        return value.Kind == ValueKind.Undefined ? right.Evaluate(ref message) : value;
    }
}

/// <summary><c>||</c> and <c>concat</c>: undefined when one part is no string.</summary>
internal sealed class ConcatNode(ConditionNode[] parts) : ConditionNode(ConditionType.String)
{
    public override ConditionValue Evaluate(ref MessageView message)
    {
        var text = "";
        foreach (var part in parts)
        {
            var value = part.Evaluate(ref message);
            if (value.Kind != ValueKind.String)
            {
                return ConditionValue.Undefined;
            }
            text += value.Text;
        }
        return ConditionValue.Of(text);
    }
}
