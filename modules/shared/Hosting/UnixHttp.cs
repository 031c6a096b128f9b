using System.Net.Sockets;
using System.Text;

namespace EdgeDm.Hosting;

/// <summary>
/// HTTP over a Unix domain socket, for example to the HostAccess sidecar. The connection is made anew whenever the other
/// side restarted, so one client serves for the life of a program.
/// </summary>
public static class UnixHttp
{
    /// <summary>The scheme of an endpoint: <c>unix:/run/edgedm/verbs/host-access.sock</c>.</summary>
    public const string Scheme = "unix";

    /// <summary><c>sun_path</c> holds 108 bytes, the last one is the terminator.</summary>
    public const int LongestPath = 107;

    /// <summary>A socket on the same machine answers at once or not at all.</summary>
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Makes the client; nothing is connected yet. Requests name paths only (<c>/v1/inventory</c>). A socket that is not
    /// there ends a request with <see cref="HttpRequestException"/>.
    /// </summary>
    /// <param name="endpoint">See <see cref="PathOf"/>.</param>
    /// <param name="timeout">Of one whole request, answer included; null = 100 s.</param>
    /// <exception cref="MisconfiguredException">The endpoint is none.</exception>
    public static HttpClient CreateClient(string endpoint, TimeSpan? timeout = null)
    {
        var address = new UnixDomainSocketEndPoint(PathOf(endpoint));
        var handler = new SocketsHttpHandler
        {
            // A proxy of the environment is for the network, never for a local socket.
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            ConnectTimeout = ConnectTimeout,
            ConnectCallback = async (_, cancel) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                try
                {
                    await socket.ConnectAsync(address, cancel);
                    return new NetworkStream(socket, ownsSocket: true);
                }
                catch
                {
                    socket.Dispose();
                    throw;
                }
            },
        };
        var client = new HttpClient(handler) { BaseAddress = new("http://localhost/") };
        if (timeout is { } given)
        {
            client.Timeout = given;
        }
        return client;
    }

    /// <summary>The socket's path in an endpoint <c>unix:/path</c> or <c>unix:///path</c>.</summary>
    /// <exception cref="MisconfiguredException">Another scheme, no absolute path, or a path above <see cref="LongestPath"/> bytes.</exception>
    public static string PathOf(string endpoint)
    {
        if (
            !Uri.TryCreate(endpoint, UriKind.Absolute, out var uri)
            || !string.Equals(uri.Scheme, Scheme, StringComparison.Ordinal)
            || uri.Host.Length > 0
            || !uri.AbsolutePath.StartsWith('/')
        )
        {
            throw new MisconfiguredException($"'{endpoint}' is no endpoint; give 'unix:' and an absolute path.");
        }
        var path = Uri.UnescapeDataString(uri.AbsolutePath);
        var length = Encoding.UTF8.GetByteCount(path);
        return length <= LongestPath
            ? path
            : throw new MisconfiguredException(
                $"The socket path in '{endpoint}' has {length} bytes; an operating system allows {LongestPath}."
            );
    }
}
