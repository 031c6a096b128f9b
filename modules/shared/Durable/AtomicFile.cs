using System.Runtime.InteropServices;

namespace EdgeDm.Durable;

/// <summary>
/// A file that is either the old or the new one, whatever happens: temporary file, fsync, rename, fsync of the folder.
/// </summary>
public static partial class AtomicFile
{
    private const string TemporarySuffix = ".tmp";

    /// <summary>
    /// Replaces <paramref name="path"/>. When this returns, the content is on disk. Throws <see cref="IOException"/>
    /// (also for a full disk) with the old file in place.
    /// </summary>
    /// <param name="path">The file. Its folder must exist.</param>
    /// <param name="content">The new content.</param>
    /// <param name="failpoint">Passed ahead of the rename and behind it; null where a kill needs no test of its own.</param>
    /// <param name="mode">Unix permissions of the file; null = 0600.</param>
    public static void Write(string path, ReadOnlySpan<byte> content, Failpoint? failpoint, UnixFileMode? mode = null)
    {
        var temporary = path + TemporarySuffix;
        try
        {
            using (var file = OpenNew(temporary, mode ?? (UnixFileMode.UserRead | UnixFileMode.UserWrite)))
            {
                file.Write(content);
                file.Flush(flushToDisk: true);
            }
            failpoint?.Before();
            File.Move(temporary, path, overwrite: true);
            SyncFolder(Path.GetDirectoryName(Path.GetFullPath(path))!);
            failpoint?.After();
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>Removes a file for good. No error when it is not there.</summary>
    public static void Delete(string path, Failpoint? failpoint)
    {
        failpoint?.Removing();
        if (File.Exists(path))
        {
            File.Delete(path);
            SyncFolder(Path.GetDirectoryName(Path.GetFullPath(path))!);
        }
        failpoint?.Removed();
    }

    /// <summary>Makes a folder's entries (creations, renames, removals) durable. Windows journals them itself.</summary>
    public static void SyncFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }
        // .NET refuses to open a folder as a file, so this takes the system calls.
        // Not O_DIRECTORY: its number is O_DIRECT's on Arm, where no folder opens with it.
        const int ReadOnlyCloseOnExec = 0x80000;
        var descriptor = Open(folder, ReadOnlyCloseOnExec);
        if (descriptor < 0)
        {
            throw new IOException(
                $"Cannot open folder '{folder}' to synchronise it (errno {Marshal.GetLastPInvokeError()})."
            );
        }
        try
        {
            if (Fsync(descriptor) != 0)
            {
                throw new IOException($"Cannot synchronise folder '{folder}' (errno {Marshal.GetLastPInvokeError()}).");
            }
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    private static FileStream OpenNew(string path, UnixFileMode mode)
    {
        File.Delete(path); // A leftover could carry other permissions.
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            BufferSize = 0,
        };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = mode;
        }
        return new FileStream(path, options);
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Fsync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
