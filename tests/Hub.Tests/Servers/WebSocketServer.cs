using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using EdgeDm.Testing;

namespace EdgeDm.Hub.Tests.Servers;

/// <summary>A hub behind MQTT over WebSocket, whose upgrade is written out.</summary>
internal sealed class WebSocketServer : IAsyncDisposable
{
    private readonly TlsServer server;

    /// <summary>Listens.</summary>
    public WebSocketServer(TlsServer? server = null) => this.server = server ?? new();

    /// <summary>Options of a module behind it.</summary>
    public HubSessionOptions Options => server.Options with { Transport = HubTransport.WebSocket };

    /// <summary>The sub-protocol that it answers; null = none.</summary>
    public string? SubProtocol { get; init; } = "mqtt";

    /// <summary>Answered in place of the upgrade.</summary>
    public string? Answer { get; init; }

    /// <summary>The head of the last request.</summary>
    public string Request { get; private set; } = "";

    /// <summary>The next connection, upgraded.</summary>
    public async Task<(TcpClient Client, WebSocket Socket)> AcceptAsync()
    {
        var (client, tls) = await server.AcceptAsync();
        var head = new StringBuilder();
        var one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            await tls.ReadExactlyAsync(one);
            head.Append((char)one[0]);
        }
        Request = head.ToString();
        await tls.WriteAsync(Encoding.ASCII.GetBytes(Answer ?? Upgrade()));
        var options = new WebSocketCreationOptions { IsServer = true, SubProtocol = SubProtocol };
        return (client, WebSocket.CreateFromStream(tls, options));
    }

    /// <summary>The next connection, up to and including CONNACK and the subscription to twin answers.</summary>
    public async Task<ScriptedConnection> WelcomeAsync()
    {
        var (client, socket) = await AcceptAsync();
        return await TlsServer.WelcomeAsync(client, WebSocketStream.Create(socket, WebSocketMessageType.Binary));
    }

    /// <summary>Closes all.</summary>
    public ValueTask DisposeAsync() => server.DisposeAsync();

    private string Upgrade()
    {
        const string KeyHeader = "Sec-WebSocket-Key: ";
        var key = Request.Split("\r\n").Single(line => line.StartsWith(KeyHeader, StringComparison.Ordinal));
#pragma warning disable CA5350 // RFC 6455 4.2.2 has it so; it protects nothing.
        var accept = Convert.ToBase64String(
            SHA1.HashData(Encoding.ASCII.GetBytes(key[KeyHeader.Length..] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
        );
#pragma warning restore CA5350
        return $"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n"
            + (SubProtocol is null ? "\r\n" : $"Sec-WebSocket-Protocol: {SubProtocol}\r\n\r\n");
    }
}
