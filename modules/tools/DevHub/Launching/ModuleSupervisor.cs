using EdgeDm.DevHub.Deployment;
using Microsoft.Extensions.Logging;

namespace EdgeDm.DevHub.Launching;

/// <summary>Keeps one module running as its restart policy says, and knows its state.</summary>
internal sealed partial class ModuleSupervisor : IDisposable
{
    private static readonly TimeSpan LongestOutputWait = TimeSpan.FromSeconds(1);

    private readonly LauncherOptions options;
    private readonly LaunchRecord record;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly IModuleEvents events;
    private readonly ModuleLog log;
    private readonly ModuleOutput output;
    private readonly List<ProcessEntry> survivors = [];

    private ModuleLaunch launch;
    private CancellationTokenSource stop = new();
    private Task run = Task.CompletedTask;
    private volatile SpawnedProcess? process;
    private volatile ModuleState state;

    public ModuleSupervisor(
        ModuleLaunch launch,
        LauncherOptions options,
        LaunchRecord record,
        ModuleConsole console,
        TimeProvider time,
        ILogger logger,
        IModuleEvents events
    )
    {
        this.launch = launch;
        this.options = options;
        this.record = record;
        this.time = time;
        this.logger = logger;
        this.events = events;
        log = new(Path.Combine(options.DataFolder, "logs", launch.Id + ".log"), options.LargestLog);
        output = new(launch.Id, log, console);
        state = new(launch.Id, "stopped", null, null, 0, "");
    }

    /// <summary>A snapshot.</summary>
    public ModuleState State => state;

    /// <summary>
    /// Starts it, before this returns, and keeps it running. Only after <see cref="StopAsync"/>, or for the first time.
    /// </summary>
    public void Start()
    {
        stop.Dispose();
        stop = new();
        run = RunAsync(stop.Token);
    }

    /// <summary>The same in another way, for example of a changed deployment; what the former one left running is still known.</summary>
    public void Start(ModuleLaunch changed)
    {
        launch = changed;
        Start();
    }

    /// <summary>
    /// Ends it: SIGTERM, and after the grace period SIGKILL. Ends too what it started and left behind, unless it plays the
    /// host: a host's services outlive the sidecar that asked for them.
    /// </summary>
    public async Task StopAsync()
    {
        await stop.CancelAsync();
        await run;
    }

    /// <summary>Ends what it left running; after <see cref="StopAsync"/>.</summary>
    public async Task EndSurvivorsAsync()
    {
        await EndFamilyAsync(survivors.Select(survivor => survivor.Session).ToHashSet());
        survivors.Clear();
        Note();
    }

    /// <summary>Kills its process, as a crash does; false when there is none. Its restart policy then acts.</summary>
    public bool Kill() => process?.Signal(Signal.Kill) ?? false;

    /// <inheritdoc/>
    public void Dispose()
    {
        stop.Dispose();
        log.Dispose();
    }

    private async Task RunAsync(CancellationToken cancellationToken)
    {
        var restarts = 0;
        while (!cancellationToken.IsCancellationRequested)
        {
            var started = time.GetTimestamp();
            if (await RunOnceAsync(restarts, cancellationToken) is not { } end)
            {
                return;
            }
            if (cancellationToken.IsCancellationRequested)
            {
                SetState("stopped", end, restarts, "");
                return;
            }
            if (launch.HostRebootExitCode is { } code && end.ExitCode == code)
            {
                SetState("stopped", end, restarts, "reboots the host");
                events.HostReboots(launch.Id);
                return;
            }
            restarts = time.GetElapsedTime(started) >= options.Backoff.ResetAfter ? 0 : restarts;
            if (!await WaitForRestartAsync(end, restarts, cancellationToken))
            {
                return;
            }
            restarts++;
        }
    }

    // Null: it cannot be started at all.
    private async Task<ProcessEnd?> RunOnceAsync(int restarts, CancellationToken cancellationToken)
    {
        SpawnedProcess started;
        try
        {
            started = SpawnedProcess.Start(launch.Program, launch.Arguments, launch.Environment);
        }
        catch (IOException error)
        {
            LogCannotStart(logger, launch.Id, error.Message);
            SetState(new(launch.Id, "failed", null, null, restarts, error.Message));
            return null;
        }
        process = started;
        Note();
        LogStarted(logger, launch.Id, started.Id);
        SetState(new(launch.Id, "running", started.Id, state.ExitCode, restarts, ""));
        var pump = PumpAsync(started);
        await WaitForEndAsync(started, cancellationToken);
        process = null;
        var end = await started.Ended;
        await SettleAsync(started, pump);
        return end;
    }

    private async Task WaitForEndAsync(SpawnedProcess started, CancellationToken cancellationToken)
    {
        try
        {
            await started.Ended.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            started.Signal(Signal.Terminate);
            try
            {
                await started.Ended.WaitAsync(options.StopGracePeriod, time, CancellationToken.None);
            }
            catch (TimeoutException)
            {
                LogKills(logger, launch.Id, options.StopGracePeriod.TotalSeconds);
                started.Signal(Signal.Kill);
                await started.Ended;
            }
        }
    }

