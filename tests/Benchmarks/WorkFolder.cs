using System.Globalization;

namespace EdgeDm.Benchmarks;

/// <summary>
/// A folder for one run, gone at its end. It lies beside the program and not in <c>/tmp</c>: that may be a memory file system,
/// and then nothing counts as written.
/// </summary>
internal sealed class WorkFolder : IDisposable
{
    private const string Prefix = "work-";

    private readonly DirectoryInfo folder;

    private WorkFolder(DirectoryInfo folder) => this.folder = folder;

    /// <summary>Makes it, and removes what killed runs left.</summary>
    public static WorkFolder Make()
    {
        var home = new DirectoryInfo(AppContext.BaseDirectory);
        foreach (var left in home.EnumerateDirectories(Prefix + "*").Where(found => !IsInUse(found)))
        {
            left.Delete(recursive: true);
        }
        return new(home.CreateSubdirectory($"{Prefix}{Environment.ProcessId}"));
    }

    /// <summary>Makes a folder in it, and returns its path.</summary>
    public string Create(string name) => folder.CreateSubdirectory(name).FullName;

    /// <inheritdoc/>
    public void Dispose() => folder.Delete(recursive: true);

    private static bool IsInUse(DirectoryInfo found) =>
        int.TryParse(found.Name[Prefix.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out var processId)
        && Directory.Exists($"/proc/{processId}");
}
