namespace EdgeDm.Cli;

/// <summary>What the shell learns. Stable; documented in docs/cli.md.</summary>
internal static class ExitCodes
{
    public const int Done = 0;

    /// <summary>Something was refused or went wrong; the message says what.</summary>
    public const int Failed = 1;

    /// <summary>The command line is wrong.</summary>
    public const int Usage = 2;

    /// <summary>The hub, or the gateway behind it, cannot be reached.</summary>
    public const int NotReachable = 3;

    /// <summary>It was reached and did not answer or end in time.</summary>
    public const int TimedOut = 4;

    /// <summary>The job that was watched failed.</summary>
    public const int JobFailed = 5;

    /// <summary>The job that was watched was cancelled.</summary>
    public const int JobCancelled = 6;

    /// <summary>Ctrl-C, as shells count it.</summary>
    public const int Interrupted = 130;
}
