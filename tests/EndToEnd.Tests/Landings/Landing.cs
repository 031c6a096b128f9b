using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeDm.Testing;

namespace EdgeDm.EndToEnd.Tests.Landings;

/// <summary>
/// What a gateway that ran a landing (a version that was handed over) has on its disks: the modules' volumes, the simulated host, the
/// trusted root, and what was being installed. Nothing of the dev hub, which is no part of a gateway.
/// </summary>
internal sealed class Landing(string folder)
{
    /// <summary>The cases that are captured of each landing.</summary>
    public const string Idle = "idle",
        Downloading = "downloading",
        Installing = "installing",
        OnTrial = "on-trial",
        Offline = "offline";

    public static readonly IReadOnlyList<string> Cases = [Idle, Downloading, Installing, OnTrial, Offline];

    /// <summary>When the served files were last changed: a download goes on only while its server says the same.</summary>
    private static readonly DateTime FilesChanged = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    /// <summary>Written in place of the machine's boot id: wherever the state is used, that machine was started since.</summary>
    private const string OtherBoot = "captured";

    private static readonly string[] Volumes =
    [
        "edgedm-device-management",
        "edgedm-firmware-download",
        "edgedm-telemetry",
        "edgedm-host-access",
        "edgedm-store",
    ];

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>All landings that are kept.</summary>
    public static string Home => Path.Combine(RepositoryRoot.Path, "tests", "EndToEnd.Tests", "Landings");

    /// <summary>Their versions.</summary>
    public static IEnumerable<string> Versions =>
        Directory.EnumerateDirectories(Home).Select(Path.GetFileName).OfType<string>();

    /// <summary>A case of a landing that is kept.</summary>
    public static Landing Of(string version, string state) => new(Path.Combine(Home, version, state));

    /// <summary>The desired group that the gateway had last.</summary>
    public JsonObject Group => JsonNode.Parse(File.ReadAllText(GroupFile))!.AsObject();

    private string GroupFile => Path.Combine(folder, "group.json");

    private string Files => Path.Combine(folder, "files");

    /// <summary>Copies a gateway's state into this folder. Its modules must be at rest; they may run.</summary>
    public void Capture(Gateway gateway, JsonObject group)
    {
        foreach (var (name, live) in Places(gateway))
        {
            Copy(live, Path.Combine(folder, name));
        }
        Copy(gateway.FilesFolder, Files);
        Directory.CreateDirectory(Path.Combine(folder, "etc"));
        File.Copy(Root(gateway), Path.Combine(folder, "etc", "root.jwk.json"));
        File.WriteAllText(GroupFile, group.ToJsonString(Indented));
        var stateFile = Path.Combine(folder, "simulated-host", "state.json");
        var state = JsonNode.Parse(File.ReadAllText(stateFile))!;
        state["value"]!["machineBootId"] = OtherBoot;
        File.WriteAllText(stateFile, state.ToJsonString());
    }

    /// <summary>Gives a gateway that has not been started this state.</summary>
    public void Restore(Gateway gateway)
    {
        foreach (var (name, live) in Places(gateway))
        {
            Copy(Path.Combine(folder, name), live);
        }
        Copy(Files, gateway.FilesFolder);
        Date(gateway.FilesFolder);
        File.Copy(Path.Combine(folder, "etc", "root.jwk.json"), Root(gateway), overwrite: true);
    }

    /// <summary>The desired group with addresses that hold today; the rest, and so the job, is the same.</summary>
    public JsonObject GroupServedBy(FileHost files)
    {
        var group = Group;
        foreach (var (file, address) in group["fileUrls"]!.AsObject().ToList())
        {
            group["fileUrls"]![file] = files.Url + new Uri((string)address!).AbsolutePath;
        }
        return group;
    }

    /// <summary>Gives files that are to be served the date that they keep.</summary>
    public static void Date(string files)
    {
        foreach (var file in Directory.EnumerateFiles(files))
        {
            File.SetLastWriteTimeUtc(file, FilesChanged);
        }
    }

    private static IEnumerable<(string Name, string Live)> Places(Gateway gateway) =>
        Volumes
            .Select(v => (Path.Combine("volumes", v), Path.Combine(gateway.DataFolder, "volumes", v)))
            .Append(("simulated-host", Path.Combine(gateway.DataFolder, "simulated-host")));

    private static string Root(Gateway gateway) => Path.Combine(gateway.ConfigurationFolder, "root.jwk.json");

    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        if (!Directory.Exists(from))
        {
            return; // An empty folder is not kept by git.
        }
        // Not File.Copy, which would wait for the programs' locks.
        using var copying = Process.Start("/bin/cp", ["-R", from + "/.", to]);
        copying.WaitForExit();
        copying.ExitCode.ShouldBe(0, $"'{from}' could not be copied.");
        foreach (var held in Directory.EnumerateFiles(to, "lock", SearchOption.AllDirectories))
        {
            File.Delete(held); // Held by who runs, and empty.
        }
    }
}
