using EdgeDm.HostAccess.Hosts;
using EdgeDm.HostAccess.Updates.Handlers.Units;
using EdgeDm.Updates;

namespace EdgeDm.HostAccess.Updates.Handlers.Apt;

/// <summary>
/// <c>microsoft/apt:1</c>: installs packages from the host's own sources with apt-get, each call a unit of the host. What it does can be
/// done again at any point: dpkg finishes what was interrupted, and apt does nothing twice. It cannot be undone.
/// </summary>
/// <param name="units">Runs the programs.</param>
/// <param name="commands">Their command lines.</param>
/// <param name="memory">The criteria of what was installed.</param>
internal sealed class AptHandler(StepUnits units, AptCommands commands, AptMemory memory) : IUpdateHandler
{
    /// <summary>How often an installation that the host's going down interrupted is taken up again.</summary>
    public const int MaxInterruptions = 3;

    private const string Extension = ".json";

    public string Name => "microsoft/apt:1";

    public void Check(UpdateManifest manifest, ManifestStep step)
    {
        _ = new StepProperties(step).Text(AptMemory.Property);
        StepFile.Require(manifest, step, Extension, ", the apt manifest");
    }

    public async Task<ActionResult> RunAsync(StepWork work, StepAction action, CancellationToken cancel)
    {
        AptManifest manifest;
        try
        {
            manifest = AptManifest.Read(StepFile.PathOf(work, Extension));
        }
        catch (Exception error) when (error is FormatException or InvalidOperationException)
        {
            return AptFailures.Malformed(work, action, error.Message);
        }
        return action switch
        {
            StepAction.IsInstalled => await IsInstalledAsync(work, manifest, cancel),
            StepAction.Download => await DownloadAsync(work, manifest, cancel),
            StepAction.Install => await InstallAsync(work, manifest, cancel),
            _ => manifest.AgentRestartRequired
                ? new(ResultCodes.ApplyRestartAgentLater, 0, "The packages ask for a restart.")
                : new(ResultCodes.ApplySuccess, 0, ""),
        };
    }

    public ActionResult ConfirmBoot(StepWork work) => new(ResultCodes.Success, 0, "");

    public UndoResult Undo(StepWork work) => UndoResult.Unsupported;

    public void Commit(StepWork work) { }

    public void CleanUp(string commandId) => units.CleanUp(commandId);

    /// <summary>What dpkg says, not what is remembered, tells whether it is there; the criteria tell whether it is meant.</summary>
    private async Task<ActionResult> IsInstalledAsync(StepWork work, AptManifest manifest, CancellationToken cancel)
    {
        const string Word = "is-installed";
        var asked = await RunAnewAsync(work, Word, commands.Query(manifest), cancel);
        // 1: a package is not known at all.
        if (asked.State is not { Phase: UnitPhase.Exited, ExitCode: 0 or 1 })
        {
            return AptFailures.Of(work, Word, "dpkg-query", asked, units.TimeLimit);
        }
        return memory.Matches(work.Step) && AptOutput.IsInstalled(manifest, asked.Output)
            ? new(ResultCodes.Installed, 0, $"{manifest.Name} {manifest.Version} is installed already.")
            : new(ResultCodes.NotInstalled, 0, "");
    }

    /// <summary>Package lists, what is held, and a dry run: whatever must fail fails here, before anything changes.</summary>
    private async Task<ActionResult> DownloadAsync(StepWork work, AptManifest manifest, CancellationToken cancel)
    {
        var update = await RunAnewAsync(work, "apt-update", commands.Update, cancel);
        if (!update.Succeeded)
        {
            return AptFailures.Of(work, "apt-update", "apt-get update", update, units.TimeLimit);
        }
        var held = await RunAnewAsync(work, "apt-held", commands.Held, cancel);
        if (!held.Succeeded)
        {
            return AptFailures.Of(work, "apt-held", "apt-mark", held, units.TimeLimit);
        }
        if (AptOutput.HeldAmong(manifest, held.Output) is { Length: > 0 } names)
        {
            return AptFailures.Held(work, names);
        }
        var dry = await RunAnewAsync(work, "apt-dry-run", commands.DryRun(manifest), cancel);
        if (AptOutput.IsRefusedDowngrade(dry))
        {
            return AptFailures.Downgrade(work, dry.Output);
        }
        return dry.Succeeded
            ? new(ResultCodes.DownloadSuccess, 0, "")
            : AptFailures.Of(work, "apt-dry-run", "apt-get -s", dry, units.TimeLimit);
    }

    private async Task<ActionResult> InstallAsync(StepWork work, AptManifest manifest, CancellationToken cancel)
    {
        const string Repair = "apt-repair";
        const string Word = "install";
        if (Interrupted(Repair) || Interrupted(Word))
        {
            // The host went down in the middle: dpkg first finishes what it had begun, then all is asked for again.
            if (!AptMemory.CountInterruption(work, MaxInterruptions))
            {
                return AptFailures.InterruptedTooOften(work, MaxInterruptions);
            }
            units.Forget(work, Repair);
            units.Forget(work, Word);
        }
        var repaired = await units.RunAsync(work, Repair, commands.Repair, cancel);
        if (!repaired.Succeeded)
        {
            return AptFailures.Of(work, Repair, "dpkg --configure -a", repaired, units.TimeLimit);
        }
        var installed = await units.RunAsync(work, Word, commands.Install(manifest), cancel);
        if (!installed.Succeeded)
        {
            return AptFailures.Of(work, Word, "apt-get install", installed, units.TimeLimit);
        }
        memory.Remember(work.Step);
        return new(ResultCodes.InstallSuccess, 0, $"{manifest.Name} {manifest.Version} is installed.");

        bool Interrupted(string word) => units.PhaseOf(work, word) == UnitPhase.Interrupted;
    }

    /// <summary>For what changes nothing: one that was interrupted is asked again.</summary>
    private Task<UnitResult> RunAnewAsync(StepWork work, string word, UnitCommand command, CancellationToken cancel)
    {
        if (units.PhaseOf(work, word) == UnitPhase.Interrupted)
        {
            units.Forget(work, word);
        }
        return units.RunAsync(work, word, command, cancel);
    }
}
