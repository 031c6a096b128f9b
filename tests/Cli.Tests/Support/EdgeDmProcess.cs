using System.Diagnostics;

namespace EdgeDm.Cli.Tests;

/// <summary>The real program as a process.</summary>
internal static class EdgeDmProcess
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "EdgeDm.Cli.dll");

    /// <summary>Runs it to its end. Of the tester's own environment it sees no EDGEDM variable.</summary>
    public static async Task<EdgeDmResult> RunAsync(
        IReadOnlyDictionary<string, string>? environment,
        string input,
        params string[] args
    )
    {
        using var process = Start(environment, args);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync();
            await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
            return await EndAsync(process, output);
        }
        finally
        {
            Kill(process);
        }
    }

    /// <summary>Runs it until it has written its first line, lets <paramref name="meanwhile"/> happen, then interrupts it as Ctrl-C does.</summary>
    public static async Task<EdgeDmResult> InterruptAsync(
        IReadOnlyDictionary<string, string>? environment,
        Func<Task> meanwhile,
        params string[] args
    )
    {
        using var process = Start(environment, args);
        try
        {
            var first = await process.StandardOutput.ReadLineAsync().WaitAsync(Limit);
            var output = process.StandardOutput.ReadToEndAsync();
            await meanwhile();
            using (var kill = Process.Start("kill", ["-INT", $"{process.Id}"]))
            {
                await kill.WaitForExitAsync().WaitAsync(Limit);
            }
            var result = await EndAsync(process, output);
            return result with { Output = first + "\n" + result.Output };
        }
        finally
        {
            Kill(process);
        }
    }

    public static Task<EdgeDmResult> RunAsync(params string[] args) => RunAsync(null, "", args);

    private static Process Start(IReadOnlyDictionary<string, string>? environment, string[] args)
    {
        var start = new ProcessStartInfo("dotnet", [Program, .. args])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (
            var name in start
                .Environment.Keys.Where(name => name.StartsWith("EDGEDM_", StringComparison.Ordinal))
                .ToList()
        )
        {
            start.Environment.Remove(name);
        }
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }
        return Process.Start(start)!;
    }

    private static async Task<EdgeDmResult> EndAsync(Process process, Task<string> output)
    {
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(Limit);
        return new(process.ExitCode, await output, await error);
    }

    private static void Kill(Process process)
    {
        if (!process.HasExited)
        {
            process.Kill(entireProcessTree: true);
        }
    }
}

/// <summary>What came of it.</summary>
internal sealed record EdgeDmResult(int ExitCode, string Output, string Error)
{
    /// <summary>Fails with what the program said.</summary>
    public EdgeDmResult ShouldExitWith(int exitCode)
    {
        ExitCode.ShouldBe(exitCode, $"output:\n{Output}\nerror:\n{Error}");
        return this;
    }

    public System.Text.Json.Nodes.JsonNode Json => System.Text.Json.Nodes.JsonNode.Parse(Output)!;
}
