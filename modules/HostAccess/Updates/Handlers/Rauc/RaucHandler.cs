using EdgeDm.Contracts;
using EdgeDm.HostAccess.Hosts.Linux.Rauc;
using EdgeDm.Updates;
using Microsoft.Extensions.Logging;

namespace EdgeDm.HostAccess.Updates.Handlers.Rauc;

/// <summary>
/// <c>edgedm/rauc:1</c>: has the host's RAUC install the step's one bundle into the slot that does not run, and restarts the host into it.
/// The slot is on trial until the update is committed; undone, the old one runs again. RAUC checks the bundle by its own keys, too.
/// </summary>
/// <param name="rauc">The host's RAUC.</param>
/// <param name="timeLimit">For one installation.</param>
/// <param name="time">For the limit.</param>
/// <param name="logger">Told of damaged records.</param>
internal sealed class RaucHandler(RaucInstaller rauc, TimeSpan timeLimit, TimeProvider time, ILogger logger)
    : IUpdateHandler
{
    public const string HandlerName = "edgedm/rauc:1";

    /// <summary>How often an installation whose end is not known is begun again.</summary>
    public const int MaxAttempts = 3;

    private const string Extension = ".raucb";

    public string Name => HandlerName;

    public void Check(UpdateManifest manifest, ManifestStep step)
    {
        RaucProperties.Read(step);
        StepFile.Require(manifest, step, Extension);
        if (rauc.FindObstacle() is { } obstacle)
        {
            throw ErrorRegistry.NotSupportedOnHost.Refusal($"instructions.steps[{step.Index}]", obstacle);
        }
    }

    public async Task<ActionResult> RunAsync(StepWork work, StepAction action, CancellationToken cancel)
    {
        try
        {
            return action switch
            {
                StepAction.IsInstalled => IsInstalled(work),
                StepAction.Download => await CheckBundleAsync(work, cancel),
                StepAction.Install => await InstallAsync(work, cancel),
                _ => Apply(work),
            };
        }
        catch (EdgeDmException error) when (!HostErrors.IsPassing(error))
        {
            return RaucFailures.Refused(work, action, error.Error);
        }
    }

    public ActionResult ConfirmBoot(StepWork work)
    {
        var (target, booted) = (RecordOf(work).Load()?.Target, Booted());
        return booted == target
            ? new(ResultCodes.Success, 0, "")
            : RaucFailures.NotBooted(work, target ?? "the new slot", booted);
    }

    public UndoResult Undo(StepWork work)
    {
        if (RecordOf(work).Load() is not { } memory)
        {
            return UndoResult.Discarded; // RAUC was asked for nothing.
        }
        if (rauc.IsWorking())
        {
            rauc.Restart();
        }
        var booted = Booted();
        rauc.Mark("active", memory.Old);
        if (booted != memory.Old)
        {
            rauc.Mark("bad", "booted");
            return UndoResult.NeedsReboot;
        }
        if (memory.Target is null)
        {
            return UndoResult.Discarded;
        }
        rauc.Mark("bad", memory.Target);
        return work.Booted ? UndoResult.SwitchedBack : UndoResult.Discarded;
    }

    /// <summary>From here on the boot loader keeps to the slot.</summary>
    public void Commit(StepWork work) => rauc.Mark("good", "booted");

    public void CleanUp(string commandId) { }

    /// <summary>The slot that ran when RAUC was first asked for the step with this folder; null when it was not.</summary>
    public string? OriginOf(string folder) => new RaucRecord(folder, logger).Load()?.Old;

    private ActionResult IsInstalled(StepWork work)
    {
        if (RaucProperties.Read(work.Step).InstalledCriteria is not { } criteria)
        {
            return new(ResultCodes.NotInstalled, 0, "The step does not say how to tell.");
        }
        var running = rauc.ReadSlots().Booted;
        return running.BundleVersion == criteria
            ? new(ResultCodes.Installed, 0, $"{running.Name} runs bundle {criteria} already.")
            : new(ResultCodes.NotInstalled, 0, $"{running.Name} runs bundle {running.BundleVersion ?? "(unknown)"}.");
    }

    /// <summary>
    /// A bundle for other systems fails here. One that RAUC does not read fails when it is to be installed, which checks it first of all:
    /// <c>Info</c> of RAUC 1.8 says "rauc info error" whatever is wrong, the installation says what.
    /// </summary>
    private async Task<ActionResult> CheckBundleAsync(StepWork work, CancellationToken cancel)
    {
        RaucBundle bundle;
        try
        {
            bundle = await rauc.ReadBundleAsync(BundleOf(work), cancel);
        }
        catch (EdgeDmException refusal) when (refusal.Error.Code == ErrorRegistry.HostServiceRefused.Code)
        {
            return new(ResultCodes.DownloadSuccess, 0, "RAUC does not read the bundle and will say why.");
        }
        var compatible = rauc.ReadCompatible();
        return bundle.Compatible == compatible
            ? new(ResultCodes.DownloadSuccess, 0, $"Bundle {bundle.Version}.")
            : RaucFailures.NotCompatible(work, bundle.Compatible, compatible);
    }

    private async Task<ActionResult> InstallAsync(StepWork work, CancellationToken cancel)
    {
        using var limit = new CancellationTokenSource(timeLimit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancel);
        try
        {
            return await InstallWithinAsync(work, either.Token);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancel.IsCancellationRequested)
        {
            return RaucFailures.TimedOut(work, timeLimit);
        }
    }

    private async Task<ActionResult> InstallWithinAsync(StepWork work, CancellationToken cancel)
    {
        var record = RecordOf(work);
        var memory = record.Load() ?? RaucMemory.Of(rauc.ReadSlots());
        if (memory.Attempts > 0 && await rauc.JoinAsync(work.Progress, cancel) is { } joined)
        {
            return Judge(work, memory, joined.Failure);
        }
        if (memory.Attempts > 0 && FindFinished(memory) is { } finished)
        {
            return Installed(work, memory, finished);
        }
        if (Booted() is var booted && booted != memory.Old)
        {
            // Installing now would overwrite the slot that is the way back.
            return RaucFailures.NotBooted(work, memory.Old, booted);
        }
        if (memory.Attempts >= MaxAttempts)
        {
            return RaucFailures.InterruptedTooOften(work, MaxAttempts);
        }
        memory = memory with { Attempts = memory.Attempts + 1 };
        record.Save(memory);
        return Judge(work, memory, await rauc.InstallAsync(BundleOf(work), work.Progress, cancel));
    }

    private ActionResult Judge(StepWork work, RaucMemory memory, string? failure)
    {
        if (failure is not null)
        {
            return RaucFailures.Failed(work, failure);
        }
        return memory.FindTarget(rauc.ReadSlots(), rauc.ReadPrimary()) is { } target
            ? Installed(work, memory, target)
            : RaucFailures.NoTarget(work);
    }

    private ActionResult Installed(StepWork work, RaucMemory memory, string target)
    {
        RecordOf(work).Save(memory with { Target = target });
        return new(ResultCodes.InstallSuccess, 0, $"The bundle is in {target}.");
    }

    /// <summary>
    /// The slot of an installation whose end nobody saw, if it ended well: RAUC has the boot loader take it last of all, or it runs already.
    /// </summary>
    private string? FindFinished(RaucMemory memory)
    {
        var slots = rauc.ReadSlots();
        var next = slots.Booted.Name != memory.Old ? slots.Booted.Name : rauc.ReadPrimary();
        return memory.Changed(slots).Contains(next) ? next : null;
    }

    private ActionResult Apply(StepWork work)
    {
        var target = RecordOf(work).Load()!.Target!;
        if (Booted() == target)
        {
            return new(ResultCodes.ApplySuccess, 0, $"{target} runs already.");
        }
        rauc.Mark("active", target);
        return RaucProperties.Read(work.Step).RebootLater
            ? new(ResultCodes.ApplyRebootLater, 0, $"The next start is from {target}.")
            : new(ResultCodes.ApplyRebootNow, 0, $"The next start is from {target}.");
    }

    private string Booted() => rauc.ReadSlots().Booted.Name;

    private RaucRecord RecordOf(StepWork work) => new(work.Folder, logger);

    private static string BundleOf(StepWork work) => StepFile.PathOf(work, Extension);
}

/// <summary><c>handlerProperties</c> of a RAUC step.</summary>
/// <param name="InstalledCriteria">There is nothing to do when the running slot's bundle has this version; null = always install.</param>
/// <param name="RebootLater">The host restarts behind the other steps instead of at once. Default false.</param>
internal sealed record RaucProperties(string? InstalledCriteria, bool RebootLater)
{
    /// <summary>Reads them; <c>manifestMalformed</c> names the wrong one.</summary>
    public static RaucProperties Read(ManifestStep step)
    {
        var properties = new StepProperties(step);
        return new(properties.Text("installedCriteria"), properties.Flag("rebootLater", otherwise: false));
    }
}
