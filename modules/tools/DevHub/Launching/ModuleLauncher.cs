using System.Collections.Concurrent;
using EdgeDm.DevHub.Deployment;
using EdgeDm.Hosting;
using Microsoft.Extensions.Logging;

namespace EdgeDm.DevHub.Launching;

/// <summary>Runs a deployment's modules, as edgeAgent does.</summary>
public sealed partial class ModuleLauncher : IModuleStates, IModuleEvents, IAsyncDisposable
{
    /// <summary>
    /// Label in <c>createOptions</c> of the module that plays the host. When it ends with this exit code, every module ends,
    /// as at a power cut of the host, and starts again.
    /// </summary>
    public const string HostRebootLabel = "net.edgedm.devhub.host-reboot-exit-code";

    private readonly IModuleRuntime runtime;
    private readonly ILogger logger;
    private readonly SemaphoreSlim operations = new(1);
    private readonly ConcurrentDictionary<string, ModuleSupervisor> supervisors = new(StringComparer.Ordinal);
    private readonly Func<DeploymentManifest, ModulePlan> planOf;
    private readonly Func<ModuleLaunch, ModuleSupervisor> supervise;
    private volatile ModulePlan plan;
    private Task reboot = Task.CompletedTask;
    private bool stopping;

    /// <summary>Prepares the modules; nothing runs yet.</summary>
    /// <param name="manifest">The deployment.</param>
    /// <param name="runtime">In what they run.</param>
    /// <param name="options">How they are launched.</param>
    /// <param name="console">Shows what they write.</param>
    /// <param name="time">Measures waits.</param>
    /// <param name="loggers">Told what happens to them.</param>
    /// <exception cref="MisconfiguredException">A module cannot be launched, whatever happens later.</exception>
    internal ModuleLauncher(
        DeploymentManifest manifest,
        IModuleRuntime runtime,
        LauncherOptions options,
        ModuleConsole console,
        TimeProvider time,
        ILoggerFactory loggers
    )
    {
        this.runtime = runtime;
        logger = loggers.CreateLogger<ModuleLauncher>();
        planOf = deployment => ModulePlan.Of(deployment, runtime, options.Except, logger);
        supervise = launch => new(launch, runtime.RunnerFor(launch.Id), options, console, time, logger, this);
        ModulePlan.RequireKnown(options.Except, manifest);
        plan = planOf(manifest);
        foreach (var (id, launch) in plan.Launches)
        {
            supervisors[id] = supervise(launch);
        }
    }

    /// <summary>Told after a module's state changed, on any thread.</summary>
    public event Action<ModuleState>? Changed;

