using System.Collections.Immutable;
using EdgeDm.Contracts;
using EdgeDm.HostAccess.Updates.Handlers.Units;

namespace EdgeDm.HostAccess.Updates.Handlers.Apt;

/// <summary>How an apt step fails. Facility 3 (step handler), component 2 (apt) of Device Update's extended result codes.</summary>
internal static class AptFailures
{
    private const int Codes = 0x30200000;
    private const int BadManifest = Codes | 1;
    private const int HeldPackages = Codes | 2;
    private const int RefusedDowngrade = Codes | 3;
    private const int Interruptions = Codes | 4;

    public static ActionResult Of(StepWork work, string word, string program, UnitResult ended, TimeSpan timeLimit) =>
        UnitFailures.Of(work, word, program, ended, timeLimit, Codes);

    public static ActionResult Malformed(StepWork work, StepAction action, string why) =>
        UnitFailures.Told(
            work,
            action.ToString(),
            ErrorRegistry.ManifestMalformed,
            BadManifest,
            $"the apt manifest cannot be used: {why}"
        );

    public static ActionResult Held(StepWork work, ImmutableArray<string> names) =>
        UnitFailures.Told(
            work,
            "apt-held",
            ErrorRegistry.PackagesHeld,
            HeldPackages,
            $"this host holds {string.Join(", ", names)} back"
        );

    public static ActionResult Downgrade(StepWork work, string dryRun) =>
        UnitFailures.Told(
            work,
            "apt-dry-run",
            ErrorRegistry.DowngradeRefused,
            RefusedDowngrade,
            $"apt would go back to an older version: {AptOutput.DowngradedIn(dryRun)}"
        );

    public static ActionResult InterruptedTooOften(StepWork work, int most) =>
        UnitFailures.Told(
            work,
            "install",
            ErrorRegistry.StepInterrupted,
            Interruptions,
            $"the host went down more than {most} times while apt was at work"
        );
}
