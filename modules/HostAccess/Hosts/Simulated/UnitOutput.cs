namespace EdgeDm.HostAccess.Hosts.Simulated;

/// <summary>
/// What a unit writes, bounded: when <c>output.log</c> has 64 KiB it becomes <c>output.previous.log</c> and a new one begins,
/// so the last 64 KiB are always there, also while the unit runs.
/// </summary>
internal static class UnitOutput
{
    /// <summary>Bytes of one file, and the most that is ever read back.</summary>
    public const int Limit = 64 * 1024;

    private const string Current = "output.log";
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

    private static void CopyBounded(Stream source, string folder)
    {
        var buffer = new byte[4096];
        var file = File.Create(Path.Combine(folder, Current));
        try
        {
            int count;
            while ((count = source.Read(buffer)) > 0)
            {
                if (file.Length + count > Limit)
                {
                    file.Dispose();
                    File.Move(Path.Combine(folder, Current), Path.Combine(folder, Previous), overwrite: true);
                    file = File.Create(Path.Combine(folder, Current));
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

    private static byte[] Read(string folder, string name)
    {
        var path = Path.Combine(folder, name);
        return File.Exists(path) ? File.ReadAllBytes(path) : [];
    }
}
