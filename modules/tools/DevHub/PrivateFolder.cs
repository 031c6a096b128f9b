using System.Runtime.InteropServices;

namespace EdgeDm.DevHub;

/// <summary>Folders that hold keys or sockets and are nobody else's business.</summary>
public static partial class PrivateFolder
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Makes the folder with mode 0700, or gives an existing one that mode.</summary>
    public static void Create(string path)
    {
        Directory.CreateDirectory(path, OwnerOnly);
        File.SetUnixFileMode(path, OwnerOnly);
    }

    /// <summary>
    /// The same in a place where all may write. There a name that can be foretold may have been taken by another user,
    /// or be a link.
    /// </summary>
    /// <exception cref="IOException">It is not ours.</exception>
    public static void Claim(string path)
    {
        Directory.CreateDirectory(path, OwnerOnly);
        if (new DirectoryInfo(path).LinkTarget is not null || OwnerOf(path) != GetEffectiveUserId())
        {
            throw new IOException($"'{path}' belongs to somebody else. Remove it, or use another data folder.");
        }
        File.SetUnixFileMode(path, OwnerOnly);
    }

    /// <summary>The effective user of this process.</summary>
    public static uint UserId => GetEffectiveUserId();

    private static uint OwnerOf(string path)
    {
        const int currentFolder = -100; // AT_FDCWD
        const int doNotFollow = 0x100; // AT_SYMLINK_NOFOLLOW
        const uint userId = 0x8; // STATX_UID
        const int userIdOffset = 20; // struct statx is the same on every architecture.
        Span<byte> result = stackalloc byte[256];
        return Statx(currentFolder, path, doNotFollow, userId, result) == 0
            ? MemoryMarshal.Read<uint>(result[userIdOffset..])
            : throw new IOException($"Cannot look at '{path}' (errno {Marshal.GetLastPInvokeError()}).");
    }

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint GetEffectiveUserId();

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int folder, string path, int flags, uint mask, Span<byte> result);
}
