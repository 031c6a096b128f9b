using System.Runtime.InteropServices;

namespace EdgeDm.DevHub.Launching;

/// <summary>
/// Makes this process the parent of what its modules leave behind, as a container's init is: so they stay findable, and
/// are reaped when they end. Linux only. For a program whose every child is a module, not for a test runner.
/// </summary>
internal sealed partial class Orphans : IDisposable
{
    /// <summary>Guards <see cref="Children"/>, and reaping against it.</summary>
    public static readonly Lock Gate = new();

    /// <summary>Children that somebody waits for.</summary>
    public static readonly HashSet<int> Children = [];

    private readonly PosixSignalRegistration registration;

    private Orphans() => registration = PosixSignalRegistration.Create(PosixSignal.SIGCHLD, _ => Reap());

    /// <summary>Begins.</summary>
    /// <exception cref="IOException">The kernel refuses.</exception>
    public static Orphans Adopt()
    {
        const int setChildSubreaper = 36; // PR_SET_CHILD_SUBREAPER
        return Control(setChildSubreaper, 1, 0, 0, 0) == 0
            ? new()
            : throw new IOException($"Cannot become a subreaper (errno {Marshal.GetLastPInvokeError()}).");
    }

    /// <inheritdoc/>
    public void Dispose() => registration.Dispose();

    private static void Reap()
    {
        lock (Gate)
        {
            var dead = ProcessTable
                .Read()
                .Where(process =>
                    process.Parent == Environment.ProcessId && !process.IsAlive && !Children.Contains(process.Id)
                );
            foreach (var process in dead)
            {
                const int doNotWait = 1; // WNOHANG
                _ = WaitPid(process.Id, out _, doNotWait);
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "prctl", SetLastError = true)]
    private static partial int Control(int option, nuint a, nuint b, nuint c, nuint d);

    [LibraryImport("libc", EntryPoint = "waitpid")]
    private static partial int WaitPid(int id, out int status, int options);
}
