using System.ComponentModel;
using System.Diagnostics;
using System.IO.Pipes;
using System.Runtime.InteropServices;
using EdgeDm.Hosting;

namespace EdgeDm.HostAccess.Hosts.Simulated;

/// <summary>
/// The process around one simulated unit: what systemd is to a transient unit. Runs its program once, ends it and all that it
/// left behind when it exits or its time is over, and records how it ended. Survives HostAccess.
/// </summary>
public static class UnitRunner
{
    /// <summary>HostAccess's hidden sub-command: <c>run-unit &lt;folder&gt;</c>.</summary>
    public const string SubCommand = "run-unit";

    private static readonly TimeSpan LongestSweep = TimeSpan.FromSeconds(10);

    /// <summary>Runs the unit in this folder, unless it was ever started.</summary>
    /// <returns>An exit code; 0 also when there was nothing to do.</returns>
    public static int Run(string folder)
    {
        var records = new UnitFolder(Path.GetFullPath(folder));
        if (!Directory.Exists(records.Folder))
        {
            return ExitCodes.Success; // The unit was removed before it started.
        }
        using var held = records.TryLock();
        if (held is null || records.ReadStarted() is not null || records.ReadExit() is not null)
        {
            return ExitCodes.Success; // Another runner was first.
        }
        if (records.ReadSpec() is not { } unit)
        {
            return ExitCodes.Misconfigured;
        }
        SessionProcess.AdoptOrphans();
        records.WriteStarted(ProcessIdentity.Of(Environment.ProcessId)!);
        records.WriteExit(RunProgram(unit, records));
        return ExitCodes.Success;
    }

    private static UnitState RunProgram(UnitSpec unit, UnitFolder records)
    {
        using var ended = new ManualResetEventSlim();
        using var stop = new ManualResetEventSlim();
        using var terminate = PosixSignalRegistration.Create(
            PosixSignal.SIGTERM,
            context =>
            {
                context.Cancel = true;
                stop.Set();
            }
        );
        using var pipe = new AnonymousPipeServerStream(PipeDirection.In);
        int program;
        try
        {
            program = SessionProcess.Start(
                unit.Program,
                unit.Arguments,
                unit.Environment,
                unit.WorkingFolder,
                pipe.ClientSafePipeHandle
            );
        }
        catch (Win32Exception error)
        {
            File.WriteAllText(Path.Combine(records.Folder, "output.log"), error.Message);
            return new(UnitPhase.Exited, UnitState.ExecFailed);
        }
        pipe.DisposeLocalCopyOfClientHandle();
        if (ProcessIdentity.Of(program) is { } identity)
        {
            records.WriteProgram(identity);
        }
        var output = StartThread(() => UnitOutput.Capture(pipe, records.Folder));
        var exitCode = 0;
        var waiter = StartThread(() =>
        {
            exitCode = SessionProcess.Wait(program);
            ended.Set();
        });
        var first = WaitHandle.WaitAny([ended.WaitHandle, stop.WaitHandle], unit.TimeLimit);
        if (first != 0)
        {
            ProcessIdentity.Of(program)?.KillGroup();
        }
        waiter.Join();
        EndDescendants();
        output.Join();
        return first switch
        {
            0 => new(UnitPhase.Exited, exitCode),
            WaitHandle.WaitTimeout => UnitState.TimedOut,
            _ => UnitState.Interrupted,
        };
    }

    /// <summary>
    /// Ends what the program left behind. Orphans become this process's children, so the round is repeated until none is left.
    /// </summary>
    private static void EndDescendants()
    {
        var watch = Stopwatch.StartNew();
        while (watch.Elapsed < LongestSweep)
        {
            var children = ProcessIdentity.ChildrenOf(Environment.ProcessId).ToList();
            if (children.Count == 0)
            {
                return;
            }
            children.ForEach(child => ProcessIdentity.Of(child)?.Kill());
            while (SessionProcess.ReapAny()) { }
            Thread.Yield();
        }
    }

    private static Thread StartThread(ThreadStart body)
    {
        var thread = new Thread(body) { IsBackground = true };
        thread.Start();
        return thread;
    }
}
