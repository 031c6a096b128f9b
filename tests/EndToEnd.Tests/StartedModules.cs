using System.Collections.Concurrent;
using System.Diagnostics;
using EdgeDm.Testing;

namespace EdgeDm.EndToEnd.Tests;

/// <summary>Modules that the test starts itself, as a developer in a debugger does.</summary>
internal sealed class StartedModules : IDisposable
{
    private readonly List<Process> processes = [];
    private readonly ConcurrentQueue<string> lines = new();

    /// <param name="modules">Program and environment file (<c>NAME=value</c> or <c>export NAME='value'</c>) by module.</param>
    public StartedModules(IReadOnlyDictionary<string, (string Program, string EnvironmentFile)> modules)
    {
        foreach (var (name, (program, file)) in modules)
        {
            // The file is made for a shell; a shell reads it.
            var start = new ProcessStartInfo("/bin/sh")
            {
                UseShellExecute = false,
                RedirectStandardOutput = true,
                ArgumentList = { "-c", "set -a; . \"$1\"; exec \"$2\"", "sh", file, program },
            };
            var process = Process.Start(start)!;
            process.OutputDataReceived += (_, line) => lines.Enqueue($"{name} | {line.Data}");
            process.BeginOutputReadLine();
            processes.Add(process);
        }
    }

    public string Output => string.Join('\n', lines);

    /// <summary>Waits until a module has printed a text.</summary>
    public Task WaitForLineAsync(string module, string text) =>
        HubService.WaitAsync(() =>
            Task.FromResult(
                lines.FirstOrDefault(l =>
                    l.StartsWith(module, StringComparison.Ordinal) && l.Contains(text, StringComparison.Ordinal)
                )
            )
        );

    public void Dispose()
    {
        foreach (var process in processes)
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
            process.Dispose();
        }
    }
}
