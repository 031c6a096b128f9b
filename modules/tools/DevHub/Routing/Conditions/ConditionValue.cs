using System.Globalization;

namespace EdgeDm.DevHub.Routing.Conditions;

/// <summary>What a value is. The order is edgeHub's: a value from the body compares with one of another kind by it.</summary>
internal enum ValueKind
{
    /// <summary>There is no such property, the body cannot be read, or an operation has no result.</summary>
    Undefined,
    Bool,
    Number,
    String,
    Null,
}

/// <summary>A value while a message is looked at.</summary>
internal readonly record struct ConditionValue
{
    /// <summary>No value.</summary>
    public static readonly ConditionValue Undefined;

    /// <summary>JSON's null, or the literal.</summary>
    public static readonly ConditionValue Null = new(ValueKind.Null, 0, null);

    /// <summary>What the body does not have: null to everything but <c>is_null</c>.</summary>
    public static readonly ConditionValue Missing = new(ValueKind.Null, 1, null);

    private ConditionValue(ValueKind kind, double number, string? text)
    {
        Kind = kind;
        Number = number;
        Text = text;
    }

    /// <summary>What it is.</summary>
    public ValueKind Kind { get; }

    /// <summary>The number.</summary>
    public double Number { get; }

    /// <summary>The string.</summary>
    public string? Text { get; }

    /// <summary>True for <c>true</c>.</summary>
    public bool IsTrue => Kind == ValueKind.Bool && Number > 0;

    /// <summary>True for <c>false</c>.</summary>
    public bool IsFalse => Kind == ValueKind.Bool && Number == 0;

    /// <summary>True or false.</summary>
    public static ConditionValue Of(bool value) => new(ValueKind.Bool, value ? 1 : 0, null);

    /// <summary>A number; what is none (0 % 0) is undefined.</summary>
    public static ConditionValue Of(double value) =>
        double.IsNaN(value) ? Undefined : new(ValueKind.Number, value, null);

    /// <summary>A string.</summary>
    public static ConditionValue Of(string value) => new(ValueKind.String, 0, value);

    /// <summary>For people: <c>'text'</c>, <c>21.5</c>, <c>true</c>, <c>null</c>, <c>undefined</c>.</summary>
    public override string ToString() =>
        Kind switch
        {
            ValueKind.Bool => IsTrue ? "true" : "false",
            ValueKind.Number => Number.ToString(CultureInfo.InvariantCulture),
            ValueKind.String => $"'{Text}'",
            ValueKind.Null => this == Missing ? "null (missing)" : "null",
            _ => "undefined",
        };

    /// <summary>Less than, equal to or greater than 0, as edgeHub orders values; null when one is undefined.</summary>
    public static int? Compare(in ConditionValue left, in ConditionValue right)
    {
        if (left.Kind == ValueKind.Undefined || right.Kind == ValueKind.Undefined)
        {
            return null;
        }
        return left.Kind != right.Kind ? left.Kind.CompareTo(right.Kind)
            : left.Kind == ValueKind.Null ? 0
            : left.Kind == ValueKind.String ? string.CompareOrdinal(left.Text, right.Text)
            : left.Number.CompareTo(right.Number);
    }
}
