using System.Globalization;
using System.Runtime.InteropServices;

namespace EdgeDm.HostAccess.Hosts.Simulated;

/// <summary>A process, told apart from a later one with the same id.</summary>
/// <param name="Id">Process id.</param>
/// <param name="StartTime">Start time in clock ticks since boot, field 22 of <c>/proc/[pid]/stat</c>.</param>
internal sealed partial record ProcessIdentity(int Id, long StartTime)
{
    private const int SignalKill = 9;
    private const int SignalTerminate = 15;

    // Counted behind the name, which may hold spaces and parentheses: field 3 is the state, 4 the parent, 22 the start time.
    private const int ParentField = 1;
    private const int StartTimeField = 19;

    /// <summary>The process with this id, or null when there is none.</summary>
    public static ProcessIdentity? Of(int id) =>
        Fields(id) is { } fields ? new(id, long.Parse(fields[StartTimeField], CultureInfo.InvariantCulture)) : null;

    /// <summary>Ids of the processes whose parent is <paramref name="parent"/>.</summary>
    public static IEnumerable<int> ChildrenOf(int parent) =>
        Directory
            .EnumerateDirectories("/proc")
            .Select(folder =>
                int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id)
                    ? id
                    : 0
            )
            .Where(id =>
                id > 0
                && Fields(id) is { } fields
                && int.Parse(fields[ParentField], CultureInfo.InvariantCulture) == parent
            );

    /// <summary>True while exactly this process exists.</summary>
    public bool IsAlive => Of(Id) == this;

    /// <summary>Asks it to end.</summary>
    public void Terminate() => Signal(Id, SignalTerminate);

    /// <summary>Ends it and, as it leads a process group of its own, whatever is still in that group.</summary>
    public void KillGroup()
    {
        if (IsAlive)
        {
            Signal(-Id, SignalKill);
        }
    }

    /// <summary>Ends it.</summary>
    public void Kill() => Signal(Id, SignalKill);

    private void Signal(int target, int signal)
    {
        if (IsAlive)
        {
            _ = SendSignal(target, signal); // It may have ended between the two lines.
        }
    }

    private static string[]? Fields(int id)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{id}/stat");
            return stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int processId, int signal);
}
