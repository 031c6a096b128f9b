using EdgeDm.HostAccess.Hosts.Linux.DBus;

namespace EdgeDm.HostAccess.Hosts.Linux;

/// <summary>A unit in the words of systemd's <c>StartTransientUnit</c> (org.freedesktop.systemd1(5), systemd.service(5)).</summary>
internal static class TransientService
{
    private const string SystemRoot = "/";
    private const ulong MicrosecondsPerMillisecond = 1_000;

    /// <summary>What is to be ended gets so long for it, then it is killed.</summary>
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(10);

    /// <summary>The name with systemd's suffix.</summary>
    public static string NameOf(string unit) => $"{unit}.service";

    /// <summary>The call. Its reply says that systemd has queued the start.</summary>
    public static DBusCall Start(UnitSpec unit, string outputPath) =>
        new(
            Systemd.Service,
            Systemd.Path,
            Systemd.Manager,
            "StartTransientUnit",
            "ssa(sv)a(sa(sv))",
            NameOf(unit.Name),
            "fail",
            Properties(unit, outputPath).ToArray(),
            Array.Empty<object>()
        );

    private static IEnumerable<object> Properties(UnitSpec unit, string outputPath)
    {
        yield return Property("Description", "s", $"EdgeDm {unit.Name}");
        yield return Property("Type", "s", "simple");
        yield return Property("ExecStart", "a(sasb)", new object[] { CommandLine(unit) });
        yield return Property(
            "WorkingDirectory",
            "s",
            unit.WorkingFolder.Length == 0 ? SystemRoot : unit.WorkingFolder
        );
        yield return Property(
            "Environment",
            "as",
            unit.Environment.Select(pair => $"{pair.Key}={pair.Value}").ToArray()
        );
        yield return Property("RuntimeMaxUSec", "t", Microseconds(unit.TimeLimit));
        yield return Property("TimeoutStopUSec", "t", Microseconds(StopPatience));
        // Found with its result until it is removed: after success it stays active, after failure it stays failed.
        yield return Property("RemainAfterExit", "b", true);
        yield return Property("CollectMode", "s", "inactive");
        yield return Property("KillMode", "s", "control-group");
        yield return Property("SendSIGKILL", "b", true);
        // Scripts count on the signal, as everywhere outside of services.
        yield return Property("IgnoreSIGPIPE", "b", false);
        yield return Property("StandardInput", "s", "null");
        yield return Property("StandardOutputFileToAppend", "s", outputPath);
        yield return Property("StandardError", "s", "inherit");
    }

    /// <summary>Program, arguments with the program ahead, and that its failure counts.</summary>
    private static object[] CommandLine(UnitSpec unit) =>
        [unit.Program, new[] { unit.Program }.Concat(unit.Arguments).Select(Literal).ToArray(), false];

    /// <summary>systemd replaces variables in arguments; a doubled dollar sign is one that is meant.</summary>
    private static string Literal(string argument) => argument.Replace("$", "$$", StringComparison.Ordinal);

    private static ulong Microseconds(TimeSpan time) => (ulong)time.TotalMilliseconds * MicrosecondsPerMillisecond;

    private static object[] Property(string name, string signature, object value) =>
        [name, new DBusVariant(signature, value)];
}
