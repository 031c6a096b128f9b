namespace EdgeDm.HostAccess.Hosts.Simulated;

/// <summary>
/// Two slots with an OS image each and a boot loader that counts. The other slot can be staged; the next boot tries it; it is
/// on trial until committed; a trial that boots too often, or an image that does not come up, falls back by itself.
/// </summary>
/// <param name="Active">The slot that runs, <c>a</c> or <c>b</c>.</param>
/// <param name="VersionA">Image in slot a.</param>
/// <param name="VersionB">Image in slot b.</param>
/// <param name="StagedVersion">Image in the other slot that the next boot is to try; null when none.</param>
/// <param name="StagedFails">The staged image does not come up.</param>
/// <param name="OnTrial">The active slot is not committed; the other one holds the image to fall back to.</param>
/// <param name="TrialBoots">Boots of the trial.</param>
internal sealed record SimulatedSlots(
    string Active,
    string VersionA,
    string VersionB,
    string? StagedVersion = null,
    bool StagedFails = false,
    bool OnTrial = false,
    int TrialBoots = 0
)
{
    /// <summary>Boots that an image gets to be committed in, as U-Boot's <c>bootlimit</c>.</summary>
    public const int BootLimit = 3;

    /// <summary>Both slots hold the same image.</summary>
    public static SimulatedSlots Fresh(string version) => new("a", version, version);

    /// <summary>The image that runs.</summary>
    public string ActiveVersion => Active == "a" ? VersionA : VersionB;

    private string Other => Active == "a" ? "b" : "a";

    /// <summary>Writes the other slot and has the next boot try it.</summary>
    public SimulatedSlots Stage(string version, bool fails) =>
        (Active == "a" ? this with { VersionB = version } : this with { VersionA = version }) with
        {
            StagedVersion = version,
            StagedFails = fails,
        };

    /// <summary>What the boot loader makes of it.</summary>
    public SimulatedSlots Boot()
    {
        if (StagedVersion is not null)
        {
            return StagedFails ? Unstage() : Switch() with { OnTrial = true, TrialBoots = 1 };
        }
        if (!OnTrial)
        {
            return this;
        }
        return TrialBoots < BootLimit ? this with { TrialBoots = TrialBoots + 1 } : FallBack();
    }

    /// <summary>Switches without a boot, for images that can be exchanged while they run.</summary>
    public SimulatedSlots SwitchNow() => Switch() with { OnTrial = true };

    /// <summary>The next boot keeps the active slot.</summary>
    public SimulatedSlots Unstage() => this with { StagedVersion = null, StagedFails = false };

    /// <summary>Spends the trial's boots, so that the next boot falls back.</summary>
    public SimulatedSlots GiveUp() => this with { TrialBoots = BootLimit };

    /// <summary>Ends the trial: the other slot runs again.</summary>
    public SimulatedSlots FallBack() => Switch() with { OnTrial = false, TrialBoots = 0 };

    /// <summary>Ends the trial: the active slot stays.</summary>
    public SimulatedSlots Commit() => this with { OnTrial = false, TrialBoots = 0 };

    private SimulatedSlots Switch() => Unstage() with { Active = Other };
}
