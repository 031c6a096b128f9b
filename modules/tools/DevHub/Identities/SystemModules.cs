namespace EdgeDm.DevHub.Identities;

/// <summary>The modules that every Edge device has, made with it and gone with it.</summary>
public static class SystemModules
{
    public const string EdgeAgent = "$edgeAgent";
    public const string EdgeHub = "$edgeHub";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> Names { get; } = [EdgeAgent, EdgeHub];

    /// <summary>True for these modules' names.</summary>
    public static bool Has(string? moduleId) => moduleId is EdgeAgent or EdgeHub;
}
