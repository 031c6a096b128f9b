using System.Collections.Concurrent;
using EdgeDm.Durable;
using EdgeDm.Testing;

namespace EdgeDm.EndToEnd.Tests.HubState;

/// <summary>A dev hub that is killed at its failpoints, and started again with the same state and the same ports as often as it dies.</summary>
internal sealed class MortalHub : IAsyncDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("mortal");
    private readonly CancellationTokenSource stopping = new();
    private (int Mqtt, int Https) ports;
    private volatile DevHubProgram program = null!;
    private Task supervising = Task.CompletedTask;
    private volatile Exception? failure;
    private int deaths;

    private MortalHub() { }

    /// <summary>What the hub printed.</summary>
    public ConcurrentQueue<string> Output { get; } = new();

    /// <summary>How often it died.</summary>
    public int Deaths => Volatile.Read(ref deaths);

    /// <summary>All its state.</summary>
    public string Data => Path.Combine(folder.FullName, "data");

    /// <summary>Where it serves MQTT.</summary>
    public int MqttPort => ports.Mqtt;

    /// <summary>Its certificate authority.</summary>
    public string RootFile => program.RootFile;

    private string Failpoints => Path.Combine(folder.FullName, "failpoints");

    public static async Task<MortalHub> StartAsync()
    {
        var hub = new MortalHub();
        Directory.CreateDirectory(hub.Failpoints);
        await hub.StartProgramAsync();
        hub.ports = hub.program.Ports;
        hub.supervising = hub.SuperviseAsync();
        return hub;
    }

    /// <summary>It dies when it next passes this point.</summary>
    public void Arm(string point, long passages = 1) => FailpointFolder.Arm(Failpoints, point, passages);

    /// <summary>True when it died at the point that was armed last.</summary>
    public bool HasFired => FailpointFolder.HasFired(Failpoints);

    /// <summary>Kills it, and returns when it serves again.</summary>
    public async Task KillAsync()
    {
        var before = Deaths;
        program.Kill();
        await HubService.WaitAsync(() => Task.FromResult(Deaths > before ? this : null));
    }

    /// <summary>
    /// Asks the hub until it answers, also when it dies meanwhile. The step learns whether it was asked before, so that
    /// "it is there already" can be an answer.
    /// </summary>
    public Task<T> AskAsync<T>(Func<HubService, bool, Task<T>> step)
        where T : class
    {
        var again = false;
        return HubService.WaitAsync<T>(async () =>
        {
            if (failure is { } failed)
            {
                throw new InvalidOperationException("The hub did not start again.", failed);
            }
            try
            {
                return await step(program.Service, again);
            }
            catch (Exception error)
                when (error is HttpRequestException or IOException or ObjectDisposedException or TaskCanceledException)
            {
                again = true;
                return null;
            }
        });
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await supervising;
        await program.DisposeAsync();
        stopping.Dispose();
        folder.Delete(recursive: true);
    }

    private async Task SuperviseAsync()
    {
        try
        {
            while (true)
            {
                await program.ExitedAsync(stopping.Token);
                await program.StopAsync(kill: true);
                await StartProgramAsync();
                Interlocked.Increment(ref deaths);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The test is over.
        }
        catch (Exception error)
        {
            failure = error;
        }
    }

    private async Task StartProgramAsync() =>
        program = await DevHubProgram.StartAsync(
            Data,
            ["--mqtt-port", $"{ports.Mqtt}", "--https-port", $"{ports.Https}"],
            Output,
            new Dictionary<string, string> { [FailpointFolder.Variable] = Failpoints }
        );
}
