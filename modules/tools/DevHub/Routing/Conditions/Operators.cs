namespace EdgeDm.DevHub.Routing.Conditions;

/// <summary>
/// Makes the parts of a condition that have operators. What is certain to have no result for any message is refused, by the
/// rules of edgeHub's compiler.
/// </summary>
internal static class Operators
{
    /// <summary><c>-operand</c>.</summary>
    public static ConditionNode Negate(ConditionNode operand, int position) =>
        operand.Type == ConditionType.Number ? new NegateNode(operand)
        : operand.Type == ConditionType.Body
            ? throw new RouteSyntaxException(
                $"The sign '-' at position {position} stands before a value from the body, which edgeHub cannot do. Write 0 - $body.name, with blanks."
            )
        : throw new RouteSyntaxException(
            $"The sign '-' at position {position} needs a number, found {OperandHints.Describe(operand)}."
                + OperandHints.ForNumbers([operand])
        );

    /// <summary><c>NOT operand</c>.</summary>
    public static ConditionNode Not(ConditionNode operand, int position) =>
        operand.Type switch
        {
            // "not null" is true.
            ConditionType.Null => ConstantNode.True,
            ConditionType.Bool or ConditionType.Body => new NotNode(operand),
            _ => throw new RouteSyntaxException(
                $"NOT at position {position} needs a condition, found {OperandHints.Describe(operand)}. It binds tighter than a comparison: write NOT (a = 'b')."
            ),
        };

    /// <summary>An operator between two operands.</summary>
    /// <param name="kind">The operator.</param>
    /// <param name="word">As it stands in the route.</param>
    /// <param name="position">Where.</param>
    /// <param name="left">Left operand.</param>
    /// <param name="right">Right operand.</param>
    public static ConditionNode Binary(
        RouteToken kind,
        string word,
        int position,
        ConditionNode left,
        ConditionNode right
    )
    {
        ConditionNode[] operands = [left, right];
        RouteSyntaxException Wrong(string needs, string hint) =>
            new($"'{word}' at position {position} {needs}, found {OperandHints.Describe(operands)}.{hint}");
        return kind switch
        {
            RouteToken.And or RouteToken.Or => AreConditions(kind, left.Type, right.Type)
                ? Logical(kind, left, right)
                : throw Wrong("needs a condition on either side", OperandHints.ForConditions(operands)),
            RouteToken.Concat => AreAll(ConditionType.String, operands)
                ? new ConcatNode(operands)
                : throw Wrong("joins two strings", OperandHints.ForStrings(operands)),
            RouteToken.Percent when operands.Any(o => o.Type == ConditionType.Body) => throw Wrong(
                "has no result for values from the body at edgeHub",
                " Write as_number($body.name)."
            ),
            RouteToken.Plus or RouteToken.Minus or RouteToken.Star or RouteToken.Slash or RouteToken.Percent => AreAll(
                ConditionType.Number,
                operands
            )
                ? new ArithmeticNode(kind, left, right)
                : throw Wrong("needs two numbers", OperandHints.ForNumbers(operands)),
            RouteToken.Coalesce => AreComparable(left.Type, right.Type)
                ? new CoalesceNode(left, right)
                : throw Wrong("needs two values of one type", " It binds weakest of all: write (a ?? 'b') = 'c'."),
            _ => AreComparable(left.Type, right.Type)
                ? new CompareNode(kind, left, right)
                : throw Wrong("compares two values of one type", OperandHints.ForComparison(operands)),
        };
    }

    private static bool AreAll(ConditionType wanted, ConditionNode[] operands) =>
        operands.All(o => o.Type == wanted || o.Type == ConditionType.Body);

    // Values from the body go with everything but the literal undefined.
    private static bool AreComparable(ConditionType left, ConditionType right) =>
        left == right
        || (left == ConditionType.Body && right != ConditionType.Undefined)
        || (right == ConditionType.Body && left != ConditionType.Undefined);

    // Behind a value from the body edgeHub lets anything pass but "AND null"; before one nothing else. Null and undefined do not meet.
    private static bool AreConditions(RouteToken kind, ConditionType left, ConditionType right) =>
        (left, right) switch
        {
            (ConditionType.Body, ConditionType.Null) => kind == RouteToken.Or,
            (ConditionType.Body, _) => true,
            (_, ConditionType.Body) => false,
            (ConditionType.Undefined, ConditionType.Null) or (ConditionType.Null, ConditionType.Undefined) => false,
            _ => IsCondition(left) && IsCondition(right),
        };

    private static bool IsCondition(ConditionType type) =>
        type is ConditionType.Bool or ConditionType.Null or ConditionType.Undefined;

    // "null AND x" is null, "null OR x" is x.
    private static ConditionNode Logical(RouteToken kind, ConditionNode left, ConditionNode right) =>
        (left.Type, right.Type) switch
        {
            (ConditionType.Body, _) => new BodyLogicalNode(kind, left, right),
            (ConditionType.Null, ConditionType.Null) => ConstantNode.Null,
            (ConditionType.Null, _) => kind == RouteToken.And ? ConstantNode.Null : right,
            (_, ConditionType.Null) => kind == RouteToken.And ? ConstantNode.Null : left,
            _ => new LogicalNode(kind, left, right),
        };
}
