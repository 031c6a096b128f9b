using System.Collections.Concurrent;
using System.Diagnostics;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;

namespace EdgeDm.Testing;

/// <summary>The dev hub's program as a process of its own, with the modules that it launches.</summary>
internal sealed class DevHubProgram : IAsyncDisposable
{
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(30);

    private readonly Process process;
    private readonly string dataFolder;
    private readonly ConcurrentQueue<string> output;

    private DevHubProgram(Process process, string dataFolder, ConcurrentQueue<string> output)
    {
        this.process = process;
        this.dataFolder = dataFolder;
        this.output = output;
        process.OutputDataReceived += (_, line) => output.Enqueue(line.Data ?? "");
        process.ErrorDataReceived += (_, line) => output.Enqueue(line.Data ?? "");
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>Its process.</summary>
    public int ProcessId => process.Id;

    /// <summary>The hub's service, as an operator's program sees it.</summary>
    public HubService Service { get; private set; } = null!; // Set once the hub serves.

    /// <summary>The hub's certificate authority.</summary>
    public string RootFile => Path.Combine(dataFolder, "ca", "root.pem");

    /// <summary>The ports that it serves.</summary>
    public (int Mqtt, int Https) Ports
    {
        get
        {
            var ready = JsonNode.Parse(File.ReadAllText(ReadyFileIn(dataFolder)))!;
            return ((int)ready["mqttPort"]!, (int)ready["httpsPort"]!);
        }
    }

    /// <summary>Starts it, and returns when it serves.</summary>
    /// <param name="dataFolder">All its state.</param>
    /// <param name="arguments">Its arguments beside the folder.</param>
    /// <param name="output">Gets each line that hub and modules print.</param>
    /// <param name="environment">Variables of the hub itself beside the test's own.</param>
    /// <param name="launcher">Program and arguments that start the hub's program, which follows them; null = it is started itself.</param>
    public static async Task<DevHubProgram> StartAsync(
        string dataFolder,
        IEnumerable<string> arguments,
        ConcurrentQueue<string> output,
        IReadOnlyDictionary<string, string>? environment = null,
        IReadOnlyList<string>? launcher = null
    )
    {
        string[] command = [.. launcher ?? [], BuiltProgram.PathOf("tools/DevHub")];
        var start = new ProcessStartInfo(
            command[0],
            [.. command[1..], "--data", dataFolder, "--stop-on-stdin-close", .. arguments]
        )
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true, // Its end ends the hub, so a killed test leaves nothing behind.
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }
        if (File.Exists(ReadyFileIn(dataFolder)))
        {
            File.Delete(ReadyFileIn(dataFolder)); // Of a hub that was killed.
        }
        var hub = new DevHubProgram(Process.Start(start)!, dataFolder, output);
        try
        {
            hub.Service = await HubService.WaitAsync(hub.TryServiceAsync, every: TimeSpan.FromMilliseconds(10));
            return hub;
        }
        catch
        {
            await hub.DisposeAsync();
            throw;
        }
    }

    /// <summary>Completes when its process has ended.</summary>
    public Task ExitedAsync(CancellationToken cancellationToken) => process.WaitForExitAsync(cancellationToken);

    /// <summary>Kills it, and waits for nothing.</summary>
    public void Kill() => process.Kill();

    /// <summary>Ends it: gracefully, or as a power cut would.</summary>
    public async Task StopAsync(bool kill = false)
    {
        if (kill)
        {
            process.Kill();
        }
        else
        {
            process.StandardInput.Close();
        }
        await process.WaitForExitAsync(CancellationToken.None).WaitAsync(StopPatience);
        process.Dispose();
        Service?.Dispose();
    }

    public ValueTask DisposeAsync() => new(StopAsync());

    private async Task<HubService?> TryServiceAsync()
    {
        if (process.HasExited)
        {
            throw new InvalidOperationException(
                $"The dev hub ended with {process.ExitCode}:\n{string.Join('\n', output)}"
            );
        }
        if (!File.Exists(ReadyFileIn(dataFolder)))
        {
            return null; // Not all is started yet.
        }
        var roots = new X509Certificate2Collection();
        roots.ImportFromPemFile(RootFile);
        var connection = Path.Combine(dataFolder, "iothubowner.connection-string");
        return new(await File.ReadAllTextAsync(connection), roots, "gateway");
    }

    private static string ReadyFileIn(string dataFolder) => Path.Combine(dataFolder, "devhub.json");
}
