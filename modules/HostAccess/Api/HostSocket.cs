using System.Text;
using EdgeDm.Hosting;

namespace EdgeDm.HostAccess.Api;

/// <summary>
/// One of the two Unix sockets. The folder it lies in is the right to use it: it is mounted into the modules that have it.
/// </summary>
/// <param name="Name"><c>verbs</c> or <c>inventory</c>, for logs.</param>
/// <param name="Path">The socket.</param>
/// <param name="Callers">User ids that may use it.</param>
/// <param name="MayWrite">Whether it offers verbs, not only reading.</param>
internal sealed record HostSocket(string Name, string Path, IReadOnlyList<uint> Callers, bool MayWrite)
{
    private const string FileName = "host-access.sock";

    private const UnixFileMode OwnFolder =
        UnixFileMode.UserRead
        | UnixFileMode.UserWrite
        | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead
        | UnixFileMode.GroupExecute;

    private const UnixFileMode OwnSocket =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;

    /// <summary>The socket in this folder.</summary>
    /// <exception cref="MisconfiguredException">The path is too long for a socket.</exception>
    public static HostSocket In(string folder, string name, IReadOnlyList<uint> callers, bool mayWrite)
    {
        var path = System.IO.Path.Combine(System.IO.Path.GetFullPath(folder), FileName);
        var length = Encoding.UTF8.GetByteCount(path);
        return length <= UnixHttp.LongestPath
            ? new(name, path, callers, mayWrite)
            : throw new MisconfiguredException(
                $"The socket path '{path}' has {length} bytes; an operating system allows {UnixHttp.LongestPath}. Use a shorter folder."
            );
    }

    /// <summary>Makes the folder and removes a socket that an earlier process left behind.</summary>
    public void Prepare(uint ownUser)
    {
        var folder = System.IO.Path.GetDirectoryName(Path)!;
        if (!Directory.Exists(folder))
        {
            Directory.CreateDirectory(
                folder,
                OwnFolder | (HasForeignCallers(ownUser) ? UnixFileMode.OtherExecute : UnixFileMode.None)
            );
        }
        File.Delete(Path);
    }

    /// <summary>
    /// Sets the socket's mode: 0660, or 0666 when callers of other users are listed, who are then told apart by the kernel's word
    /// for the peer.
    /// </summary>
    public void Open(uint ownUser) =>
        File.SetUnixFileMode(
            Path,
            OwnSocket
                | (HasForeignCallers(ownUser) ? UnixFileMode.OtherRead | UnixFileMode.OtherWrite : UnixFileMode.None)
        );

    private bool HasForeignCallers(uint ownUser) => Callers.Any(caller => caller != ownUser);
}
