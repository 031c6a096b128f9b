using EdgeDm.DevHub.Deployment;

namespace EdgeDm.DevHub.Launching;

/// <summary>When a module that ended is started again. The shape is edgeAgent's, the first waits are a developer's.</summary>
public sealed record RestartBackoff
{
    /// <summary>Wait before the first restart; each further one waits twice as long. edgeAgent: 10 s.</summary>
    public TimeSpan First { get; init; } = TimeSpan.FromSeconds(0.5);

    /// <summary>The longest wait.</summary>
    public TimeSpan Longest { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>A module that ran this long begins anew.</summary>
    public TimeSpan ResetAfter { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>After so many restarts in a row a module has failed for good.</summary>
    public int MostRestarts { get; init; } = 20;

    /// <summary>The wait before the restart with this number, from 0.</summary>
    public TimeSpan Wait(int restarts) =>
        restarts < 30 && First * (1 << restarts) < Longest ? First * (1 << restarts) : Longest;

    /// <summary>True when the policy wants it running again after such an end.</summary>
    internal static bool Wants(RestartPolicy policy, ProcessEnd end) =>
        policy switch
        {
            RestartPolicy.Never => false,
            RestartPolicy.OnFailure => end.ExitCode != 0,
            _ => true,
        };
}
