using System.IO.Pipes;
using System.Runtime.InteropServices;

namespace EdgeDm.DevHub.Launching;

/// <summary>
/// A child process in a session of its own: it gets no signal of the terminal, and what it starts can be told by that
/// session even after its parent is gone. Its end says whether a signal ended it, which a shell's exit code hides.
/// </summary>
internal sealed partial class SpawnedProcess : IModuleRun
{
    private readonly Lock gate = new();
    private readonly AnonymousPipeServerStream output;
    private readonly TaskCompletionSource<ProcessEnd> end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool reaped;

    private SpawnedProcess(int id, AnonymousPipeServerStream output)
    {
        Id = id;
        this.output = output;
        StartTime = ProcessTable.Find(id)?.StartTime ?? 0;
        // One thread per module, blocked in the kernel: nobody else may wait for this child, and nothing is polled.
        new Thread(Wait, maxStackSize: 128 * 1024) { IsBackground = true, Name = $"waits for {id}" }.Start();
    }

    /// <summary>Its process id; also the id of its session.</summary>
    public int Id { get; }

    /// <inheritdoc/>
    public int ProcessId => Id;

    /// <inheritdoc/>
    public string? Container => null;

    /// <summary>As <see cref="ProcessEntry.StartTime"/>.</summary>
    public long StartTime { get; }

    /// <summary>Standard output and standard error, in the order of writing. Ends when the last process that holds it ends.</summary>
    public Stream Output => output;

    /// <summary>Completes when the process has ended.</summary>
    public Task<ProcessEnd> Ended => end.Task;

    /// <summary>Starts a program.</summary>
    /// <param name="program">Its path.</param>
    /// <param name="arguments">Without the program's name.</param>
    /// <param name="environment">All of its environment.</param>
    /// <exception cref="IOException">It cannot be started.</exception>
    public static SpawnedProcess Start(
        string program,
        IReadOnlyList<string> arguments,
        IReadOnlyDictionary<string, string> environment
    )
    {
        var pipe = new AnonymousPipeServerStream(PipeDirection.In, HandleInheritability.None);
        try
        {
            using var argv = new CStrings([program, .. arguments]);
            using var envp = new CStrings([.. environment.Select(pair => $"{pair.Key}={pair.Value}")]);
            using var setup = new SpawnSetup((int)pipe.ClientSafePipeHandle.DangerousGetHandle());
            // Between the start and the knowledge of its id, nobody may take it for an orphan and reap it.
            lock (Orphans.Gate)
            {
                var error = PosixSpawn(
                    out var id,
                    program,
                    setup.Actions,
                    setup.Attributes,
                    argv.Pointer,
                    envp.Pointer
                );
                if (error != 0)
                {
                    throw new IOException($"Cannot start '{program}': {Marshal.GetPInvokeErrorMessage(error)}.");
                }
                Orphans.Children.Add(id);
                pipe.DisposeLocalCopyOfClientHandle();
                return new(id, pipe);
            }
        }
        catch
        {
            pipe.Dispose();
            throw;
        }
    }

    /// <summary>Sends a signal. False when it has ended already.</summary>
    public bool Signal(Signal signal)
    {
        lock (gate)
        {
            // While it is not reaped its id cannot be another's.
            return !reaped && ProcessTable.Kill(Id, signal);
        }
    }

    /// <inheritdoc/>
    public Task<bool> SignalAsync(Signal signal) => Task.FromResult(Signal(signal));

    /// <inheritdoc/>
    public void Dispose() => output.Dispose();

    private void Wait()
    {
        const int byProcessId = 1; // P_PID
        const int exitedAndLeaveIt = 0x4 | 0x1000000; // WEXITED | WNOWAIT
        const int interrupted = 4; // EINTR
        Span<byte> ignored = stackalloc byte[128];
        while (WaitId(byProcessId, Id, ignored, exitedAndLeaveIt) != 0 && Marshal.GetLastPInvokeError() == interrupted)
        { }
        int status;
        lock (gate)
        {
            while (WaitPid(Id, out status, 0) < 0 && Marshal.GetLastPInvokeError() == interrupted) { }
            reaped = true;
        }
        lock (Orphans.Gate)
        {
            Orphans.Children.Remove(Id);
        }
        var signal = status & 0x7F;
        end.SetResult(signal == 0 ? new(status >> 8 & 0xFF, null) : new(null, signal));
    }

    [LibraryImport("libc", EntryPoint = "posix_spawn", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int PosixSpawn(
        out int id,
        string path,
        nint actions,
        nint attributes,
        nint arguments,
        nint environment
    );

    [LibraryImport("libc", EntryPoint = "waitid", SetLastError = true)]
    private static partial int WaitId(int kind, int id, Span<byte> information, int options);

    [LibraryImport("libc", EntryPoint = "waitpid", SetLastError = true)]
    private static partial int WaitPid(int id, out int status, int options);
}
