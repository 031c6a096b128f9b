namespace EdgeDm.DevHub;

/// <summary>What the launcher knows of its modules, for <c>GET /devhub/status</c>.</summary>
public interface IModuleStates
{
    /// <summary>One row per module of the deployment, in start order. A snapshot.</summary>
    IReadOnlyList<ModuleState> List();
}

/// <summary>One launched module, in edgeAgent's words.</summary>
/// <param name="ModuleId">The module.</param>
/// <param name="RuntimeStatus"><c>running stopped failed backoff unhealthy dead unknown</c>.</param>
/// <param name="ProcessId">Of the running process; null when there is none.</param>
/// <param name="ExitCode">Of the last run; null before its end.</param>
/// <param name="RestartCount">Times it was started again.</param>
/// <param name="StatusDescription">For people; may be empty.</param>
public sealed record ModuleState(
    string ModuleId,
    string RuntimeStatus,
    int? ProcessId,
    int? ExitCode,
    int RestartCount,
    string StatusDescription
)
{
    /// <summary>Name of its container; null when it is a process, or does not run.</summary>
    public string? Container { get; init; }
}
