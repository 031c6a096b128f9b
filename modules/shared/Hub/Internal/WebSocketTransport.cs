using System.Net.WebSockets;

namespace EdgeDm.Hub.Internal;

/// <summary>WebSocket over TLS.</summary>
internal sealed class WebSocketTransport : HubTransport
{
    public static readonly WebSocketTransport Instance = new();

    private const string SubProtocol = "mqtt";
    private const string Path = "/$iothub/websocket";

    /// <summary>IoT Hub asks for a client certificate on this path unless told that there is none.</summary>
    private const string WithoutCertificate = "?iothub-no-client-cert=true";

    private WebSocketTransport() { }

    /// <inheritdoc />
    public override string ToString() => "WebSocket";

    internal override int DefaultPort => HubSessionOptions.DefaultHttpsPort;

    internal override async ValueTask<Stream> ConnectAsync(
        HubSessionOptions options,
        CancellationToken cancellationToken
    )
    {
        var tls = await HubConnector.ConnectTlsAsync(options, options.TargetHost, options.Port, cancellationToken);
        var socket = new ClientWebSocket();
        try
        {
            socket.Options.AddSubProtocol(SubProtocol);
            socket.Options.KeepAliveInterval = TimeSpan.Zero; // MQTT has its own.
            using var invoker = HubHttp.Over(tls);
            await socket.ConnectAsync(UriOf(options), invoker, cancellationToken);
            // No wait for a goodbye when it closes: MQTT has said it, or the link is dead and every call waits for this.
            return socket.SubProtocol == SubProtocol
                ? WebSocketStream.Create(socket, WebSocketMessageType.Binary, closeTimeout: TimeSpan.Zero)
                : throw new IOException($"The hub's WebSocket does not speak '{SubProtocol}'.");
        }
        catch (Exception error)
        {
            socket.Dispose();
            await tls.DisposeAsync();
            if (error is WebSocketException)
            {
                // The outer message says only that it failed; what came in place of 101 stands inside.
                throw new IOException($"The hub took no WebSocket: {(error.InnerException ?? error).Message}", error);
            }
            throw;
        }
    }

    private static Uri UriOf(HubSessionOptions options)
    {
        var withCertificate =
            options.Credential?.ClientCertificate is not null || HubTls.HasClientCertificate(options.Tls);
        // TLS is laid already: "wss" would lay it twice.
        var address = new UriBuilder("ws", options.TargetHost, options.Port, Path);
        return new(address.Uri, withCertificate ? "" : WithoutCertificate);
    }
}
