using System.Net;
using Microsoft.Extensions.Logging;

namespace EdgeDm.DevHub.Launching.Containers;

/// <summary>A container from its start to its end.</summary>
internal sealed partial class ContainerRun : IModuleRun
{
    private const int Killed = 128 + (int)Signal.Kill;

    private static readonly TimeSpan AskAgain = TimeSpan.FromSeconds(1);

    private readonly DockerEngine engine;
    private readonly string id;
    private readonly TimeProvider time;
    private readonly ILogger logger;

    public ContainerRun(
        DockerEngine engine,
        string name,
        string id,
        int processId,
        Stream output,
        TimeProvider time,
        ILogger logger
    )
    {
        this.engine = engine;
        this.id = id;
        this.time = time;
        this.logger = logger;
        Container = name;
        ProcessId = processId;
        Output = output;
        Ended = WaitAsync();
    }

    public int ProcessId { get; }

    public string Container { get; }

    public Stream Output { get; }

    public Task<ProcessEnd> Ended { get; }

    public Task<bool> SignalAsync(Signal signal) => engine.SignalAsync(id, signal, CancellationToken.None);

    public void Dispose() => Output.Dispose();

    // An engine that is restarted ends the waiting, not necessarily the container.
    private async Task<ProcessEnd> WaitAsync()
    {
        while (true)
        {
            try
            {
                return new(await await engine.WatchAsync(id, "not-running", CancellationToken.None), null);
            }
            catch (DockerException error) when (error.Status == HttpStatusCode.NotFound)
            {
                return new(Killed, null); // Removed by force.
            }
            catch (IOException error)
            {
                LogLost(logger, Container, error.Message);
            }
            await Task.Delay(AskAgain, time, CancellationToken.None);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Lost sight of {Container}; asks again: {Reason}")]
    private static partial void LogLost(ILogger logger, string container, string reason);
}
