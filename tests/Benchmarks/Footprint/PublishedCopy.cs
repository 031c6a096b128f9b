namespace EdgeDm.Benchmarks.Footprint;

/// <summary>
/// Published programs once more, as other files: the kernel shares a file's pages among all who map it, and a share that another
/// process of this machine takes would make what is measured look smaller than it is on a gateway.
/// </summary>
internal sealed class PublishedCopy
{
    private PublishedCopy(string folder) => Folder = folder;

    /// <summary>Holds the programs.</summary>
    public string Folder { get; }

    /// <summary>Copies what <c>scripts/publish</c> made of a project.</summary>
    /// <param name="project">For example <c>modules/Gateway</c>.</param>
    /// <param name="folder">An empty folder.</param>
    /// <exception cref="BenchException">It is not published.</exception>
    public static PublishedCopy Make(string project, string folder)
    {
        foreach (var file in Directory.EnumerateFiles(Built.Published(project)))
        {
            // Keeps the mode, and so what may be executed.
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        }
        return new(folder);
    }

    /// <summary>Refuses to measure what does not run from the copy.</summary>
    /// <exception cref="BenchException">It does not.</exception>
    public void RequireUsedBy(int processId)
    {
        var isUsed = File.ReadLines($"/proc/{processId}/maps")
            .Any(line => line.Contains(Folder, StringComparison.Ordinal));
        if (!isUsed)
        {
            throw new BenchException($"Process {processId} does not run from {Folder}.");
        }
    }
}
