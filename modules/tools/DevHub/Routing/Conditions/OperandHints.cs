using System.Buffers;

namespace EdgeDm.DevHub.Routing.Conditions;

/// <summary>Words for what stands at the wrong place in a condition, and how to mend it; empty when nothing comes to mind.</summary>
internal static class OperandHints
{
    private const string NeedBlanks = "Operators need blanks around them.";

    // What a name may hold though it was probably meant as an operator.
    private static readonly SearchValues<char> Signs = SearchValues.Create("+*%!|&");

    /// <summary>Operands for a message.</summary>
    public static string Describe(ConditionNode[] operands) =>
        operands.Length == 0 ? "nothing" : string.Join(" and ", operands.Select(Describe));

    /// <summary>An operand for a message.</summary>
    public static string Describe(ConditionNode operand) =>
        operand is PropertyNode property
            ? $"the property {property.Name}"
            : operand.Type switch
            {
                ConditionType.Bool => "a condition",
                ConditionType.Number => "a number",
                ConditionType.String => "a string",
                ConditionType.Null => "null",
                ConditionType.Body => "a value from the body",
                _ => "undefined",
            };

    /// <summary>For a token that stands where an operator or INTO was expected.</summary>
    public static string ForOperator(RouteLexer tokens) =>
        tokens.Kind switch
        {
            RouteToken.Name when tokens.Word == "&&" => " Write AND.",
            RouteToken.Name when LooksLikeOperation(tokens.Word) => $" {NeedBlanks}",
            RouteToken.Name => Spelling.DidYouMean(tokens.Word, ["AND", "INTO"]),
            RouteToken.Number => $" {NeedBlanks}",
            _ => "",
        };

    /// <summary>For operands that should have been numbers.</summary>
    public static string ForNumbers(ConditionNode[] operands) =>
        ForNames(operands) ?? operands.Select(AsNumber).FirstOrDefault(hint => hint is not null) ?? "";

    /// <summary>For operands of <c>||</c>.</summary>
    public static string ForStrings(ConditionNode[] operands) =>
        ForNames(operands) ?? (operands.Any(o => o.Type == ConditionType.Bool) ? " Between conditions write OR." : "");

    /// <summary>For operands of AND and OR.</summary>
    public static string ForConditions(ConditionNode[] operands) =>
        operands is [{ Type: ConditionType.Bool }, { Type: ConditionType.Body }]
            ? " Alone, a value from the body may stand on the left only: write $body.name = true."
            : ForNames(operands) ?? "";

    /// <summary>For operands of a comparison.</summary>
    public static string ForComparison(ConditionNode[] operands)
    {
        bool Has(ConditionType type) => operands.Any(o => o.Type == type);
        return ForNames(operands)
            ?? (
                Has(ConditionType.Null)
                    ? " Only values from the body can be null; is_defined(name) asks whether there is a property."
                : Has(ConditionType.Number) ? ForNumbers(operands)
                : Has(ConditionType.String) && Has(ConditionType.Bool)
                    ? " Properties are strings: write 'true' in quotes."
                : ""
            );
    }

    private static string? AsNumber(ConditionNode operand) =>
        operand.Type != ConditionType.String ? null
        : operand is PropertyNode property ? $" Properties are strings: as_number({property.Name})."
        : " as_number(...) makes a number of a string.";

    private static string? ForNames(ConditionNode[] operands) =>
        operands.OfType<PropertyNode>().Select(o => ForName(o.Name)).FirstOrDefault(hint => hint is not null);

    private static string? ForName(string name) =>
        name.ToUpperInvariant() is "TRUE" or "FALSE" or "NULL" or "UNDEFINED"
            ? $" The literal is written {name.ToLowerInvariant()}."
        : LooksLikeOperation(name) ? $" '{name}' is one name. {NeedBlanks}"
        : null;

    private static bool LooksLikeOperation(string name) =>
        char.IsAsciiDigit(name[0]) || name.AsSpan().ContainsAny(Signs);
}
