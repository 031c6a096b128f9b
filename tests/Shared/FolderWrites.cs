namespace EdgeDm.Testing;

/// <summary>
/// Counts what is written into a folder. Every file that was seen gets an old time, so a newer one is a write. A file that is written
/// twice between two looks counts once.
/// </summary>
internal sealed class FolderWrites
{
    private const int Page = 4096;
    private static readonly DateTime Seen = new(2000, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    private readonly string[] folders;

    /// <summary>Counts from now on.</summary>
    public FolderWrites(params string[] folders)
    {
        this.folders = folders;
        Look();
        Files.Clear();
        Bytes = 0;
    }

    /// <summary>Names of the files, once for each write.</summary>
    public List<string> Files { get; } = [];

    /// <summary>Whole pages, as the disk gets them.</summary>
    public long Bytes { get; private set; }

    /// <summary>Finds what was written since the last look.</summary>
    public FolderWrites Look()
    {
        foreach (
            var file in folders
                .Select(folder => new DirectoryInfo(folder))
                .SelectMany(folder => folder.EnumerateFiles("*", SearchOption.AllDirectories))
                .Where(file => file.LastWriteTimeUtc != Seen)
        )
        {
            Files.Add(file.Name);
            Bytes += (file.Length + Page - 1) / Page * Page;
            file.LastWriteTimeUtc = Seen;
        }
        return this;
    }
}
