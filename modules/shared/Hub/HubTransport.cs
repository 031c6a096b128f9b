using EdgeDm.Hub.Internal;

namespace EdgeDm.Hub;

/// <summary>
/// How MQTT reaches the hub. An object, not an enumeration: what a program does not name is trimmed from it, and not loaded.
/// </summary>
public abstract class HubTransport
{
    private protected HubTransport() { }

    /// <summary>TCP and TLS, usually port 8883.</summary>
    public static HubTransport Tcp => TcpTransport.Instance;

    /// <summary>
    /// WebSocket over TLS, usually port 443: path <c>/$iothub/websocket</c>, sub-protocol <c>mqtt</c> (MQTT 3.1.1, chapter 6; IoT Hub's
    /// documentation of MQTT). For networks that let nothing else out.
    /// </summary>
    public static HubTransport WebSocket => WebSocketTransport.Instance;

    /// <summary>TCP without TLS, for tests and for measuring against plain brokers. Never for a hub: it shows the token to everyone.</summary>
    internal static HubTransport Plain => PlainTransport.Instance;

    /// <summary>The port that hubs listen on.</summary>
    internal abstract int DefaultPort { get; }

    /// <summary>A stream that carries MQTT and nothing else, or an exception and nothing left open.</summary>
    internal abstract ValueTask<Stream> ConnectAsync(HubSessionOptions options, CancellationToken cancellationToken);
}
