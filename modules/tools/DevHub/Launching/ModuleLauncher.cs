using EdgeDm.DevHub.Deployment;
using EdgeDm.Hosting;
using Microsoft.Extensions.Logging;

namespace EdgeDm.DevHub.Launching;

/// <summary>Runs a deployment's modules as processes, as edgeAgent runs them as containers. Linux only.</summary>
public sealed partial class ModuleLauncher : IModuleStates, IModuleEvents, IAsyncDisposable
{
    /// <summary>
    /// Label in <c>createOptions</c> of the module that plays the host. When it ends with this exit code, every module ends,
    /// as at a power cut of the host, and starts again.
    /// </summary>
    public const string HostRebootLabel = "net.edgedm.devhub.host-reboot-exit-code";

    private readonly LauncherOptions options;
    private readonly ILogger logger;
    private readonly SemaphoreSlim operations = new(1);
    private readonly LaunchRecord record;
    private readonly List<string> order = [];
    private readonly Dictionary<string, ModuleSupervisor> supervisors = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ModuleState> others = new(StringComparer.Ordinal);
    private Task reboot = Task.CompletedTask;
    private bool stopping;

    /// <summary>Prepares the modules; nothing runs yet.</summary>
    /// <param name="manifest">The deployment.</param>
    /// <param name="programs">Their programs.</param>
    /// <param name="environment">Their environment.</param>
    /// <param name="options">How they are launched.</param>
    /// <param name="console">Shows what they write.</param>
    /// <param name="time">Measures waits.</param>
    /// <param name="loggers">Told what happens to them.</param>
    /// <exception cref="MisconfiguredException">A module cannot be launched, whatever happens later.</exception>
    public ModuleLauncher(
        DeploymentManifest manifest,
        ModulePrograms programs,
        ModuleEnvironment environment,
        LauncherOptions options,
        ModuleConsole console,
        TimeProvider time,
        ILoggerFactory loggers
    )
    {
        this.options = options;
        logger = loggers.CreateLogger<ModuleLauncher>();
        record = new(options.DataFolder, logger);
        RequireKnown(options.Except, manifest);
        foreach (var module in manifest.Modules)
        {
            order.Add(module.Id);
            if (options.Except.Contains(module.Id))
            {
                others[module.Id] = new(module.Id, "unknown", null, null, 0, "left to be started by hand");
            }
            else if (!module.IsWanted)
            {
                others[module.Id] = new(module.Id, "stopped", null, null, 0, "the deployment wants it stopped");
            }
            else if (Launch(module, programs, environment) is { } launch)
            {
                supervisors[module.Id] = new(launch, options, record, console, time, logger, this);
            }
        }
    }

    /// <summary>Told after a module's state changed, on any thread.</summary>
    public event Action<ModuleState>? Changed;

    /// <summary>Ends what an earlier, killed dev hub with this data folder left running. Before the hub serves anybody.</summary>
    public static Task EndLeftoversAsync(string dataFolder, ILogger logger) =>
        new LaunchRecord(dataFolder, logger).EndLeftoversAsync();

    /// <summary>Starts the modules in their order.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await operations.WaitAsync(cancellationToken);
        try
        {
            StartAll();
        }
        finally
        {
            operations.Release();
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<ModuleState> List() => [.. order.Select(StateOf)];

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
            supervisor.Start();
        }
        finally
        {
            operations.Release();
        }
    }

    /// <summary>Kills a module's process, as a crash would; its restart policy acts. False when it does not run.</summary>
    /// <exception cref="ArgumentException">It is not launched here.</exception>
    public bool Kill(string id) => Supervisor(id).Kill();

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
            StartAll();
        }
        finally
        {
            operations.Release();
        }
    }

    private void StartAll()
    {
        foreach (var id in order.Where(supervisors.ContainsKey))
        {
            supervisors[id].Start();
        }
    }

    private async Task StopAllAsync()
    {
        await Task.WhenAll(supervisors.Values.Select(supervisor => supervisor.StopAsync()));
        foreach (var supervisor in supervisors.Values)
        {
            await supervisor.EndSurvivorsAsync();
        }
        if (options.OwnsAllChildren)
        {
            var self = new HashSet<int> { Environment.ProcessId };
            var left = await ProcessTable.KillAllAsync(() =>
                [.. ProcessTable.Family(new HashSet<int>(), self).Where(process => !self.Contains(process.Id))]
            );
            foreach (var process in left)
            {
                LogDoesNotDie(logger, process.Id);
            }
        }
    }

    private ModuleLaunch? Launch(ModuleDeployment module, ModulePrograms programs, ModuleEnvironment environment)
    {
        try
        {
            var variables = HostEnvironment.PassedThrough();
            foreach (var (name, value) in environment.Of(module))
            {
                variables[name] = value;
            }
            return new(
                module.Id,
                programs.Find(module),
                module.CreateOptions.Cmd,
                variables,
                module.RestartPolicy,
                HostRebootExitCode(module)
            );
        }
        catch (FileNotFoundException error)
        {
            // The others may be of use without it.
            LogCannotLaunch(logger, module.Id, error.Message);
            others[module.Id] = new(module.Id, "failed", null, null, 0, error.Message);
            return null;
        }
        catch (ArgumentException error)
        {
            throw new MisconfiguredException($"Module {module.Id}: {error.Message}");
        }
    }

    private static int? HostRebootExitCode(ModuleDeployment module)
    {
        if (!module.CreateOptions.Labels.TryGetValue(HostRebootLabel, out var text))
        {
            return null;
        }
        return int.TryParse(text, out var code) && code is > 0 and < 256
            ? code
            : throw new ArgumentException(
                $"its label {HostRebootLabel} is '{text}' and must be a number from 1 to 255."
            );
    }

    private static void RequireKnown(IEnumerable<string> ids, DeploymentManifest manifest)
    {
        if (ids.FirstOrDefault(id => manifest.Find(id) is null) is { } unknown)
        {
            throw new MisconfiguredException(
                $"The deployment has no module '{unknown}'. It has {string.Join(", ", manifest.Modules.Select(module => module.Id))}."
            );
        }
    }

    private ModuleState StateOf(string id) =>
        supervisors.TryGetValue(id, out var supervisor) ? supervisor.State : others[id];

    private ModuleSupervisor Supervisor(string id) =>
        supervisors.GetValueOrDefault(id)
        ?? throw new ArgumentException(
            $"Module '{id}' is not launched here; {string.Join(", ", supervisors.Keys)} are."
        );

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Module} reboots the host: stops every module")]
    private static partial void LogReboots(ILogger logger, string module);

    [LoggerMessage(Level = LogLevel.Information, Message = "The host is up again: starts every module")]
    private static partial void LogBoots(ILogger logger);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Module} cannot be launched: {Reason}")]
    private static partial void LogCannotLaunch(ILogger logger, string module, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "Process {ProcessId} cannot be killed")]
    private static partial void LogDoesNotDie(ILogger logger, int processId);
}
