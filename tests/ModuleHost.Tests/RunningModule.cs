using EdgeDm.Testing;

namespace EdgeDm.ModuleHost.Tests;

/// <summary>A module's hub side and the hub it talks to, in a folder of its own.</summary>
internal sealed class RunningModule : IAsyncDisposable
{
    private readonly CancellationTokenSource stop = new();
    private Task running = Task.CompletedTask;

    public RunningModule(Func<HubModuleOptions, HubModuleOptions>? adapt = null, string? folder = null)
    {
        Folder = folder ?? Directory.CreateTempSubdirectory("edgedm-hub-").FullName;
        var options = new HubModuleOptions
        {
            ModuleId = "Module",
            DataFolder = Folder,
            OptionsFactory = _ => ValueTask.FromResult(Hub.Options),
            FirstRetry = TimeSpan.FromMilliseconds(10),
            LongestRetry = TimeSpan.FromMilliseconds(50),
            HandlerRetry = TimeSpan.FromMilliseconds(5),
        };
        Module = new(adapt is null ? options : adapt(options));
        Module.ConnectionChanged += () =>
        {
            if (Module.IsConnected)
            {
                Connected.TrySetResult();
            }
            else
            {
                Connected = new(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        };
    }

    public string Folder { get; }

    public BehavingHub Hub { get; } = new();

    public HubModule Module { get; }

    public TaskCompletionSource Connected { get; private set; } =
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    public RunningModule Start()
    {
        running = Task.Run(() => Module.RunAsync(stop.Token));
        return this;
    }

    public async Task<RunningModule> StartConnectedAsync()
    {
        Start();
        await Connected.Task.WaitAsync(ScriptedHub.Patience);
        return this;
    }

    /// <summary>Stops the module, leaves the hub and the folder.</summary>
    public async Task StopAsync()
    {
        await stop.CancelAsync();
        await running.WaitAsync(ScriptedHub.Patience);
        Module.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await Hub.DisposeAsync();
        stop.Dispose();
        Directory.Delete(Folder, recursive: true);
    }
}
