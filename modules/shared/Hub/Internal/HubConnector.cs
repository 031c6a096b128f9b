using System.Net;
using System.Net.Sockets;

namespace EdgeDm.Hub.Internal;

/// <summary>Byte streams to the hub, whatever is spoken over them: through the caller's callback, a proxy, or directly.</summary>
internal static class HubConnector
{
    /// <summary>A connected, authenticated stream, or an exception and nothing left open.</summary>
    public static async ValueTask<Stream> ConnectTlsAsync(
        HubSessionOptions options,
        string host,
        int port,
        CancellationToken cancellationToken
    )
    {
        var inner = await ConnectAsync(options, host, port, cancellationToken);
        return await new HubTls(options, host).AuthenticateAsync(inner, cancellationToken);
    }

    /// <summary>A connected stream without TLS.</summary>
    public static ValueTask<Stream> ConnectAsync(
        HubSessionOptions options,
        string host,
        int port,
        CancellationToken cancellationToken
    )
    {
        var endpoint = new DnsEndPoint(host, port);
        return options switch
        {
            { ConnectCallback: { } callback } => callback(endpoint, cancellationToken),
            { Proxy: { } proxies } => ConnectByProxyAsync(proxies, endpoint, cancellationToken),
            _ => ConnectTcpAsync(endpoint, cancellationToken),
        };
    }

    private static async ValueTask<Stream> ConnectByProxyAsync(
        IWebProxy proxies,
        DnsEndPoint endpoint,
        CancellationToken cancellationToken
    )
    {
        if (HttpProxyTunnel.To(proxies, endpoint) is not { } tunnel)
        {
            return await ConnectTcpAsync(endpoint, cancellationToken);
        }
        var stream = await ConnectTcpAsync(tunnel.Proxy, cancellationToken);
        try
        {
            await tunnel.OpenAsync(stream, endpoint, cancellationToken);
            return stream;
        }
        catch
        {
            await stream.DisposeAsync();
            throw;
        }
    }

    private static async ValueTask<Stream> ConnectTcpAsync(DnsEndPoint endpoint, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            await socket.ConnectAsync(endpoint, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
