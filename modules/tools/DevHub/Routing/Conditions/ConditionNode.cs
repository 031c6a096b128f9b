namespace EdgeDm.DevHub.Routing.Conditions;

/// <summary>What is known of a value before there is a message.</summary>
internal enum ConditionType
{
    Undefined,
    Bool,
    Number,
    String,
    Null,

    /// <summary>From the body: only the message knows.</summary>
    Body,
}

/// <summary>A part of a compiled condition. Immutable, used by many threads at once.</summary>
/// <param name="type">Of its values; any value may also be undefined.</param>
internal abstract class ConditionNode(ConditionType type)
{
    /// <summary>Of its values; any value may also be undefined.</summary>
    public ConditionType Type { get; } = type;

    /// <summary>Its value for a message.</summary>
    public abstract ConditionValue Evaluate(ref MessageView message);
}

/// <summary>A literal.</summary>
internal sealed class ConstantNode(ConditionType type, ConditionValue value) : ConditionNode(type)
{
    public static readonly ConstantNode Undefined = new(ConditionType.Undefined, ConditionValue.Undefined);

    public static readonly ConstantNode Null = new(ConditionType.Null, ConditionValue.Null);

    public static readonly ConstantNode True = new(ConditionType.Bool, ConditionValue.Of(true));

    public static readonly ConstantNode False = new(ConditionType.Bool, ConditionValue.Of(false));

    public override ConditionValue Evaluate(ref MessageView message) => value;
}

/// <summary>A user property, whatever its case. Always a string.</summary>
internal sealed class PropertyNode(string name) : ConditionNode(ConditionType.String)
{
    public string Name => name;

    public override ConditionValue Evaluate(ref MessageView message) =>
        message.FindProperty(name) is { } value ? ConditionValue.Of(value) : ConditionValue.Undefined;
}

/// <summary>A system property.</summary>
/// <param name="name">As the message has it; null = no message has it.</param>
internal sealed class SystemPropertyNode(string? name) : ConditionNode(ConditionType.String)
{
    public override ConditionValue Evaluate(ref MessageView message) =>
        name is not null && message.Message.System.TryGetValue(name, out var value)
            ? ConditionValue.Of(value)
            : ConditionValue.Undefined;
}

/// <summary>A value of the body.</summary>
internal sealed class BodyNode(BodyPath path) : ConditionNode(ConditionType.Body)
{
    public override ConditionValue Evaluate(ref MessageView message) =>
        message.TryReadBody(out var body) ? path.Find(body) : ConditionValue.Undefined;
}

/// <summary>The user property of that name, or else something else: <c>$name</c> is a legal name of a property.</summary>
internal sealed class PropertyOrElseNode(string name, ConditionNode other) : ConditionNode(other.Type)
{
    public override ConditionValue Evaluate(ref MessageView message) =>
        message.FindProperty(name) is { } value ? ConditionValue.Of(value) : other.Evaluate(ref message);
}

/// <summary>A name of a condition, as written, and what it stands for.</summary>
internal readonly record struct NamedNode(string Name, ConditionNode Node);
