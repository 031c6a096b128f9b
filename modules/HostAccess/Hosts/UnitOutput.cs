namespace EdgeDm.HostAccess.Hosts;

/// <summary>
/// What a unit writes, bounded: when <c>output.log</c> has 64 KiB it becomes <c>output.previous.log</c> and a new one begins,
/// so the last 64 KiB are always there, also while the unit runs.
/// </summary>
internal static class UnitOutput
{
    /// <summary>Bytes of one file, and the most that is ever read back.</summary>
    public const int Limit = 64 * 1024;

    /// <summary>The file that is written to.</summary>
    public const string Current = "output.log";

    private const string Previous = "output.previous.log";

    /// <summary>
    /// Copies until the end of <paramref name="source"/>, which comes when its last writer has closed it. When the log cannot be
    /// written (a full disk), the rest is read and dropped: the unit must neither stop nor block for its log's sake.
    /// </summary>
    public static void Capture(Stream source, string folder)
    {
        try
        {
            CopyBounded(source, folder);
        }
        catch (IOException)
        {
            source.CopyTo(Stream.Null);
        }
    }

    /// <summary>The last <see cref="Limit"/> bytes as text; what is no UTF-8 is replaced.</summary>
    public static string ReadTail(string folder)
    {
        var bytes = Read(folder, Previous).Concat(Read(folder, Current)).TakeLast(Limit).ToArray();
        return System.Text.Encoding.UTF8.GetString(bytes);
    }

    /// <summary>
    /// For a file that somebody else appends to: when it is over <see cref="Limit"/>, keeps its end as <c>output.previous.log</c> and
    /// empties it. What is written between the two is lost.
    /// </summary>
    public static void CutShort(string folder)
    {
        var path = Path.Combine(folder, Current);
        if (!File.Exists(path) || new FileInfo(path).Length <= Limit)
        {
            return;
        }
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        File.WriteAllBytes(Path.Combine(folder, Previous), End(file));
        file.SetLength(0);
    }

    private static void CopyBounded(Stream source, string folder)
    {
        var buffer = new byte[4096];
        var file = CreateReadable(folder);
        try
        {
            int count;
            while ((count = source.Read(buffer)) > 0)
            {
                if (file.Length + count > Limit)
                {
                    file.Dispose();
                    File.Move(Path.Combine(folder, Current), Path.Combine(folder, Previous), overwrite: true);
                    file = CreateReadable(folder);
                }
                file.Write(buffer.AsSpan(0, count));
                file.Flush();
            }
        }
        finally
        {
            file.Dispose();
        }
    }

    /// <summary>Read while it is written: progress is in there.</summary>
    private static FileStream CreateReadable(string folder) =>
        new(Path.Combine(folder, Current), FileMode.Create, FileAccess.Write, FileShare.Read | FileShare.Delete);

    private static byte[] End(FileStream file)
    {
        file.Position = Math.Max(0, file.Length - Limit);
        var end = new byte[Limit];
        return end[..file.ReadAtLeast(end, Limit, throwOnEndOfStream: false)];
    }

    private static byte[] Read(string folder, string name)
    {
        try
        {
            using var file = new FileStream(
                Path.Combine(folder, name),
                FileMode.Open,
                FileAccess.Read,
                FileShare.ReadWrite | FileShare.Delete
            );
            return End(file);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            return []; // Not yet, or just renamed by its writer.
        }
    }
}
