using EdgeDm.Contracts;
using EdgeDm.HostAccess.Updates.Handlers.Units;

namespace EdgeDm.HostAccess.Updates.Handlers.Rauc;

/// <summary>How a RAUC step fails. Facility 3 (step handler), component 4 (RAUC) of Device Update's extended result codes.</summary>
internal static class RaucFailures
{
    private const int Codes = 0x30400000;
    private const int BundleRefused = Codes | 1;
    private const int OtherCompatible = Codes | 2;
    private const int InstallFailed = Codes | 3;
    private const int TargetUnknown = Codes | 4;
    private const int OtherSlotBooted = Codes | 5;
    private const int Interruptions = Codes | 6;
    private const int OverTime = Codes | 7;

    private const string Install = "install";

    /// <summary>RAUC, or the bus, said no.</summary>
    public static ActionResult Refused(StepWork work, StepAction action, ErrorObject error) =>
        UnitFailures.Told(
            work,
            action.ToString(),
            ErrorRegistry.StepFailed,
            action == StepAction.Download ? BundleRefused : InstallFailed,
            error.Message.TrimEnd('.')
        );

    public static ActionResult NotCompatible(StepWork work, string bundle, string host) =>
        UnitFailures.Told(
            work,
            "download",
            ErrorRegistry.NotCompatible,
            OtherCompatible,
            $"the bundle is made for '{bundle}', and this host's RAUC is '{host}'"
        );

    public static ActionResult Failed(StepWork work, string words) =>
        UnitFailures.Told(work, Install, ErrorRegistry.StepFailed, InstallFailed, $"RAUC failed: {words.TrimEnd('.')}");

    public static ActionResult NoTarget(StepWork work) =>
        UnitFailures.Told(
            work,
            Install,
            ErrorRegistry.StepFailed,
            TargetUnknown,
            "RAUC succeeded and does not tell which slot it wrote; give its system.conf a statusfile"
        );

    public static ActionResult NotBooted(StepWork work, string wanted, string booted) =>
        UnitFailures.Told(
            work,
            "boot",
            ErrorRegistry.StepFailed,
            OtherSlotBooted,
            $"the host should have started from {wanted}; its boot loader took {booted}"
        );

    public static ActionResult InterruptedTooOften(StepWork work, int most) =>
        UnitFailures.Told(
            work,
            Install,
            ErrorRegistry.StepInterrupted,
            Interruptions,
            $"RAUC was begun {most} times and was interrupted each time"
        );

    public static ActionResult TimedOut(StepWork work, TimeSpan limit) =>
        UnitFailures.Told(
            work,
            Install,
            ErrorRegistry.StepTimedOut,
            OverTime,
            $"RAUC did not end within {limit.TotalSeconds} s"
        );
}
