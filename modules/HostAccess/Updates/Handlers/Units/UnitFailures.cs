using System.Globalization;
using EdgeDm.Contracts;
using EdgeDm.HostAccess.Hosts;

namespace EdgeDm.HostAccess.Updates.Handlers.Units;

/// <summary>How a step's unit failed, in Device Update's numbers and in words.</summary>
internal static class UnitFailures
{
    // As Device Update's script handler numbers exit codes.
    private const int ExitCodes = 0x1000;
    private const int LongestOutput = 400;

    /// <summary>The result of a unit that did not exit with 0.</summary>
    /// <param name="work">The step.</param>
    /// <param name="word">What of the step.</param>
    /// <param name="program">For people.</param>
    /// <param name="ended">How it ended.</param>
    /// <param name="timeLimit">What it had.</param>
    /// <param name="codes">Facility and component of the extended result code.</param>
    public static ActionResult Of(
        StepWork work,
        string word,
        string program,
        UnitResult ended,
        TimeSpan timeLimit,
        int codes
    )
    {
        var (code, what) = ended.State switch
        {
            { Phase: UnitPhase.Exited, ExitCode: UnitState.ExecFailed } => (
                ErrorRegistry.StepFailed,
                $"{program} could not be executed: this host does not have it"
            ),
            { Phase: UnitPhase.Exited } state => (
                ErrorRegistry.StepFailed,
                $"{program} exited with {state.ExitCode}{LastWords(ended.Output)}"
            ),
            { Phase: UnitPhase.TimedOut } => (
                ErrorRegistry.StepTimedOut,
                $"{program} did not end within {timeLimit.TotalSeconds} s and was ended"
            ),
            _ => (ErrorRegistry.StepInterrupted, $"{program} was interrupted; how far it came is not known"),
        };
        return Told(work, word, code, codes | (ExitCodes + ended.State.ExitCode), what, ended.State.ExitCode);
    }

    /// <summary>A failure that the handler itself found.</summary>
    public static ActionResult Told(
        StepWork work,
        string word,
        ErrorCode code,
        int extended,
        string what,
        int? exitCode = null
    )
    {
        var sentence = $"Step {work.Step.Index}: {what}.";
        List<(string, string)> parameters =
        [
            ("step", work.Step.Index.ToString(CultureInfo.InvariantCulture)),
            ("action", word),
            ("extendedResultCode", $"{extended:X8}"),
        ];
        if (exitCode is { } number)
        {
            parameters.Add(("exitCode", number.ToString(CultureInfo.InvariantCulture)));
        }
        return new(
            ResultCodes.Failure,
            extended,
            sentence,
            code.Told($"step {work.Step.Index}", sentence, [.. parameters])
        );
    }

    /// <summary>The last line that says something: mostly the reason.</summary>
    private static string LastWords(string output)
    {
        var line = output.Split('\n').LastOrDefault(text => !string.IsNullOrWhiteSpace(text))?.Trim();
        return line switch
        {
            null => "",
            { Length: > LongestOutput } => $": {line[..LongestOutput]}",
            _ => $": {line}",
        };
    }
}
