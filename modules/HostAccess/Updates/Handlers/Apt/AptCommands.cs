using EdgeDm.HostAccess.Updates.Handlers.Units;

namespace EdgeDm.HostAccess.Updates.Handlers.Apt;

/// <summary>The command lines of an apt step. Names and versions in them were checked by <see cref="AptManifest"/>.</summary>
/// <param name="hostRoot">Where the host's file system begins; empty for the host's own root.</param>
/// <param name="allowDowngrades">What host-access.json says.</param>
internal sealed class AptCommands(string hostRoot, bool allowDowngrades)
{
    private const int LockSeconds = 300; // The host's own unattended upgrades may be at work.

    /// <summary>No questions, and output in the one language that is read here.</summary>
    private static readonly Dictionary<string, string> Environment = new(StringComparer.Ordinal)
    {
        ["DEBIAN_FRONTEND"] = "noninteractive",
        ["LC_ALL"] = "C",
    };

    /// <summary>Reads the sources' package lists.</summary>
    public UnitCommand Update => AptGet("update");

    /// <summary>Lists held packages.</summary>
    public UnitCommand Held => Of("/usr/bin/apt-mark", "showhold");

    /// <summary>Finishes what an interrupted dpkg had begun; nothing when there is none.</summary>
    public UnitCommand Repair => Of("/usr/bin/dpkg", "--force-confdef", "--force-confold", "--configure", "-a");

    /// <summary>Asks for the packages' state, a line each.</summary>
    public UnitCommand Query(AptManifest manifest) =>
        Of("/usr/bin/dpkg-query", ["-W", AptOutput.QueryFormat, .. manifest.Packages.Select(package => package.Name)]);

    /// <summary>Tells what installing would do, and does nothing.</summary>
    public UnitCommand DryRun(AptManifest manifest) => AptGet(["-s", .. InstallArguments(manifest)]);

    /// <summary>Installs.</summary>
    public UnitCommand Install(AptManifest manifest) =>
        AptGet([.. InstallArguments(manifest)]) with
        {
            PercentOf = AptOutput.PercentOf,
        };

    private IEnumerable<string> InstallArguments(AptManifest manifest) =>
        [
            "-y",
            "-o",
            "Dpkg::Options::=--force-confdef",
            "-o",
            "Dpkg::Options::=--force-confold",
            .. allowDowngrades ? new[] { "--allow-downgrades" } : [],
            "install",
            .. manifest.Packages.Select(package => package.Target),
        ];

    private UnitCommand AptGet(params string[] arguments) =>
        Of("/usr/bin/apt-get", ["-q", "-o", $"DPkg::Lock::Timeout={LockSeconds}", .. arguments]);

    private UnitCommand Of(string program, params string[] arguments) =>
        new(hostRoot + program, arguments, Environment);
}
