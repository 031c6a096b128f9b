using EdgeDm.HostAccess.Hosts;
using EdgeDm.Updates;
using Microsoft.Extensions.Logging;

namespace EdgeDm.HostAccess.Updates.Handlers.Script;

/// <summary>
/// <c>microsoft/script:1</c>: a script of the update's maker, called once per action with Device Update's arguments, each call a unit of
/// the host. It cannot be undone: the contract has no restore.
/// </summary>
internal sealed partial class ScriptHandler(IHost host, TimeSpan timeLimit, TimeProvider time, ILogger logger)
    : IUpdateHandler
{
    private const string UnitPrefix = "edgedm-";
    private const int LongestLoggedOutput = 4096;

    private const UnixFileMode Executable =
        UnixFileMode.UserRead
        | UnixFileMode.UserWrite
        | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead
        | UnixFileMode.GroupExecute;

    public string Name => "microsoft/script:1";

    public void Check(UpdateManifest manifest, ManifestStep step)
    {
        var properties = ScriptProperties.Read(step);
        if (!step.Files.Any(id => manifest.Files[id].FileName == properties.ScriptFileName))
        {
            throw new StepProperties(step).Wrong(
                "scriptFileName",
                $"names '{properties.ScriptFileName}', which is none of the step's files"
            );
        }
    }

    public async Task<ActionResult> RunAsync(StepWork work, StepAction action, CancellationToken cancel)
    {
        var call = new ScriptCall(work, ScriptProperties.Read(work.Step), action);
        var unit = UnitName(work, action);
        if (host.Units.Query(unit).Phase == UnitPhase.Interrupted && action == StepAction.IsInstalled)
        {
            host.Units.Remove(unit); // It changes nothing, so it may be asked again.
        }
        if (host.Units.Query(unit).Phase == UnitPhase.Missing)
        {
            File.SetUnixFileMode(call.ScriptPath, Executable);
            File.Delete(call.ResultPath);
        }
        host.Units.Start(new(unit, call.ScriptPath, call.Arguments, work.Folder, UnitEnvironment.For(host), timeLimit));
        var ended = await host.Units.WaitAsync(unit, time, cancel);
        if (logger.IsEnabled(LogLevel.Information))
        {
            var output = Tail(host.Units.ReadOutput(unit));
            LogOutput(logger, unit, ended.Phase, ended.ExitCode, output);
        }
        return ScriptResult.Of(call, ended, timeLimit);
    }

    public ActionResult ConfirmBoot(StepWork work) => new(ResultCodes.Success, 0, "");

    public UndoResult Undo(StepWork work) => UndoResult.Unsupported;

    public void Commit(StepWork work) { }

    public void CleanUp(string commandId)
    {
        var prefix = $"{UnitPrefix}{commandId}-";
        foreach (var unit in host.Units.List().Where(unit => IsOf(unit, prefix)))
        {
            host.Units.Remove(unit);
        }
    }

    /// <summary><c>edgedm-&lt;commandId&gt;-&lt;step&gt;-&lt;action&gt;</c>.</summary>
    private static string UnitName(StepWork work, StepAction action) =>
        $"{UnitPrefix}{work.CommandId}-{work.Step.Index}-{ScriptCall.WordOf(action)}";

    /// <summary>Command ids may hold dashes: behind the prefix there must be a number and an action, not more of another id.</summary>
    private static bool IsOf(string unit, string prefix)
    {
        if (!unit.StartsWith(prefix, StringComparison.Ordinal))
        {
            return false;
        }
        var rest = unit[prefix.Length..];
        var dash = rest.IndexOf('-', StringComparison.Ordinal);
        return dash > 0 && rest[..dash].All(char.IsAsciiDigit) && ScriptCall.IsWord(rest[(dash + 1)..]);
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
