using EdgeDm.HostAccess.Hosts;
using Microsoft.Extensions.Logging;

namespace EdgeDm.HostAccess.Updates.Handlers.Units;

/// <summary>
/// The units of the host that steps run in: named <c>edgedm-&lt;commandId&gt;-&lt;step&gt;-&lt;word&gt;</c>, found again by that name after
/// HostAccess was killed, and never started twice under it.
/// </summary>
internal sealed partial class StepUnits(IHost host, TimeSpan timeLimit, TimeProvider time, ILogger logger)
{
    private const string Prefix = "edgedm-";
    private const int LongestLoggedOutput = 4096;

    /// <summary>Of each unit.</summary>
    public TimeSpan TimeLimit { get; } = timeLimit;

    /// <summary>Runs a unit to its end, or finds the one that was begun.</summary>
    /// <param name="work">The step.</param>
    /// <param name="word">What of the step: small letters and dashes.</param>
    /// <param name="command">The program and its arguments.</param>
    /// <param name="cancel">Ends the waiting, not the unit.</param>
    public async Task<UnitResult> RunAsync(StepWork work, string word, UnitCommand command, CancellationToken cancel)
    {
        var name = NameOf(work, word);
        host.Units.Start(
            new(
                name,
                command.Program,
                command.Arguments,
                work.Folder,
                UnitEnvironment.For(host, command.Environment),
                TimeLimit
            )
        );
        var ended = await host.Units.WaitAsync(name, time, cancel, TellProgress);
        var output = host.Units.ReadOutput(name);
        if (logger.IsEnabled(LogLevel.Information))
        {
            var tail = Tail(output);
            LogOutput(logger, name, ended.Phase, ended.ExitCode, tail);
        }
        return new(ended, output);

        void TellProgress()
        {
            if (command.PercentOf is { } percentOf && percentOf(host.Units.ReadOutput(name)) is { } percent)
            {
                work.Progress.Report(percent);
            }
        }
    }

    /// <summary>Where a unit is.</summary>
    public UnitPhase PhaseOf(StepWork work, string word) => host.Units.Query(NameOf(work, word)).Phase;

    /// <summary>Forgets a unit, so that it can be run again.</summary>
    public void Forget(StepWork work, string word) => host.Units.Remove(NameOf(work, word));

    /// <summary>Forgets all units of an update.</summary>
    public void CleanUp(string commandId)
    {
        var prefix = $"{Prefix}{commandId}-";
        foreach (var unit in host.Units.List().Where(unit => IsOf(unit, prefix)))
        {
            host.Units.Remove(unit);
        }
    }

    private static string NameOf(StepWork work, string word) => $"{Prefix}{work.CommandId}-{work.Step.Index}-{word}";

    /// <summary>Command ids may hold dashes: behind the prefix there must be a number and a word, not more of another id.</summary>
    private static bool IsOf(string unit, string prefix)
    {
        if (!unit.StartsWith(prefix, StringComparison.Ordinal))
        {
            return false;
        }
        var rest = unit[prefix.Length..];
        var dash = rest.IndexOf('-', StringComparison.Ordinal);
        return dash > 0
            && rest[..dash].All(char.IsAsciiDigit)
            // Each unit of another id would have its step's number in here.
            && rest[(dash + 1)..].All(c => char.IsAsciiLetterLower(c) || c == '-');
    }

    /// <summary>The end of a unit's output on lines of its own, or nothing.</summary>
    private static string Tail(string output)
    {
        var text = output.TrimEnd();
        var tail = text.Length <= LongestLoggedOutput ? text : text[^LongestLoggedOutput..];
        return tail.Length == 0 ? "" : "\n" + tail;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Unit {Unit} ended: {Phase}, exit code {ExitCode}{Output}")]
    private static partial void LogOutput(ILogger logger, string unit, UnitPhase phase, int exitCode, string output);
}

/// <summary>What a unit runs. No shell reads any of it.</summary>
/// <param name="Program">Absolute path on the host.</param>
/// <param name="Arguments">Without the program.</param>
/// <param name="Environment">Beside what every step gets.</param>
/// <param name="PercentOf">Reads in what it has written so far how far it is; null when that does not tell.</param>
internal sealed record UnitCommand(
    string Program,
    IReadOnlyList<string> Arguments,
    IReadOnlyDictionary<string, string>? Environment = null,
    Func<string, int?>? PercentOf = null
);

/// <summary>How a unit ended.</summary>
/// <param name="State">Never <see cref="UnitPhase.Running"/>.</param>
/// <param name="Output">The last that it wrote.</param>
internal sealed record UnitResult(UnitState State, string Output)
{
    /// <summary>It exited with 0.</summary>
    public bool Succeeded => State is { Phase: UnitPhase.Exited, ExitCode: 0 };
}
