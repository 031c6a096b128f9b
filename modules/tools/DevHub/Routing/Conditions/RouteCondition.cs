using System.Collections.Immutable;

namespace EdgeDm.DevHub.Routing.Conditions;

/// <summary>A route's condition, compiled. Immutable, used by many threads at once; it allocates only what strings it makes.</summary>
public sealed class RouteCondition
{
    private readonly ConditionNode root;
    private readonly ImmutableArray<NamedNode> names;

    /// <param name="text">As written.</param>
    /// <param name="root">Compiled.</param>
    /// <param name="names">The names in it.</param>
    internal RouteCondition(string text, ConditionNode root, IEnumerable<NamedNode> names)
    {
        Text = text;
        this.root = root;
        this.names = [.. names];
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

    /// <summary>What the names in it stand for in a message, in words for people; a name that is undefined with the reason.</summary>
    public IReadOnlyList<(string Name, string Value)> Explain(HubMessage message)
    {
        var view = new MessageView(message);
        try
        {
            var explained = new List<(string Name, string Value)>();
            foreach (var (name, node) in names.DistinctBy(n => n.Name))
            {
                var value = node.Evaluate(ref view);
                var reason =
                    value.Kind != ValueKind.Undefined ? ""
                    : node.Type != ConditionType.Body ? ": there is no such property"
                    : $": {view.BodyRefusal ?? "it is an object, a list, or a date with a time"}";
                explained.Add((name, value + reason));
            }
            return explained;
        }
        finally
        {
            view.Dispose();
        }
    }

    /// <summary>As the other one, for a message whose other routes are asked, too.</summary>
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
