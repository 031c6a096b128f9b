using System.Diagnostics;

namespace EdgeDm.Benchmarks.Footprint;

/// <summary>The modules' containers, as this machine's kernel and its Docker Engine see them.</summary>
internal static class GatewayContainers
{
    // Where the images have the programs.
    private const string Programs = "/opt/edgedm/EdgeDm.";

    /// <summary>The process of a module. Its own log tells the number that it has in its container.</summary>
    /// <exception cref="BenchException">There is none, or containers of another gateway run, whose pages it would share.</exception>
    public static int ProcessOf(string module)
    {
        var found = Directory
            .EnumerateDirectories("/proc")
            .Select(folder => int.TryParse(Path.GetFileName(folder), out var id) ? id : 0)
            .Where(id => id > 0 && ProgramOf(id) == Programs + module)
            .ToList();
        return found.Count switch
        {
            1 => found[0],
            0 => throw new BenchException(
                $"No process of {module} in a container can be seen. It takes root's rights to measure containers."
            ),
            _ => throw new BenchException(
                $"{found.Count} containers of {module} run on this machine and share memory. Stop the other gateways."
            ),
        };
    }

    /// <summary>Removes what outlives the dev hub: the volumes.</summary>
    /// <param name="data">The dev hub's folder, which tells its name in Docker.</param>
    public static async Task RemoveVolumesAsync(string data)
    {
        var file = Path.Combine(data, "containers");
        if (!File.Exists(file))
        {
            return; // It never got so far.
        }
        var name = (await File.ReadAllTextAsync(file)).Trim();
        var volumes = await DockerAsync("volume", "ls", "--quiet", "--filter", $"label=net.edgedm.devhub={name}");
        if (volumes.Split('\n', StringSplitOptions.RemoveEmptyEntries) is { Length: > 0 } left)
        {
            await DockerAsync(["volume", "rm", .. left]);
        }
    }

    // Null: it ended meanwhile, is the kernel's own, or another user's.
    private static string? ProgramOf(int process)
    {
        try
        {
            return File.ResolveLinkTarget($"/proc/{process}/exe", returnFinalTarget: false)?.FullName;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static async Task<string> DockerAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("docker", arguments)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var docker = Process.Start(start)!;
        var error = docker.StandardError.ReadToEndAsync();
        var output = await docker.StandardOutput.ReadToEndAsync();
        await docker.WaitForExitAsync();
        return docker.ExitCode == 0
            ? output
            : throw new BenchException($"docker {string.Join(' ', arguments)}: {await error}");
    }
}
