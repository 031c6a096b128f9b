using System.Collections.Immutable;
using System.Globalization;
using EdgeDm.HostAccess.Updates.Handlers.Units;

namespace EdgeDm.HostAccess.Updates.Handlers.Apt;

/// <summary>Reads what apt and dpkg wrote, in the language of their makers (<c>LC_ALL=C</c>).</summary>
internal static class AptOutput
{
    /// <summary>dpkg-query's option: name, qualified name, state, version, a package a line.</summary>
    public const string QueryFormat =
        "-f=${Package}\\t${Package}:${Architecture}\\t${db:Status-Status}\\t${Version}\\n";

    private const int Columns = 4;

    /// <summary>True when every package is there, configured, in the version that is wanted.</summary>
    public static bool IsInstalled(AptManifest manifest, string query)
    {
        var rows = query.Split('\n').Select(line => line.Split('\t')).Where(row => row.Length == Columns).ToList();
        return manifest.Packages.All(package =>
            rows.Exists(row =>
                (row[0] == package.Name || row[1] == package.Name)
                && row[2] == "installed"
                && (package.Version is null || row[3] == package.Version)
            )
        );
    }

    /// <summary>The packages of the manifest that are held.</summary>
    public static ImmutableArray<string> HeldAmong(AptManifest manifest, string held)
    {
        var names = held.Split('\n').Select(NameOf).ToHashSet(StringComparer.Ordinal);
        return [.. manifest.Packages.Select(package => package.Name).Where(name => names.Contains(NameOf(name)))];
    }

    /// <summary>True when apt would go back to an older version and may not.</summary>
    public static bool IsRefusedDowngrade(UnitResult dryRun) =>
        !dryRun.Succeeded && dryRun.Output.Contains("without --allow-downgrades", StringComparison.Ordinal);

    /// <summary>The packages that apt would take back.</summary>
    public static string DowngradedIn(string dryRun)
    {
        const string Head = "The following packages will be DOWNGRADED:";
        var start = dryRun.IndexOf(Head, StringComparison.Ordinal);
        if (start < 0)
        {
            return "";
        }
        var lines = dryRun[(start + Head.Length)..].TrimStart('\n').Split('\n');
        return string.Join(' ', lines.TakeWhile(line => line.StartsWith(' ')).Select(line => line.Trim()));
    }

    /// <summary>
    /// How far an installation is: fetching is the first half, unpacking and setting up the second. Read from the lines that apt and dpkg
    /// write anyway: apt closes the descriptor of <c>APT::Status-Fd</c> for dpkg, and of 1 and 2 the packages' scripts have need.
    /// </summary>
    public static int? PercentOf(string output)
    {
        const int Half = 50;
        var lines = output.Split('\n');
        if (lines.Select(PackagesIn).FirstOrDefault(count => count > 0) is not (> 0 and var packages))
        {
            return null;
        }
        // A line comes when its work begins.
        var worked = lines.Count(line => Begins(line, "Unpacking ") || Begins(line, "Setting up ")) - 1;
        var (begin, done, all) =
            worked >= 0 ? (Half, worked, 2 * packages) : (0, lines.Count(line => Begins(line, "Get:")), packages);
        return begin + Half * Math.Min(done, all) / all;

        static bool Begins(string line, string words) => line.StartsWith(words, StringComparison.Ordinal);
    }

    /// <summary>From <c>1 upgraded, 2 newly installed, 1 downgraded, 0 to remove and 5 not upgraded.</c>: 4; of any other line 0.</summary>
    private static int PackagesIn(string line)
    {
        const string Foot = " not upgraded.";
        return line.EndsWith(Foot, StringComparison.Ordinal)
            ? line.Split(", ")
                .SkipLast(1)
                .Sum(part => int.TryParse(part.Split(' ')[0], CultureInfo.InvariantCulture, out var count) ? count : 0)
            : 0;
    }

    /// <summary>Without the architecture.</summary>
    private static string NameOf(string name) => name.Trim().Split(':')[0];
}
