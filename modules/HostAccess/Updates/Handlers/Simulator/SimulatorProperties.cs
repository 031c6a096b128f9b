using EdgeDm.Updates;

namespace EdgeDm.HostAccess.Updates.Handlers.Simulator;

/// <summary><c>handlerProperties</c> of a simulator step.</summary>
/// <param name="FirmwareVersion">The image's version.</param>
/// <param name="Reboot">The image takes effect by a reboot; otherwise at once. Default true.</param>
/// <param name="FailAt">Where it shall fail: <c>none</c>, <c>install</c> or <c>boot</c>. For tests.</param>
/// <param name="InstallSeconds">How long writing the slot takes: 0 to 3,600. Default 0.</param>
internal sealed record SimulatorProperties(string FirmwareVersion, bool Reboot, string FailAt, int InstallSeconds)
{
    private const int MostSeconds = 3600;

    public const string FailAtInstall = "install";
    public const string FailAtBoot = "boot";

    /// <summary>Reads them; <c>manifestMalformed</c> names the wrong one.</summary>
    public static SimulatorProperties Read(ManifestStep step)
    {
        var properties = new StepProperties(step);
        var version = properties.Text("firmwareVersion");
        if (!DottedVersion.TryParse(version, out _))
        {
            throw properties.Wrong("firmwareVersion", "must be whole numbers parted by dots");
        }
        var failAt = properties.Text("failAt") ?? "none";
        return failAt is "none" or FailAtInstall or FailAtBoot
            ? new(
                version!,
                properties.Flag("reboot", otherwise: true),
                failAt,
                properties.Number("installSeconds", otherwise: 0, least: 0, MostSeconds)
            )
            : throw properties.Wrong("failAt", "must be 'none', 'install' or 'boot'");
    }
}
