using EdgeDm.HostAccess.Updates.Handlers.Units;
using EdgeDm.Updates;

namespace EdgeDm.HostAccess.Updates.Handlers.Swupdate;

/// <summary>
/// <c>edgedm/swupdate:1</c>: hands the step's one <c>.swu</c> file to SWUpdate's daemon by the host's own <c>swupdate-client</c>. What it
/// installs, where to and how the boot loader switches is the image's and SWUpdate's configuration; the host is rebooted behind it.
/// </summary>
/// <param name="units">Runs the client.</param>
/// <param name="hostRoot">Where the host's file system begins; empty for the host's own root.</param>
internal sealed class SwupdateHandler(StepUnits units, string hostRoot) : IUpdateHandler
{
    private const string Client = "/usr/bin/swupdate-client";
    private const string Extension = ".swu";

    // Facility 3 (step handler), component 1 (swupdate) of Device Update's extended result codes.
    private const int Codes = 0x30100000;

    public string Name => "edgedm/swupdate:1";

    public void Check(UpdateManifest manifest, ManifestStep step)
    {
        SwupdateProperties.Read(step);
        StepFile.Require(manifest, step, Extension);
    }

    public async Task<ActionResult> RunAsync(StepWork work, StepAction action, CancellationToken cancel)
    {
        var properties = SwupdateProperties.Read(work.Step);
        switch (action)
        {
            case StepAction.IsInstalled:
                return new(ResultCodes.NotInstalled, 0, "SWUpdate does not tell what is installed.");
            case StepAction.Download:
                return new(ResultCodes.DownloadSuccess, 0, "");
            case StepAction.Install:
                return Judge(work, await units.RunAsync(work, "install", CommandOf(work, properties), cancel));
            default:
                return properties.Reboot
                    ? new(ResultCodes.ApplyRebootNow, 0, "The host boots the new image.")
                    : new(ResultCodes.ApplySuccess, 0, "");
        }
    }

    public ActionResult ConfirmBoot(StepWork work) => new(ResultCodes.Success, 0, "");

    /// <summary>SWUpdate has no way back: the boot loader has, and the image says how.</summary>
    public UndoResult Undo(StepWork work) => UndoResult.Unsupported;

    public void Commit(StepWork work) { }

    public void CleanUp(string commandId) => units.CleanUp(commandId);

    /// <summary><c>-v</c>: each of the image's messages goes into the log.</summary>
    private UnitCommand CommandOf(StepWork work, SwupdateProperties properties) =>
        new(
            hostRoot + Client,
            [
                "-v",
                .. properties.Selection is { } selection ? new[] { "-e", selection } : [],
                StepFile.PathOf(work, Extension),
            ]
        );

    private ActionResult Judge(StepWork work, UnitResult ended) =>
        ended.Succeeded
            ? new(ResultCodes.InstallSuccess, 0, "SWUpdate installed the image.")
            : UnitFailures.Of(work, "install", Client, ended, units.TimeLimit, Codes);
}

/// <summary><c>handlerProperties</c> of an SWUpdate step.</summary>
/// <param name="Selection">SWUpdate's <c>software,mode</c>, for example <c>stable,copy2</c>; null = the image's own.</param>
/// <param name="Reboot">The host reboots behind it. Default true.</param>
internal sealed record SwupdateProperties(string? Selection, bool Reboot)
{
    /// <summary>Reads them; <c>manifestMalformed</c> names the wrong one.</summary>
    public static SwupdateProperties Read(ManifestStep step)
    {
        var properties = new StepProperties(step);
        var selection = properties.Text("selection");
        return
            selection is null
            || (selection.Split(',') is [{ Length: > 0 } software, { Length: > 0 }] && software[0] != '-')
            ? new(selection, properties.Flag("reboot", otherwise: true))
            : throw properties.Wrong("selection", "must be 'software,mode'");
    }
}
