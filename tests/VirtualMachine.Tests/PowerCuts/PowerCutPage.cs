using System.Globalization;
using System.Text;

namespace EdgeDm.VirtualMachine.Tests.PowerCuts;

/// <summary>The page of results, which grows by a row for each cut and from which a campaign goes on.</summary>
internal sealed class PowerCutPage(string file)
{
    private const string Heading =
        "| seed | cut | after | HostAccess found the update | ended | reported after |\n|---|---|---|---|---|---|\n";

    private const string Introduction = """
        # Power cuts

        A gateway in a virtual machine installs a RAUC bundle with verity, from the desired property through reboot and health gate, and its power
        is cut once: SIGKILL of QEMU, at a moment chosen at random between the deployment and a little after the usual end. Then it is started again.

        `scripts/vm build && scripts/vm powercut --count N --seed S`

        Each must end committed in the new slot, or in the old one with an error; what is reported must be what runs; a watcher of the twin must
        see one end and the job's events must tell one; no record may be damaged.

        The emulator's firmware sometimes hangs in a restart that the guest asked for. The machine is then started once more, as a board's watchdog would:
        a second cut, between the two systems. Such a row says "reset hung".

        What this does not model: the disk. QEMU hands the guest's writes to this machine's page cache, which outlives QEMU. So a disk that says
        "written" and loses it with its cache, sectors that are torn in the middle of a write, and flash that wears or forgets are not here. What is: everything that
        the guest had not handed to its disk yet is lost, in GRUB, kernel, file systems, RAUC and EdgeDm alike.

        """;

    private readonly List<string> rows = File.Exists(file)
        ? [.. File.ReadAllLines(file).SkipWhile(line => !line.StartsWith("|---", StringComparison.Ordinal)).Skip(1)]
        : [];

    /// <summary>How many cuts of a seed there are.</summary>
    public int CutsOf(int seed) => rows.Count(row => row.StartsWith($"| {seed} |", StringComparison.Ordinal));

    /// <summary>Adds one and writes the page.</summary>
    public async Task AddAsync(string row)
    {
        rows.Add(row);
        var page = new StringBuilder(Introduction);
        page.AppendLine()
            .AppendLine(
                CultureInfo.InvariantCulture,
                $"Cuts: {rows.Count}. {Count("| committed |")} committed, {Count("| old version,")} with the old version and an error, **{rows.Count - Count("| committed |") - Count("| old version,")} failures**."
            )
            .AppendLine()
            .Append(Heading)
            .AppendJoin('\n', rows)
            .AppendLine();
        await File.WriteAllTextAsync(file, page.ToString());
    }

    private int Count(string end) => rows.Count(row => row.Contains(end, StringComparison.Ordinal));
}
