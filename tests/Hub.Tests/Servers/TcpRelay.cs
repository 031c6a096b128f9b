using System.Net;
using System.Net.Sockets;

namespace EdgeDm.Hub.Tests.Servers;

/// <summary>Takes TCP connections to a Unix socket, one at a time.</summary>
internal sealed class TcpRelay : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly Task serving;

    public TcpRelay(string path)
    {
        listener.Start();
        serving = ServeAsync(path);
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    public async ValueTask DisposeAsync()
    {
        listener.Dispose();
        await serving;
    }

    private async Task ServeAsync(string path)
    {
        try
        {
            while (true)
            {
                using var client = await listener.AcceptTcpClientAsync();
                using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(path));
                await using var inner = new NetworkStream(socket);
                var forth = client.GetStream().CopyToAsync(inner);
                await inner.CopyToAsync(client.GetStream());
                client.Client.Shutdown(SocketShutdown.Send);
                await forth;
            }
        }
        catch (Exception error) when (error is SocketException or InvalidOperationException)
        {
            // Closed.
        }
    }
}
