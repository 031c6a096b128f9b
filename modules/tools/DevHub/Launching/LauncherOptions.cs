namespace EdgeDm.DevHub.Launching;

/// <summary>How modules are launched.</summary>
public sealed record LauncherOptions
{
    /// <summary>The dev hub's data folder, for logs and records.</summary>
    public required string DataFolder { get; init; }

    /// <summary>From SIGTERM to SIGKILL; edgeAgent's and Docker's.</summary>
    public TimeSpan StopGracePeriod { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>When a module that ended is started again.</summary>
    public RestartBackoff Backoff { get; init; } = new();

    /// <summary>Largest file of a module's log.</summary>
    public long LargestLog { get; init; } = 8 * 1024 * 1024;

    /// <summary>Modules that are left to be started by hand, in a debugger.</summary>
    public IReadOnlySet<string> Except { get; init; } = new HashSet<string>(StringComparer.Ordinal);
}
