using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace EdgeDm.Durable;

/// <summary>
/// How a test reaches the failpoints of a process that it started with <c>EDGEDM_FAILPOINTS=folder</c>. Each passage adds one byte to
/// the folder's file <c>&lt;point&gt;</c>, so its length is the count over all lives of the process. A file <c>armed</c> with the content
/// <c>&lt;point&gt; &lt;count&gt;</c> makes the process die by SIGKILL at that passage, once: the file is renamed to <c>fired</c> before.
/// </summary>
public static partial class FailpointFolder
{
    /// <summary>Names the folder; not set outside tests.</summary>
    public const string Variable = "EDGEDM_FAILPOINTS";

    private const string ArmedName = "armed";
    private const string FiredName = "fired";

    private static readonly string? Folder = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } folder
        ? folder
        : null;

    private static readonly Lock Gate = new();

    /// <summary>Arms a point of the processes that use this folder.</summary>
    /// <param name="folder">Theirs; made when it is not there.</param>
    /// <param name="point">One of <see cref="Failpoint.Points"/>.</param>
    /// <param name="passages">Die at this passage from now on; 1 = the next.</param>
    public static void Arm(string folder, string point, long passages = 1)
    {
        Directory.CreateDirectory(folder);
        File.Delete(Path.Combine(folder, FiredName));
        var armed = Path.Combine(folder, ArmedName);
        File.WriteAllText(armed + ".tmp", $"{point} {Count(folder, point) + passages}");
        File.Move(armed + ".tmp", armed, overwrite: true);
    }

    /// <summary>True when a process died at the point that was armed last.</summary>
    public static bool HasFired(string folder) => File.Exists(Path.Combine(folder, FiredName));

    /// <summary>How often a point was passed.</summary>
    public static long Count(string folder, string point) =>
        new FileInfo(Path.Combine(folder, point)) is { Exists: true } file ? file.Length : 0;

    internal static void Pass(string? point)
    {
        if (Folder is null || point is null)
        {
            return;
        }
        long count;
        lock (Gate)
        {
            using var file = new FileStream(
                Path.Combine(Folder, point),
                FileMode.Append,
                FileAccess.Write,
                FileShare.ReadWrite
            );
            file.WriteByte((byte)'.');
            file.Flush();
            count = file.Length;
        }
        if (IsArmed(point, count))
        {
            Die();
        }
    }

    private static bool IsArmed(string point, long count)
    {
        try
        {
            var armed = Path.Combine(Folder!, ArmedName);
            var words = File.ReadAllText(armed).Split(' ');
            if (words[0] != point || count < long.Parse(words[1], CultureInfo.InvariantCulture))
            {
                return false;
            }
            File.Move(armed, Path.Combine(Folder!, FiredName));
            return true;
        }
        catch (FileNotFoundException)
        {
            return false; // Nothing is armed, or another thread was here first.
        }
    }

    private static void Die()
    {
        if (OperatingSystem.IsWindows())
        {
            Process.GetCurrentProcess().Kill();
            return;
        }
        const int SigKill = 9;
        _ = Kill(Environment.ProcessId, SigKill);
        Thread.Sleep(Timeout.Infinite); // The signal is on its way; nothing after this point may run.
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int processId, int signal);
}
