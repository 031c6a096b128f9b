namespace EdgeDm.Containers.Tests;

/// <summary>Makes what a gateway's maker publishes, with its keys (<c>Host/workshop</c>).</summary>
internal static class Workshop
{
    /// <summary>What gateways of this maker call themselves to RAUC.</summary>
    public const string Compatible = "edgedm-test-gateway";

    /// <summary>In place of a version: a system that does not start.</summary>
    public const string Broken = "broken";

    /// <summary>Makes a signed RAUC bundle.</summary>
    /// <param name="path">Where.</param>
    /// <param name="version">The bundle's and its system's.</param>
    /// <param name="compatible">What it is for.</param>
    /// <param name="files">Files of the system that differ from an ordinary one, content by path.</param>
    public static async Task MakeBundleAsync(
        string path,
        string version,
        string compatible = Compatible,
        params (string Path, string Content)[] files
    )
    {
        var differing = Directory.CreateTempSubdirectory("system");
        try
        {
            foreach (var (name, content) in files)
            {
                var file = Path.Combine(differing.FullName, name);
                Directory.CreateDirectory(Path.GetDirectoryName(file)!);
                await File.WriteAllTextAsync(file, content + "\n");
            }
            await RunAsync(
                Path.GetDirectoryName(path)!,
                $"make-bundle {version} {compatible} /work/{Path.GetFileName(path)} /differing",
                "--volume",
                $"{differing.FullName}:/differing:ro"
            );
        }
        finally
        {
            differing.Delete(recursive: true);
        }
    }

    /// <summary>Makes a signed repository of one package in a folder.</summary>
    public static Task MakePackagesAsync(string folder, string name, string version) =>
        RunAsync(folder, $"make-packages /work {name} {version}");

    private static Task<string> RunAsync(string work, string command, params string[] options) =>
        DockerCli.RunAsync([
            .. new[] { "run", "--rm", "--network", "none", "--volume", $"{work}:/work" },
            .. options,
            "edgedm-test/workshop",
            "-c",
            command,
        ]);
}
