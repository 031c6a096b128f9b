using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;
using EdgeDm.Durable;
using Microsoft.Extensions.Logging;

namespace EdgeDm.HostAccess.Hosts.Simulated;

/// <summary>How to start a <see cref="UnitRunner"/>: a program and the arguments ahead of the unit's folder.</summary>
public sealed record UnitRunnerCommand(string Program, IReadOnlyList<string> Arguments)
{
    /// <summary>This same program with its hidden sub-command.</summary>
    public static UnitRunnerCommand OfThisProgram()
    {
        var program =
            Environment.ProcessPath ?? throw new InvalidOperationException("The program's path is not known.");
        // Started as 'dotnet EdgeDm.HostAccess.dll', the process is the host and the program its first argument.
        return Path.GetFileNameWithoutExtension(program) == "dotnet"
            ? new(program, [Environment.GetCommandLineArgs()[0], UnitRunner.SubCommand])
            : new(program, [UnitRunner.SubCommand]);
    }
}

/// <summary>Units of the simulated host: child processes with their records in a folder each.</summary>
internal sealed partial class SimulatedUnits : IHostUnits
{
    private static readonly TimeSpan PatienceWithRunner = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(20);

    private readonly string folder;
    private readonly UnitRunnerCommand command;
    private readonly ILogger logger;
    private readonly Lock gate = new();
    private readonly ConcurrentDictionary<string, Thread> runners = new(StringComparer.Ordinal);

    public SimulatedUnits(string folder, UnitRunnerCommand command, ILogger logger)
    {
        this.folder = folder;
        this.command = command;
        this.logger = logger;
        Directory.CreateDirectory(folder);
    }

    public UnitState Start(UnitSpec unit)
    {
        lock (gate)
        {
            var found = Query(unit.Name);
            if (found.Phase != UnitPhase.Missing)
            {
                return found;
            }
            var records = At(unit.Name);
            records.WriteSpec(unit);
            AtomicFile.SyncFolder(folder);
            // Should two runners ever be started for one folder, the records let only one of them begin.
            return StartRunner(unit.Name, records) ? UnitState.Running : new(UnitPhase.Exited, UnitState.ExecFailed);
        }
    }

    public UnitState Query(string name)
    {
        var records = At(name);
        if (records.ReadExit() is { } exit)
        {
            return exit;
        }
        if (records.ReadStarted() is not null)
        {
            return IsHeld(records) ? UnitState.Running : records.ReadExit() ?? UnitState.Interrupted;
        }
        if (!runners.TryGetValue(name, out var runner))
        {
            return UnitState.Missing;
        }
        if (runner.IsAlive)
        {
            return UnitState.Running;
        }
        // It ended; what it wrote last decides, and nothing written means that it could not even begin.
        return records.ReadExit()
            ?? (records.ReadStarted() is null ? new(UnitPhase.Exited, UnitState.ExecFailed) : UnitState.Interrupted);
    }

    public string ReadOutput(string name) => UnitOutput.ReadTail(At(name).Folder);

    public void Remove(string name)
    {
        lock (gate)
        {
            var records = At(name);
            if (Directory.Exists(records.Folder))
            {
                End(records);
                Directory.Delete(records.Folder, recursive: true);
            }
            runners.TryRemove(name, out _);
        }
    }

    public IReadOnlyList<string> List() => [.. Directory.EnumerateDirectories(folder).Select(Path.GetFileName)!];

    /// <summary>The host went down: running units are ended and count as interrupted, those that never began are forgotten.</summary>
    public void EndAll()
    {
        foreach (var name in List())
        {
            var records = At(name);
            if (records.ReadExit() is not null)
            {
                continue;
            }
            End(records);
            if (records.ReadStarted() is null)
            {
                Directory.Delete(records.Folder, recursive: true);
            }
            else if (records.ReadExit() is null)
            {
                records.WriteExit(UnitState.Interrupted);
            }
            LogInterrupted(logger, name);
        }
    }

    private static void End(UnitFolder records)
    {
        if (records.ReadStarted() is not { } runner)
        {
            return;
        }
        runner.Terminate();
        var watch = Stopwatch.StartNew();
        while (IsHeld(records) && watch.Elapsed < PatienceWithRunner)
        {
            Thread.Sleep(LookAgain);
        }
        runner.KillGroup();
        records.ReadProgram()?.KillGroup();
    }

    private bool StartRunner(string name, UnitFolder records)
    {
        try
        {
            var process = SessionProcess.Start(
                command.Program,
                [.. command.Arguments, records.Folder],
                SessionProcess.OwnEnvironment(),
                "/",
                output: null
            );
            var waiter = new Thread(() => SessionProcess.Wait(process)) { IsBackground = true, Name = name };
            waiter.Start();
            runners[name] = waiter;
            return true;
        }
        catch (Win32Exception error)
        {
            LogRunnerFailed(logger, name, error.Message);
            return false;
        }
    }

    private static bool IsHeld(UnitFolder records)
    {
        using var held = records.TryLock();
        return held is null;
    }

    private UnitFolder At(string name) => new(Path.Combine(folder, UnitNames.Require(name)));

    [LoggerMessage(Level = LogLevel.Warning, Message = "The host went down while unit {Unit} ran")]
    private static partial void LogInterrupted(ILogger logger, string unit);

    [LoggerMessage(Level = LogLevel.Error, Message = "The runner of unit {Unit} could not be started: {Reason}")]
    private static partial void LogRunnerFailed(ILogger logger, string unit, string reason);
}
