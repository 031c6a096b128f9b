namespace EdgeDm.DevHub.Routing.Conditions;

/// <summary>A route's condition, compiled. Immutable, used by many threads at once; it allocates only what strings it makes.</summary>
public sealed class RouteCondition
{
    private readonly ConditionNode root;

    internal RouteCondition(string text, ConditionNode root)
    {
        Text = text;
        this.root = root;
    }

    /// <summary>As written.</summary>
    public string Text { get; }

    /// <summary>True or false for a message; null when it is undefined. Only true lets a message take the route.</summary>
    public bool? Evaluate(HubMessage message)
    {
        var view = new MessageView(message);
        try
        {
            return Evaluate(ref view);
        }
        finally
        {
            view.Dispose();
        }
    }

    /// <summary>The same for a message whose other routes are asked, too.</summary>
    internal bool? Evaluate(ref MessageView message)
    {
        var value = root.Evaluate(ref message);
        return value.Kind switch
        {
            ValueKind.Bool => value.IsTrue,
            // A condition that is null by its type is false; what only turns out to be null is no condition.
            ValueKind.Null when root.Type == ConditionType.Null => false,
            _ => null,
        };
    }

    /// <inheritdoc/>
    public override string ToString() => Text;
}
