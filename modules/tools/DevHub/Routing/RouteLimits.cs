namespace EdgeDm.DevHub.Routing;

/// <summary>Bounds of a route's text. edgeHub has none of its own; what comes through a twin has these anyway, or should.</summary>
public sealed record RouteLimits
{
    /// <summary>What holds unless said otherwise.</summary>
    public static readonly RouteLimits Default = new();

    /// <summary>Characters; a twin's string has at most 4096 bytes (IoT Hub docs, device twins).</summary>
    public int LongestText { get; init; } = 4096;

    /// <summary>Parentheses, calls and signs within each other, so that no text exhausts the stack.</summary>
    public int DeepestNesting { get; init; } = 50;
}