    /// <summary>Starts the modules in their order.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await operations.WaitAsync(cancellationToken);
        try
        {
            await StartAllAsync();
        }
        finally
        {
            operations.Release();
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<ModuleState> List()
    {
        var now = plan;
        return
        [
            .. now.Order.Select(id =>
                supervisors.TryGetValue(id, out var supervisor) ? supervisor.State
                : now.Others.TryGetValue(id, out var state) ? state
                : new(id, "stopped", null, null, 0, "")
            ),
        ];
    }

    /// <summary>
    /// Follows another deployment as edgeAgent does: a module that is gone or changed is stopped, one that is new or changed is
    /// started in its order, and one that is the same runs on.
    /// </summary>
    /// <exception cref="MisconfiguredException">A module cannot be launched, whatever happens later; nothing was changed.</exception>
    public async Task ApplyAsync(DeploymentManifest manifest, CancellationToken cancellationToken)
    {
        var next = planOf(manifest);
        await operations.WaitAsync(cancellationToken);
        try
        {
            if (!stopping)
            {
                await ChangeAsync(next);
            }
        }
        finally
        {
            operations.Release();
        }
    }

    /// <summary>Stops a module and starts it again.</summary>
    /// <exception cref="ArgumentException">It is not launched here.</exception>
    public async Task RestartModuleAsync(string id, CancellationToken cancellationToken)
    {
        var supervisor = Supervisor(id);
        await operations.WaitAsync(cancellationToken);
        try
        {
            if (stopping)
            {
                return;
            }
            await supervisor.StopAsync();
            await supervisor.StartAsync();
        }
        finally
        {
            operations.Release();
        }
    }

    /// <summary>Kills a module, as a crash would; its restart policy acts. False when it does not run.</summary>
    /// <exception cref="ArgumentException">It is not launched here.</exception>
    public Task<bool> KillAsync(string id) => Supervisor(id).KillAsync();

    /// <summary>The machine that the modules run on has died: kills them all, and starts them when it is there again.</summary>
    /// <param name="isUp">Completes then.</param>
    /// <param name="cancellationToken">Gives up waiting for it.</param>
    public async Task FollowHostDownAsync(Task isUp, CancellationToken cancellationToken)
    {
        await operations.WaitAsync(cancellationToken);
        try
        {
            if (stopping)
            {
                return;
            }
            LogDied(logger);
            await StopAllAsync(kill: true);
            await isUp.WaitAsync(cancellationToken);
            LogBoots(logger);
            await StartAllAsync();
        }
        finally
        {
            operations.Release();
        }
    }

    /// <summary>Stops every module, and ends everything that one of them left behind.</summary>
    public async ValueTask DisposeAsync()
    {
        await operations.WaitAsync(CancellationToken.None);
        try
        {
            if (stopping)
            {
                return;
            }
            stopping = true;
            await StopAllAsync();
        }
        finally
        {
            operations.Release();
        }
        await reboot;
        foreach (var supervisor in supervisors.Values)
        {
            supervisor.Dispose();
        }
    }

    void IModuleEvents.StateChanged(ModuleState state) => Changed?.Invoke(state);

    void IModuleEvents.HostReboots(string moduleId) => reboot = RebootAsync(moduleId);

    private async Task RebootAsync(string moduleId)
    {
        await operations.WaitAsync(CancellationToken.None);
        try
        {
            if (stopping)
            {
                return;
            }
            LogReboots(logger, moduleId);
            await StopAllAsync();
            LogBoots(logger);
            await StartAllAsync();
        }
        finally
        {
            operations.Release();
        }
    }

    private async Task StartAllAsync()
    {
        foreach (var id in plan.Order.Where(supervisors.ContainsKey))
        {
            await supervisors[id].StartAsync();
        }
    }

    private async Task ChangeAsync(ModulePlan next)
    {
        var former = plan;
        var stopped = former.Launches.Keys.Where(id => !next.KeepsRunning(id, former)).ToList();
        LogFollows(logger, stopped.Count == 0 ? "none" : string.Join(", ", stopped));
        await Task.WhenAll(stopped.Select(id => supervisors[id].StopAsync()));
        foreach (var id in stopped.Where(id => !next.Launches.ContainsKey(id)))
        {
            supervisors.Remove(id, out var gone);
            await gone!.EndLeftAsync();
            gone.Dispose();
        }
        plan = next;
        foreach (var id in next.Order.Where(id => next.Launches.ContainsKey(id) && !next.KeepsRunning(id, former)))
        {
            var launch = next.Launches[id];
            await supervisors.GetOrAdd(id, _ => supervise(launch)).StartAsync(launch);
        }
    }

    private async Task StopAllAsync(bool kill = false)
    {
        await Task.WhenAll(supervisors.Values.Select(supervisor => supervisor.StopAsync(kill)));
        foreach (var supervisor in supervisors.Values)
        {
            await supervisor.EndLeftAsync();
        }
        await runtime.EndAllAsync();
    }

    private ModuleSupervisor Supervisor(string id) =>
        supervisors.GetValueOrDefault(id)
        ?? throw new ArgumentException(
            $"Module '{id}' is not launched here; {string.Join(", ", supervisors.Keys)} are."
        );

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Module} reboots the host: stops every module")]
    private static partial void LogReboots(ILogger logger, string module);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The host has died: kills every module")]
    private static partial void LogDied(ILogger logger);

    [LoggerMessage(Level = LogLevel.Information, Message = "The host is up again: starts every module")]
    private static partial void LogBoots(ILogger logger);

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Follows the new deployment; modules stopped for it: {Modules}"
    )]
    private static partial void LogFollows(ILogger logger, string modules);
}
