using Microsoft.Extensions.Logging;

namespace EdgeDm.DevHub.Launching;

/// <summary>Keeps one module running as its restart policy says, and knows its state.</summary>
internal sealed partial class ModuleSupervisor : IDisposable
{
    private readonly IModuleRunner runner;
    private readonly LauncherOptions options;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly IModuleEvents events;
    private readonly ModuleLog log;
    private readonly ModuleOutput output;

    private ModuleLaunch launch;
    private CancellationTokenSource stop = new();
    private Task run = Task.CompletedTask;
    private volatile bool killAtStop;
    private volatile IModuleRun? current;
    private volatile ModuleState state;

    public ModuleSupervisor(
        ModuleLaunch launch,
        IModuleRunner runner,
        LauncherOptions options,
        ModuleConsole console,
        TimeProvider time,
        ILogger logger,
        IModuleEvents events
    )
    {
        this.launch = launch;
        this.runner = runner;
        this.options = options;
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
    /// Starts it, before this completes, and keeps it running. Only after <see cref="StopAsync"/>, or for the first time.
    /// </summary>
    public Task StartAsync()
    {
        stop.Dispose();
        stop = new();
        killAtStop = false;
        var tried = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        run = RunAsync(tried, stop.Token);
        return tried.Task;
    }

    /// <summary>The same in another way, for example of a changed deployment; what the former one left running is still known.</summary>
    public Task StartAsync(ModuleLaunch changed)
    {
        launch = changed;
        return StartAsync();
    }

    /// <summary>
    /// Ends it: SIGTERM, and after the grace period SIGKILL. Ends too what it started and left behind, unless it plays the
    /// host: a host's services outlive the sidecar that asked for them.
    /// </summary>
    /// <param name="kill">SIGKILL at once, as when the host dies.</param>
    public async Task StopAsync(bool kill = false)
    {
        killAtStop = kill;
        await stop.CancelAsync();
        await run;
    }

    /// <summary>Ends what is left of it; after <see cref="StopAsync"/>.</summary>
    public Task EndLeftAsync() => runner.EndLeftAsync();

    /// <summary>Kills it, as a crash does; false when it does not run. Its restart policy then acts.</summary>
    public Task<bool> KillAsync() => current?.SignalAsync(Signal.Kill) ?? Task.FromResult(false);

    /// <inheritdoc/>
    public void Dispose()
    {
        stop.Dispose();
        log.Dispose();
    }

    private async Task RunAsync(TaskCompletionSource tried, CancellationToken cancellationToken)
    {
        var restarts = 0;
        while (!cancellationToken.IsCancellationRequested)
        {
            var started = time.GetTimestamp();
            if (await RunOnceAsync(restarts, tried, cancellationToken) is not { } end)
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
    private async Task<ProcessEnd?> RunOnceAsync(
        int restarts,
        TaskCompletionSource tried,
        CancellationToken cancellationToken
    )
    {
        IModuleRun started;
        try
        {
            started = await runner.StartAsync(launch);
        }
        catch (IOException error)
        {
            LogCannotStart(logger, launch.Id, error.Message);
            SetState(new(launch.Id, "failed", null, null, restarts, error.Message));
            tried.TrySetResult();
            return null;
        }
        current = started;
        LogStarted(logger, launch.Id, started.Container ?? "process", started.ProcessId);
        SetState(
            new(launch.Id, "running", started.ProcessId, state.ExitCode, restarts, "") { Container = started.Container }
        );
        tried.TrySetResult();
        var pump = PumpAsync(started);
        await WaitForEndAsync(started, cancellationToken);
        current = null;
        var end = await started.Ended;
        await runner.SettleAsync(started, launch, pump);
        return end;
    }

    private async Task WaitForEndAsync(IModuleRun started, CancellationToken cancellationToken)
    {
        try
        {
            await started.Ended.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            if (killAtStop)
            {
                await started.SignalAsync(Signal.Kill);
                await started.Ended;
                return;
            }
            await started.SignalAsync(Signal.Terminate);
            try
            {
                await started.Ended.WaitAsync(options.StopGracePeriod, time, CancellationToken.None);
            }
            catch (TimeoutException)
            {
                LogKills(logger, launch.Id, options.StopGracePeriod.TotalSeconds);
                await started.SignalAsync(Signal.Kill);
                await started.Ended;
            }
        }
    }

    private async Task PumpAsync(IModuleRun started)
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

    [LoggerMessage(Level = LogLevel.Information, Message = "{Module} runs as {Kind} {ProcessId}")]
    private static partial void LogStarted(ILogger logger, string module, string kind, int processId);

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
