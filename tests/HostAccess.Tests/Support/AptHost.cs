using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using EdgeDm.HostAccess.Configuration;

namespace EdgeDm.HostAccess.Tests.Support;

/// <summary>
/// The machine's own apt and dpkg on a system of their own beneath the simulated host's root: a package database, package lists and a
/// <c>file:</c> repository that the test fills. The machine's packages are never touched.
/// </summary>
internal sealed class AptHost
{
    private readonly string root;
    private readonly string repository;
    private readonly string target;
    private readonly StringBuilder index = new();

    public AptHost(TestGateway gateway)
    {
        root = gateway.HostRoot;
        repository = Directory.CreateDirectory(Path.Combine(root, "repository")).FullName;
        target = Path.Combine(root, "target");
        foreach (
            var folder in new[]
            {
                "target/var/lib/dpkg/info",
                "target/var/lib/dpkg/updates",
                "state/lists/partial",
                "cache/archives/partial",
                "etc/apt.conf.d",
                "etc/preferences.d",
                "etc/sources.list.d",
                "etc/trusted.gpg.d",
                "usr/bin",
                "log",
            }
        )
        {
            Directory.CreateDirectory(Path.Combine(root, folder));
        }
        File.WriteAllText(Path.Combine(target, "var/lib/dpkg/status"), "");
        File.WriteAllText(Path.Combine(repository, "Packages"), "");
        File.WriteAllText(Path.Combine(root, "etc/sources.list"), $"deb [trusted=yes] file:{repository} ./\n");
        File.WriteAllText(Path.Combine(root, "apt.conf"), Configuration());
        Wrap("apt-get", "-c \"$EDGEDM_SIMULATED_ROOT/apt.conf\"");
        Wrap("apt-mark", "-c \"$EDGEDM_SIMULATED_ROOT/apt.conf\"");
        Wrap("dpkg", $"{RootOption} --force-script-chrootless --log=\"$EDGEDM_SIMULATED_ROOT/log/dpkg.log\"");
        Wrap("dpkg-query", $"--admindir=\"$EDGEDM_SIMULATED_ROOT/target/var/lib/dpkg\"");
    }

    private const string RootOption = "--root=\"$EDGEDM_SIMULATED_ROOT/target\"";

    public static void RequireApt()
    {
        Assert.SkipUnless(OwnUser.Id == 0, "dpkg installs as root only, into a folder of the test's as anywhere else.");
        Assert.SkipUnless(
            File.Exists("/usr/bin/apt-get") && File.Exists("/usr/bin/dpkg-deb"),
            "apt and dpkg are needed; this is no Debian."
        );
    }

    /// <summary>What dpkg did, a word each: for example <c>install one:all &lt;none&gt; 1.0</c>.</summary>
    public string[] Log =>
        [
            .. File.ReadAllLines(Path.Combine(root, "log/dpkg.log"))
                .Select(line => line.Split(' ', 3)[2])
                .Where(line => !line.StartsWith("startup", StringComparison.Ordinal)),
        ];

    /// <summary>Puts a package into the repository.</summary>
    public async Task AddAsync(string name, string version, string? postinst = null, string? depends = null)
    {
        var source = Directory.CreateDirectory(Path.Combine(root, "build", $"{name}_{version}")).FullName;
        var control = Directory.CreateDirectory(Path.Combine(source, "DEBIAN")).FullName;
        var needs = depends is null ? "" : $"Depends: {depends}\n";
        var fields =
            $"Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: Test <test@example.com>\n{needs}Description: test\n";
        await File.WriteAllTextAsync(Path.Combine(control, "control"), fields);
        Directory.CreateDirectory(Path.Combine(source, "opt"));
        await File.WriteAllTextAsync(Path.Combine(source, "opt", name), version);
        if (postinst is not null)
        {
            var script = Path.Combine(control, "postinst");
            await File.WriteAllTextAsync(script, $"#!/bin/sh\nset -e\n{postinst}\n");
            File.SetUnixFileMode(script, (UnixFileMode)0b111_101_101);
        }
        var file = $"{name}_{version}_all.deb";
        await RunAsync("/usr/bin/dpkg-deb", "--build", "--root-owner-group", source, Path.Combine(repository, file));
        var bytes = await File.ReadAllBytesAsync(Path.Combine(repository, file));
        index.Append(
            $"{fields}Filename: ./{file}\nSize: {bytes.Length}\nSHA256: {Convert.ToHexStringLower(SHA256.HashData(bytes))}\n\n"
        );
        await File.WriteAllTextAsync(Path.Combine(repository, "Packages"), index.ToString());
    }

    /// <summary>Runs the host's own dpkg, as its owner would.</summary>
    public Task DpkgAsync(params string[] arguments) => RunAsync(Path.Combine(root, "usr/bin/dpkg"), arguments);

    public Task HoldAsync(string name) => RunAsync(Path.Combine(root, "usr/bin/apt-mark"), "hold", name);

    public string PackageFile(string name, string version) => Path.Combine(repository, $"{name}_{version}_all.deb");

    /// <summary>The installed version; null when it is not installed and configured.</summary>
    public string? VersionOf(string name)
    {
        var entry = File.ReadAllText(Path.Combine(target, "var/lib/dpkg/status"))
            .Split("\n\n")
            .FirstOrDefault(e => e.Contains($"Package: {name}\n", StringComparison.Ordinal));
        return entry?.Contains(" ok installed\n", StringComparison.Ordinal) == true
            ? entry.Split("Version: ")[1].Split('\n')[0]
            : null;
    }

    /// <summary>A step of <c>microsoft/apt:1</c>.</summary>
    public static TestUpdate Step(
        TestUpdate update,
        string? criteria = null,
        bool restart = false,
        params (string Name, string? Version)[] packages
    )
    {
        var list = new JsonArray();
        foreach (var (name, version) in packages)
        {
            list.Add(new JsonObject { ["name"] = name, ["version"] = version });
        }
        var manifest = new JsonObject
        {
            ["name"] = "test",
            ["version"] = update.Version,
            ["packages"] = list,
            ["agentRestartRequired"] = restart,
        };
        return update.Step(
            "microsoft/apt:1",
            criteria is null ? [] : new() { ["installedCriteria"] = criteria },
            [update.AddFile("apt.json", manifest.ToJsonString())]
        );
    }

    private string Configuration() =>
        $$"""
            Dir "{{root}}/";
            Dir::State "{{root}}/state/";
            Dir::State::status "{{target}}/var/lib/dpkg/status";
            Dir::Cache "{{root}}/cache/";
            Dir::Etc "{{root}}/etc/";
            Dir::Log "{{root}}/log/";
            Dir::Bin::dpkg "{{root}}/usr/bin/dpkg";
            APT::Sandbox::User "root";
            APT::Architecture "amd64";
            Acquire::AllowInsecureRepositories "true";
            DPkg::Use-Pty "false";
            """.ReplaceLineEndings("\n") + "\n";

    private void Wrap(string program, string options)
    {
        var path = Path.Combine(root, "usr/bin", program);
        File.WriteAllText(path, $"#!/bin/sh\nexec /usr/bin/{program} {options} \"$@\"\n");
        File.SetUnixFileMode(path, (UnixFileMode)0b111_101_101);
    }

    private async Task RunAsync(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["EDGEDM_SIMULATED_ROOT"] = root },
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = await process.StandardError.ReadToEndAsync().WaitAsync(TestGateway.Patience);
        await process.WaitForExitAsync();
        process.ExitCode.ShouldBe(0, $"{program}: {error}{await output}");
    }
}
