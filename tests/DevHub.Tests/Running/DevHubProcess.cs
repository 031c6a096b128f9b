using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using EdgeDm.DevHub.Tests.Launching;

namespace EdgeDm.DevHub.Tests.Running;

/// <summary>The dev hub's program, run as a script runs it.</summary>
internal sealed class DevHubProcess : IDisposable
{
    private readonly Process process;
    private readonly string data;

    private DevHubProcess(Process process, string data)
    {
        this.process = process;
        this.data = data;
        process.OutputDataReceived += (_, line) => Output.WriteLine(line.Data);
        process.ErrorDataReceived += (_, line) => Output.WriteLine(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public LineRecorder Output { get; } = new();

    public int Id => process.Id;

    public static DevHubProcess Start(TemporaryFolder folder, params string[] arguments)
    {
        var dataFolder = folder.File("data");
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "EdgeDm.DevHub"))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        string[] all = ["--data", dataFolder, "--mqtt-port", "0", "--https-port", "0", .. arguments];
        Array.ForEach(all, start.ArgumentList.Add);
        return new(Process.Start(start)!, dataFolder);
    }

    /// <summary>Its ready file, once it serves.</summary>
    /// <param name="lastLine">Of what it tells then.</param>
    public async Task<JsonElement> WaitUntilReadyAsync(string lastLine = "output of the modules")
    {
        await Output.WaitForAsync(lastLine);
        return JsonSerializer.Deserialize<JsonElement>(await File.ReadAllTextAsync(Path.Combine(data, "devhub.json")));
    }

    /// <summary>The number that a module wrote as <c>name=number</c>.</summary>
    public async Task<int> IdAsync(string name)
    {
        var line = await Output.WaitForAsync($"| {name}=");
        return int.Parse(line[(line.IndexOf('=', StringComparison.Ordinal) + 1)..], CultureInfo.InvariantCulture);
    }

    public void CloseInput() => process.StandardInput.Close();

    public void Kill() => process.Kill();

    public void Signal(string name)
    {
        using var kill = Process.Start("/bin/kill", [$"-{name}", $"{Id}"]);
        kill.WaitForExit();
    }

    public async Task<int> WaitForExitAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        await process.WaitForExitAsync(limit.Token);
        return process.ExitCode;
    }

    public void Dispose()
    {
        if (!process.HasExited)
        {
            process.Kill(entireProcessTree: true);
        }
        process.Dispose();
        Output.Dispose();
    }
}
