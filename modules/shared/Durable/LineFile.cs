namespace EdgeDm.Durable;

/// <summary>
/// A file of lines that is only added to. A process that is killed in the middle of a write leaves a part of its last line, and so
/// does a power cut: the next line must not go on there, or both are lost to whoever reads them.
/// </summary>
public static class LineFile
{
    private const byte EndOfLine = (byte)'\n';

    /// <summary>Opens it to add whole lines, with no buffer; a torn last line is ended first. Its folder must exist.</summary>
    /// <param name="path">The file; made when it is not there.</param>
    /// <param name="share">What others may do with it meanwhile.</param>
    /// <param name="mode">Unix permissions of a new file; null = 0600.</param>
    public static FileStream OpenToAppend(string path, FileShare share, UnixFileMode? mode = null)
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.OpenOrCreate,
            Access = FileAccess.ReadWrite,
            Share = share,
            BufferSize = 0,
        };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = mode ?? (UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
        var file = new FileStream(path, options);
        try
        {
            if (file.Length > 0)
            {
                file.Seek(-1, SeekOrigin.End);
                if (file.ReadByte() != EndOfLine)
                {
                    file.WriteByte(EndOfLine);
                }
            }
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }
}
