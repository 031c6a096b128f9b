using System.Reflection;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;

namespace EdgeDm.Hosting;

/// <summary>What a program's body gets.</summary>
/// <param name="Loggers">Log lines go to standard output.</param>
/// <param name="Options">The program's environment.</param>
/// <param name="Time">The clock.</param>
/// <param name="Version">The program's version, for example <c>0.1.0</c>.</param>
public sealed record ProgramContext(
    ILoggerFactory Loggers,
    EnvironmentOptions Options,
    TimeProvider Time,
    string Version
);

/// <summary>Exit codes of every EdgeDm program.</summary>
public static class ExitCodes
{
    public const int Success = 0;

    /// <summary>An error that a restart may cure.</summary>
    public const int Failed = 1;

    /// <summary>The configuration is wrong; a restart will not help.</summary>
    public const int Misconfigured = 2;

    /// <summary>The body did not stop within the grace period.</summary>
    public const int StopTimedOut = 3;
}

/// <summary>Runs a program's body: log, signals, graceful stop, exit code.</summary>
public static partial class ModuleProgram
{
    /// <summary>Time from SIGTERM to the end; Docker and edgeAgent kill after 10 s.</summary>
    public static readonly TimeSpan StopGracePeriod = TimeSpan.FromSeconds(9);

    /// <summary>By then a start is over, and what only it needed is given back to the system once.</summary>
    private static readonly TimeSpan StartIsOver = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Runs until the body returns, or until SIGTERM or SIGINT cancels its token and it then returns.
    /// </summary>
    /// <param name="name">For the first log line.</param>
    /// <param name="body">Returns an exit code.</param>
    /// <param name="stopGracePeriod">From the signal to the end; null = <see cref="StopGracePeriod"/>.</param>
    public static async Task<int> RunAsync(
        string name,
        Func<ProgramContext, CancellationToken, Task<int>> body,
        TimeSpan? stopGracePeriod = null
    )
    {
        var grace = stopGracePeriod ?? StopGracePeriod;
        using var stop = new CancellationTokenSource();
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
        using var loggers = Logs.Create(Environment.GetEnvironmentVariable("RuntimeLogLevel"));
        var logger = loggers.CreateLogger(name);
        var version = VersionOf(Assembly.GetEntryAssembly());
        LogStart(logger, name, version, Environment.ProcessId);
        // A program that then waits for hours allocates too little to be collected ever: what its start left would stay resident.
        await using var startIsOver = TimeProvider.System.CreateTimer(
            static _ => GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true),
            null,
            StartIsOver,
            Timeout.InfiniteTimeSpan
        );
        try
        {
            var context = new ProgramContext(loggers, EnvironmentOptions.FromProcess(), TimeProvider.System, version);
            var running = Task.Run(() => body(context, stop.Token), CancellationToken.None);
            await Task.WhenAny(running, Task.Delay(Timeout.Infinite, stop.Token));
            var code = await running.WaitAsync(grace, CancellationToken.None);
            LogStop(logger, name, code);
            return code;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            LogStop(logger, name, ExitCodes.Success);
            return ExitCodes.Success;
        }
        catch (TimeoutException) when (stop.IsCancellationRequested)
        {
            LogStopTimedOut(logger, grace.TotalSeconds);
            return ExitCodes.StopTimedOut;
        }
        catch (MisconfiguredException error)
        {
            LogMisconfigured(logger, error.Message);
            return ExitCodes.Misconfigured;
        }
        catch (Exception error)
        {
            LogFailed(logger, error, name);
            return ExitCodes.Failed;
        }

        void OnSignal(PosixSignalContext context)
        {
            context.Cancel = true;
            stop.Cancel();
        }
    }

    /// <summary>The informational version without the commit's id.</summary>
    public static string VersionOf(Assembly? assembly)
    {
        var version =
            assembly?.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0.0.0";
        var plus = version.IndexOf('+', StringComparison.Ordinal);
        return plus < 0 ? version : version[..plus];
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Name} {Version} starts, process {ProcessId}")]
    private static partial void LogStart(ILogger logger, string name, string version, int processId);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Name} stops with exit code {Code}")]
    private static partial void LogStop(ILogger logger, string name, int code);

    [LoggerMessage(Level = LogLevel.Error, Message = "Did not stop within {Seconds} s; leaving anyway")]
    private static partial void LogStopTimedOut(ILogger logger, double seconds);

    [LoggerMessage(Level = LogLevel.Critical, Message = "Misconfigured: {Message}")]
    private static partial void LogMisconfigured(ILogger logger, string message);

    [LoggerMessage(Level = LogLevel.Critical, Message = "{Name} failed")]
    private static partial void LogFailed(ILogger logger, Exception error, string name);
}
