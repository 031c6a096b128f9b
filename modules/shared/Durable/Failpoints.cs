using System.Diagnostics;
using System.Runtime.InteropServices;

namespace EdgeDm.Durable;

/// <summary>
/// Named places where a test kills the process, as a power cut would. <c>EDGEDM_FAILPOINT=name</c> or <c>name:n</c>
/// (the n-th time it is passed) in the environment arms one; without it a passage costs one comparison.
/// </summary>
public static partial class Failpoints
{
    private static readonly string? Armed = Parse(out Remaining);
    private static int Remaining;

    /// <summary>Dies here by SIGKILL when this point is armed.</summary>
    /// <param name="name">Lower-case words, parted by dots: what is about to happen or has just happened.</param>
    public static void Pass(string name)
    {
        if (
            Armed is not null
            && string.Equals(Armed, name, StringComparison.Ordinal)
            && Interlocked.Decrement(ref Remaining) == 0
        )
        {
            Die();
        }
    }

    private static string? Parse(out int count)
    {
        count = 1;
        var value = Environment.GetEnvironmentVariable("EDGEDM_FAILPOINT");
        if (string.IsNullOrEmpty(value))
        {
            return null;
        }
        var colon = value.LastIndexOf(':');
        if (colon > 0 && int.TryParse(value.AsSpan(colon + 1), out var given) && given > 0)
        {
            count = given;
            return value[..colon];
        }
        return value;
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
