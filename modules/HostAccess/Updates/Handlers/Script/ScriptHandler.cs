using EdgeDm.HostAccess.Hosts;
using EdgeDm.HostAccess.Updates.Handlers.Units;
using EdgeDm.Updates;

namespace EdgeDm.HostAccess.Updates.Handlers.Script;

/// <summary>
/// <c>microsoft/script:1</c>: a script of the update's maker, called once per action with Device Update's arguments, each call a unit of
/// the host. It cannot be undone: the contract has no restore. <c>microsoft/swupdate:2</c> is the same contract with one argument more.
/// </summary>
internal sealed class ScriptHandler(ScriptDialect dialect, StepUnits units) : IUpdateHandler
{
    private const UnixFileMode Executable =
        UnixFileMode.UserRead
        | UnixFileMode.UserWrite
        | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead
        | UnixFileMode.GroupExecute;

    public string Name => dialect.Handler;

    public void Check(UpdateManifest manifest, ManifestStep step)
    {
        var properties = dialect.Read(step);
        RequireFile(manifest, step, "scriptFileName", properties.ScriptFileName);
        if (properties.SwuFileName is { } image)
        {
            RequireFile(manifest, step, "swuFileName", image);
        }
    }

    public async Task<ActionResult> RunAsync(StepWork work, StepAction action, CancellationToken cancel)
    {
        var call = new ScriptCall(work, dialect.Read(work.Step), action);
        var word = ScriptCall.WordOf(action);
        if (units.PhaseOf(work, word) == UnitPhase.Interrupted && action == StepAction.IsInstalled)
        {
            units.Forget(work, word); // It changes nothing, so it may be asked again.
        }
        if (units.PhaseOf(work, word) == UnitPhase.Missing)
        {
            File.SetUnixFileMode(call.ScriptPath, Executable);
            File.Delete(call.ResultPath);
        }
        var ended = await units.RunAsync(work, word, new(call.ScriptPath, call.Arguments), cancel);
        return ScriptResult.Of(call, ended.State, units.TimeLimit);
    }

    public ActionResult ConfirmBoot(StepWork work) => new(ResultCodes.Success, 0, "");

    public UndoResult Undo(StepWork work) => UndoResult.Unsupported;

    public void Commit(StepWork work) { }

    public void CleanUp(string commandId) => units.CleanUp(commandId);

    private static void RequireFile(UpdateManifest manifest, ManifestStep step, string property, string fileName)
    {
        if (!step.Files.Any(id => manifest.Files[id].FileName == fileName))
        {
            throw new StepProperties(step).Wrong(property, $"names '{fileName}', which is none of the step's files");
        }
    }
}