    // What it left behind keeps its output open, so the pump may go on after its end.
    private async Task SettleAsync(SpawnedProcess ended, Task pump)
    {
        var session = new HashSet<int> { ended.Id };
        if (launch.HostRebootExitCode is null)
        {
            await EndFamilyAsync(session);
            // Its last lines before its state; but a process that left its session may hold the output open for ever.
            await Task.WhenAny(pump, Task.Delay(LongestOutputWait, CancellationToken.None));
        }
        else
        {
            survivors.RemoveAll(survivor => ProcessTable.Find(survivor.Id)?.StartTime != survivor.StartTime);
            survivors.AddRange(ProcessTable.Family(session, session));
        }
        Note();
    }

    private async Task EndFamilyAsync(HashSet<int> sessions)
    {
        if (sessions.Count == 0)
        {
            return;
        }
        foreach (var left in await ProcessTable.KillAllAsync(() => ProcessTable.Family(sessions, sessions)))
        {
            LogDoesNotDie(logger, left.Id, launch.Id);
        }
    }

    private async Task PumpAsync(SpawnedProcess started)
    {
        try
        {
            await output.PumpAsync(started.Output);
        }
        catch (IOException error)
        {
            LogOutputLost(logger, launch.Id, error.Message);
        }
        finally
        {
            started.Dispose();
        }
    }

    private async Task<bool> WaitForRestartAsync(ProcessEnd end, int restarts, CancellationToken cancellationToken)
    {
        if (!RestartBackoff.Wants(launch.RestartPolicy, end))
        {
            SetState(end.ExitCode == 0 ? "stopped" : "failed", end, restarts, "");
            LogEnded(logger, launch.Id, end);
            return false;
        }
        if (restarts >= options.Backoff.MostRestarts)
        {
            SetState("failed", end, restarts, $"given up after {restarts} restarts");
            LogGivenUp(logger, launch.Id, end, restarts);
            return false;
        }
        var wait = options.Backoff.Wait(restarts);
        SetState("backoff", end, restarts, $"starts again after {wait.TotalSeconds} s");
        LogStartsAgain(logger, launch.Id, end, wait.TotalSeconds);
        try
        {
            await Task.Delay(wait, time, cancellationToken);
            return true;
        }
        catch (OperationCanceledException)
        {
            SetState("stopped", end, restarts, "");
            return false;
        }
    }

    private void SetState(string status, ProcessEnd end, int restarts, string description) =>
        SetState(new(launch.Id, status, null, end.ShellCode, restarts, description));

    private void SetState(ModuleState next)
    {
        state = next;
        events.StateChanged(next);
    }

    private void Note() =>
        record.Set(
            launch.Id,
            [
                .. survivors.Select(survivor => new LaunchedProcess(survivor.Id, survivor.StartTime)),
                .. process is { } now ? [new LaunchedProcess(now.Id, now.StartTime)] : Array.Empty<LaunchedProcess>(),
            ]
        );

    [LoggerMessage(Level = LogLevel.Information, Message = "{Module} runs as process {ProcessId}")]
    private static partial void LogStarted(ILogger logger, string module, int processId);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Module} cannot be started: {Reason}")]
    private static partial void LogCannotStart(ILogger logger, string module, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Module} ended with {End} and stays so")]
    private static partial void LogEnded(ILogger logger, string module, ProcessEnd end);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Module} ended with {End}; starts again after {Seconds} s")]
    private static partial void LogStartsAgain(ILogger logger, string module, ProcessEnd end, double seconds);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Module} ended with {End}; given up after {Restarts} restarts")]
    private static partial void LogGivenUp(ILogger logger, string module, ProcessEnd end, int restarts);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Module} did not stop within {Seconds} s; kills it")]
    private static partial void LogKills(ILogger logger, string module, double seconds);

    [LoggerMessage(Level = LogLevel.Error, Message = "Process {ProcessId} of {Module} cannot be killed")]
    private static partial void LogDoesNotDie(ILogger logger, int processId, string module);

    [LoggerMessage(Level = LogLevel.Error, Message = "The output of {Module} cannot be kept any more: {Reason}")]
    private static partial void LogOutputLost(ILogger logger, string module, string reason);
}

/// <summary>What a supervisor tells.</summary>
internal interface IModuleEvents
{
    /// <summary>The module's state is another one.</summary>
    void StateChanged(ModuleState state);

    /// <summary>The module that plays the host has ended to reboot it. Must not wait for that module.</summary>
    void HostReboots(string moduleId);
}

/// <summary>What is started for a module.</summary>
/// <param name="Id">The module.</param>
/// <param name="Program">Path of the program.</param>
/// <param name="Arguments">Its arguments.</param>
/// <param name="Environment">All of its environment.</param>
/// <param name="RestartPolicy">When it is started again.</param>
/// <param name="HostRebootExitCode">It plays the host: with this exit code the host reboots.</param>
internal sealed record ModuleLaunch(
    string Id,
    string Program,
    IReadOnlyList<string> Arguments,
    IReadOnlyDictionary<string, string> Environment,
    RestartPolicy RestartPolicy,
    int? HostRebootExitCode
);
