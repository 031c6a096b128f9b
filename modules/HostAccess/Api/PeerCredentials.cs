using System.Buffers.Binary;
using System.Net.Sockets;
using EdgeDm.HostAccess.Audit;

namespace EdgeDm.HostAccess.Api;

/// <summary>Who is at the other end of a Unix socket, by the kernel's word (<c>SO_PEERCRED</c>, unix(7)).</summary>
internal static class PeerCredentials
{
    private const int SocketLevel = 1;
    private const int PeerCredential = 17;

    /// <summary>The process that connected. Throws <see cref="SocketException"/> when the kernel does not tell.</summary>
    public static Caller Of(Socket socket)
    {
        // struct ucred { pid_t pid; uid_t uid; gid_t gid; } in the machine's byte order; all machines of ours are little-endian.
        Span<byte> credentials = stackalloc byte[12];
        socket.GetRawSocketOption(SocketLevel, PeerCredential, credentials);
        return new(
            BinaryPrimitives.ReadUInt32LittleEndian(credentials[4..]),
            BinaryPrimitives.ReadInt32LittleEndian(credentials)
        );
    }
}
