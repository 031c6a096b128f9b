using System.Text.Json.Serialization;
using EdgeDm.Contracts;
using EdgeDm.Updates;

namespace EdgeDm.HostAccess.Updates.Handlers;

/// <summary>
/// Installs one kind of step. Device Update's four actions in order, each safe to ask for again after HostAccess was killed: an action
/// that was begun is found again, never begun twice.
/// </summary>
internal interface IUpdateHandler
{
    /// <summary>For example <c>microsoft/script:1</c>.</summary>
    string Name { get; }

    /// <summary>Checks a step's properties and files before anything happens. Throws <c>manifestMalformed</c>.</summary>
    void Check(UpdateManifest manifest, ManifestStep step);

    /// <summary>Runs an action to its end, or finds one that was begun; tells its progress to the work's <see cref="StepWork.Progress"/>.</summary>
    Task<ActionResult> RunAsync(StepWork work, StepAction action, CancellationToken cancel);

    /// <summary>After a reboot that the update asked for: whether the host came up as this step wants it.</summary>
    ActionResult ConfirmBoot(StepWork work);

    /// <summary>Undoes the step as far as it can be undone. Asked again after the reboot that it may need.</summary>
    UndoResult Undo(StepWork work);

    /// <summary>The update stays. Doing it twice is doing it once.</summary>
    void Commit(StepWork work);

    /// <summary>Forgets what is kept of a step whose result is on record.</summary>
    void CleanUp(string commandId);
}

/// <summary>A step to work on.</summary>
/// <param name="CommandId">The update's command id.</param>
/// <param name="Step">As in the manifest.</param>
/// <param name="Folder">Its staged files and room for its results.</param>
/// <param name="Booted">The host was rebooted for this update since the step began to change it.</param>
internal sealed record StepWork(string CommandId, ManifestStep Step, string Folder, bool Booted)
{
    /// <summary>
    /// Percent of the action that runs, 0 to 100, from any thread and as often as it comes: the engine thins it. Goes nowhere outside of
    /// <see cref="IUpdateHandler.RunAsync"/>.
    /// </summary>
    public IProgress<int> Progress { get; init; } = new Progress<int>();
}

/// <summary>The actions of a step, in order.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<StepAction>))]
internal enum StepAction
{
    /// <summary>Asks whether there is anything to do. Changes nothing and may be repeated.</summary>
    IsInstalled,

    /// <summary>Fetches what the staged files do not hold. Changes nothing of the host.</summary>
    Download,

    /// <summary>Changes the host.</summary>
    Install,

    /// <summary>Puts what was installed to use.</summary>
    Apply,

    /// <summary>All are done.</summary>
    Done,
}

/// <summary>An action's result in Device Update's numbers.</summary>
/// <param name="ResultCode">Above 0 is success.</param>
/// <param name="ExtendedResultCode">0 when there is nothing to say.</param>
/// <param name="Details">The handler's words.</param>
/// <param name="Error">Not null exactly when it failed.</param>
internal sealed record ActionResult(int ResultCode, int ExtendedResultCode, string Details, ErrorObject? Error = null);

/// <summary>What undoing a step did.</summary>
internal enum UndoResult
{
    /// <summary>The step had not taken effect; what it had prepared is discarded.</summary>
    Discarded,

    /// <summary>The step had taken effect; the old state runs again.</summary>
    SwitchedBack,

    /// <summary>The old state runs again after a reboot.</summary>
    NeedsReboot,

    /// <summary>It cannot be undone.</summary>
    Unsupported,
}
