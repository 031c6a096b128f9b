using System.Net;
using System.Net.Sockets;
using EdgeDm.Hosting;
using Microsoft.Extensions.Logging;

namespace EdgeDm.DevHub;

/// <summary>
/// Which port to listen at. Unmodified SDKs know only 443 and 8883; where these may not be bound, others are taken with a
/// plain word about what follows.
/// </summary>
internal sealed partial class PortChoice(IPAddress address, ILogger logger)
{
    /// <summary>Chooses.</summary>
    /// <param name="service">For messages.</param>
    /// <param name="asked">What the user asked for: taken, or the start fails; 0 = any.</param>
    /// <param name="usual">Taken when the user asked for nothing.</param>
    /// <param name="fallback">Taken when the usual one may not be bound; when that may not either, any.</param>
    /// <returns>A port that was free a moment ago, or 0.</returns>
    /// <exception cref="MisconfiguredException">The port asked for may not be bound.</exception>
    public int Choose(string service, int? asked, int usual, int fallback)
    {
        var port = asked ?? usual;
        if (port == 0 || ObstacleTo(port) is not { } obstacle)
        {
            return port;
        }
        if (asked is not null)
        {
            throw new MisconfiguredException(
                $"{service} cannot be served at {address}:{port}: {obstacle} Choose another port or another address, for "
                    + "example 127.0.0.2."
            );
        }
        var chosen = ObstacleTo(fallback) is null ? fallback : 0;
        LogFallback(logger, service, address, usual, obstacle, chosen == 0 ? "any free port" : $"port {chosen}");
        return chosen;
    }

    private string? ObstacleTo(int port)
    {
        using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(address, port));
            socket.Listen();
            return null;
        }
        catch (SocketException error)
        {
            return error.SocketErrorCode switch
            {
                SocketError.AccessDenied =>
                    "this user may not bind it (on Linux: sysctl net.ipv4.ip_unprivileged_port_start allows it).",
                SocketError.AddressAlreadyInUse => "another program has it.",
                SocketError.AddressNotAvailable => "this machine does not have the address.",
                _ => $"{error.Message}.",
            };
        }
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "{Service} is not at {Address}:{Usual}: {Obstacle} Taking {Chosen}. EdgeDm's modules are told; official SDK clients, which know only the usual port, cannot connect"
    )]
    private static partial void LogFallback(
        ILogger logger,
        string service,
        IPAddress address,
        int usual,
        string obstacle,
        string chosen
    );
}
