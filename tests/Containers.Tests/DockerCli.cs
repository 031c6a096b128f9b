using System.Diagnostics;

namespace EdgeDm.Containers.Tests;

/// <summary>Docker as somebody at the machine uses it, beside the dev hub.</summary>
internal static class DockerCli
{
    /// <summary>Runs a command that must succeed, and returns what it printed.</summary>
    public static async Task<string> RunAsync(params string[] arguments)
    {
        var (exitCode, output, error) = await EndAsync(arguments);
        exitCode.ShouldBe(0, $"docker {string.Join(' ', arguments)}: {error}");
        return output;
    }

    /// <summary>Runs a command that may fail, and returns what it printed.</summary>
    public static async Task<string> TryAsync(params string[] arguments) => (await EndAsync(arguments)).Output;

    /// <summary>Ids of containers, or names of volumes or networks, with a label.</summary>
    public static async Task<string[]> ListAsync(string kind, string label) =>
        (
            await RunAsync([
                kind,
                "ls",
                "--quiet",
                "--filter",
                $"label={label}",
                .. kind == "container" ? ["--all"] : Array.Empty<string>(),
            ])
        ).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private static async Task<(int ExitCode, string Output, string Error)> EndAsync(string[] arguments)
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
        return (docker.ExitCode, output.Trim(), await error);
    }
}
