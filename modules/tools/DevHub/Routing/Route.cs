using EdgeDm.DevHub.Routing.Conditions;

namespace EdgeDm.DevHub.Routing;

/// <summary>One route of the deployment.</summary>
/// <param name="Name">Its key in the <c>routes</c> object.</param>
/// <param name="Source">Which messages.</param>
/// <param name="Condition">Which of them; null = all.</param>
/// <param name="Sink">Where to.</param>
/// <param name="Priority">0 is first, 9 last; <see cref="LowestPriority"/> when not given.</param>
/// <param name="TimeToLive">How long a message may wait; null = the deployment's.</param>
public sealed record Route(
    string Name,
    RouteSource Source,
    RouteCondition? Condition,
    RouteEndpoint Sink,
    uint Priority,
    TimeSpan? TimeToLive
)
{
    /// <summary>edgeHub's priority of a route that names none.</summary>
    public const uint LowestPriority = 2_000_000_000;

    /// <summary>Largest priority that a deployment may name.</summary>
    public const uint LargestNamedPriority = 9;

    /// <summary>Stands for a route where a message goes to the cloud without one.</summary>
    public static readonly Route Past = new(
        "$upstream",
        new("/*"),
        Condition: null,
        RouteEndpoint.Upstream,
        LowestPriority,
        TimeToLive: null
    );
}

/// <summary>
/// A route's source: matches, whatever the case, every message whose source begins with it at a <c>/</c>. A <c>*</c> matters
/// only at the end, where it means nothing; elsewhere it is an ordinary character and matches no real source.
/// </summary>
/// <param name="Pattern">As written, for example <c>/messages/modules/m/*</c>.</param>
public sealed record RouteSource(string Pattern)
{
    /// <summary>The source of what clients report.</summary>
    public const string TwinChanges = "/twinChangeNotifications";

    private readonly string prefix = Pattern.TrimEnd('*', '/');

    /// <summary>True when it gives changes of twins and nothing else.</summary>
    public bool IsTwinChanges => prefix.Equals(TwinChanges, StringComparison.OrdinalIgnoreCase);

    /// <summary>True when messages of this source take the route.</summary>
    public bool Matches(string source) =>
        source.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)
        && (source.Length == prefix.Length || source[prefix.Length] == '/');
}

/// <summary>Where a route ends. Two routes to the same end give one copy.</summary>
/// <param name="ModuleId">The module; null = <c>$upstream</c>.</param>
/// <param name="Input">Its input; null = <c>$upstream</c>.</param>
public readonly record struct RouteEndpoint(string? ModuleId, string? Input)
{
    /// <summary>The cloud.</summary>
    public static readonly RouteEndpoint Upstream;

    /// <summary>True for <c>$upstream</c>.</summary>
    public bool IsUpstream => ModuleId is null;

    /// <summary>True for a name of a module or input that can stand in a topic.</summary>
    public static bool IsValidName(string name) =>
        name.Length > 0 && !name.Any(c => char.IsControl(c) || c is '/' or '+' or '#');

    /// <inheritdoc/>
    public override string ToString() => IsUpstream ? "$upstream" : $"{ModuleId}/inputs/{Input}";
}
