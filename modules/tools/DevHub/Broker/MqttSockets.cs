using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace EdgeDm.DevHub.Broker;

/// <summary>
/// The sockets of MQTT: what a client sent is handled by the thread that learns of it (<see cref="SocketThreads"/>). HTTPS has Kestrel's usual sockets, whose requests
/// may wait for what they like.
/// </summary>
internal sealed class MqttSockets(ILoggerFactory loggers)
    : IConnectionListenerFactory,
        IConnectionListenerFactorySelector
{
    private readonly SocketTransportFactory sockets = new(
        Options.Create(
            new SocketTransportOptions
            {
                UnsafePreferInlineScheduling = true,
                // Asking first and reading then would be two calls of the system for each packet.
                WaitForDataBeforeAllocatingBuffer = false,
            }
        ),
        loggers
    );

    /// <inheritdoc/>
    public bool CanBind(EndPoint endpoint) => endpoint is MqttEndPoint;

    /// <inheritdoc/>
    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) =>
        sockets.BindAsync(endpoint, cancellationToken);
}

/// <summary>Where MQTT is served.</summary>
internal sealed class MqttEndPoint(IPAddress address, int port) : IPEndPoint(address, port);
