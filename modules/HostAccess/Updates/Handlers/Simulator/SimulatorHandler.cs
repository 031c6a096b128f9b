using EdgeDm.Contracts;
using EdgeDm.HostAccess.Hosts.Simulated;
using EdgeDm.Updates;

namespace EdgeDm.HostAccess.Updates.Handlers.Simulator;

/// <summary>
/// <c>edgedm/simulator:1</c>: an OS image for the simulated host's other slot. Has all that an A/B engine has: staging, a switch at boot,
/// a trial and the way back.
/// </summary>
internal sealed class SimulatorHandler(SimulatedHost host, TimeProvider time) : IUpdateHandler
{
    // Facility 3 (step handler), component 3 (simulator) of Device Update's extended result codes.
    private const int InstallFailed = 0x30300001;
    private const int NotBooted = 0x30300002;

    public string Name => "edgedm/simulator:1";

    public void Check(UpdateManifest manifest, ManifestStep step) => SimulatorProperties.Read(step);

    public async Task<ActionResult> RunAsync(StepWork work, StepAction action, CancellationToken cancel)
    {
        var properties = SimulatorProperties.Read(work.Step);
        if (action == StepAction.Install && properties.FailAt != SimulatorProperties.FailAtInstall)
        {
            await WriteAsync(work, properties.InstallSeconds, cancel);
        }
        return Run(work, action, properties);
    }

    public ActionResult ConfirmBoot(StepWork work)
    {
        var wanted = SimulatorProperties.Read(work.Step).FirmwareVersion;
        return host.Slots.ActiveVersion == wanted
            ? new(ResultCodes.Success, 0, "")
            : Failed(
                work,
                NotBooted,
                $"the host did not come up with firmware {wanted}; the boot loader fell back to {host.Slots.ActiveVersion}"
            );
    }

    public UndoResult Undo(StepWork work)
    {
        var slots = host.Slots;
        if (slots.StagedVersion is not null)
        {
            host.ChangeSlots(s => s.Unstage());
            return UndoResult.Discarded;
        }
        if (!slots.OnTrial)
        {
            // The boot loader has fallen back: by itself, or because we had it do so.
            return work.Booted ? UndoResult.SwitchedBack : UndoResult.Discarded;
        }
        if (slots.TrialBoots == 0)
        {
            host.ChangeSlots(s => s.FallBack());
            return UndoResult.SwitchedBack;
        }
        host.ChangeSlots(s => s.GiveUp());
        return UndoResult.NeedsReboot;
    }

    public void Commit(StepWork work) => host.ChangeSlots(s => s.Commit());

    public void CleanUp(string commandId) { }

    /// <summary>Takes its time; one that is begun again after a kill writes all of it again.</summary>
    private async Task WriteAsync(StepWork work, int seconds, CancellationToken cancel)
    {
        const int Part = 5;
        for (var percent = Part; percent <= 100 && seconds > 0; percent += Part)
        {
            await Task.Delay(TimeSpan.FromSeconds(seconds) * Part / 100, time, cancel);
            work.Progress.Report(percent);
        }
    }

    private ActionResult Run(StepWork work, StepAction action, SimulatorProperties properties)
    {
        var version = properties.FirmwareVersion;
        switch (action)
        {
            case StepAction.IsInstalled:
                return host.Slots.ActiveVersion == version
                    ? new(ResultCodes.Installed, 0, $"Firmware {version} runs already.")
                    : new(ResultCodes.NotInstalled, 0, $"Firmware {host.Slots.ActiveVersion} runs.");
            case StepAction.Download:
                return new(ResultCodes.DownloadSuccess, 0, "");
            case StepAction.Install when properties.FailAt == SimulatorProperties.FailAtInstall:
                return Failed(work, InstallFailed, "writing the slot failed, as the step asks");
            case StepAction.Install:
                host.ChangeSlots(s => s.Stage(version, properties.FailAt == SimulatorProperties.FailAtBoot));
                return new(ResultCodes.InstallSuccess, 0, $"Firmware {version} is in the other slot.");
            case StepAction.Apply when properties.Reboot:
                return new(ResultCodes.ApplyRebootNow, 0, $"The next boot tries firmware {version}.");
            default:
                // Asked again after a kill, the switch may have happened.
                host.ChangeSlots(s => s.ActiveVersion == version ? s : s.SwitchNow());
                return new(ResultCodes.ApplySuccess, 0, $"Firmware {version} runs.");
        }
    }

    private static ActionResult Failed(StepWork work, int extended, string what)
    {
        var sentence = $"Step {work.Step.Index}: {what}.";
        return new(
            ResultCodes.Failure,
            extended,
            sentence,
            ErrorRegistry.StepFailed.Told(
                $"step {work.Step.Index}",
                sentence,
                ("step", work.Step.Index.ToString()),
                ("extendedResultCode", $"{extended:X8}")
            )
        );
    }
}
