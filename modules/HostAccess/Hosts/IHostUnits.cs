namespace EdgeDm.HostAccess.Hosts;

/// <summary>
/// Programs that the host runs for HostAccess, after the model of systemd's transient units: outside HostAccess's own process
/// tree, found again by name after HostAccess was killed, and never started twice under one name.
/// </summary>
internal interface IHostUnits
{
    /// <summary>Starts the unit unless one of this name was ever started and not removed. Returns its present state.</summary>
    UnitState Start(UnitSpec unit);

    /// <summary>The unit's present state.</summary>
    UnitState Query(string name);

    /// <summary>The last of what the unit wrote, at most 64 KiB; empty when there is nothing.</summary>
    string ReadOutput(string name);

    /// <summary>Forgets the unit; ends it first when it still runs.</summary>
    void Remove(string name);

    /// <summary>Names of all units that are not removed.</summary>
    IReadOnlyList<string> List();
}

/// <summary>What to run. No shell reads any of it.</summary>
/// <param name="Name">1 to 200 of letters, digits, '-', '_', '.'.</param>
/// <param name="Program">Absolute path.</param>
/// <param name="Arguments">Without the program itself.</param>
/// <param name="WorkingFolder">Absolute path.</param>
/// <param name="Environment">All of it; nothing of HostAccess's own is inherited. A host may add what tells of the unit itself.</param>
/// <param name="TimeLimit">After this, the unit and whatever it started is ended.</param>
internal sealed record UnitSpec(
    string Name,
    string Program,
    IReadOnlyList<string> Arguments,
    string WorkingFolder,
    IReadOnlyDictionary<string, string> Environment,
    TimeSpan TimeLimit
);

/// <summary>Names of units; they name folders, too.</summary>
internal static class UnitNames
{
    private const int Longest = 200;

    /// <summary>The name, if it is 1 to 200 of letters, digits, '-', '_', '.', and does not begin with a dot.</summary>
    /// <exception cref="ArgumentException">It is not.</exception>
    public static string Require(string name) =>
        name.Length is > 0 and <= Longest
        && name[0] != '.'
        && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.')
            ? name
            : throw new ArgumentException($"'{name}' is no valid name of a unit.");
}

/// <summary>Where a unit is.</summary>
/// <param name="Phase">See <see cref="UnitPhase"/>.</param>
/// <param name="ExitCode">With <see cref="UnitPhase.Exited"/>: the exit code; 128 + signal when a signal ended it; 203 when the program could not be run.</param>
internal sealed record UnitState(UnitPhase Phase, int ExitCode = 0)
{
    /// <summary>The exit code of a unit whose program could not be executed; systemd's <c>EXIT_EXEC</c>.</summary>
    public const int ExecFailed = 203;

    public static UnitState Missing { get; } = new(UnitPhase.Missing);
    public static UnitState Running { get; } = new(UnitPhase.Running);
    public static UnitState TimedOut { get; } = new(UnitPhase.TimedOut);
    public static UnitState Interrupted { get; } = new(UnitPhase.Interrupted);
}

/// <summary>Phases of a unit.</summary>
internal enum UnitPhase
{
    /// <summary>Not known: never started, or removed.</summary>
    Missing,

    /// <summary>Starting or running.</summary>
    Running,

    /// <summary>Ended by itself.</summary>
    Exited,

    /// <summary>Ended because its time was over.</summary>
    TimedOut,

    /// <summary>The host went down, or its runner was killed: how far it came is not known.</summary>
    Interrupted,
}
