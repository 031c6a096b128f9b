using System.Text;
using EdgeDm.DevHub.Faults;
using EdgeDm.DevHub.Nested;
using EdgeDm.Mqtt;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace EdgeDm.DevHub.Broker;

/// <summary>
/// MQTT 3.1.1 as edgeHub speaks it, behind TLS: decides who may connect, and hands the connection over.
/// </summary>
internal sealed partial class MqttServer(HubParts parts, ConnectionTable connections) : ConnectionHandler
{
    private readonly ILogger logger = parts.Loggers.CreateLogger<MqttServer>();
    private readonly EdgeHierarchy hierarchy = new(parts.Identities, parts.Tokens);

    /// <inheritdoc/>
    public override async Task OnConnectedAsync(ConnectionContext connection)
    {
        var link = parts.Faults.Attach(connection, parts.Options.LargestPacket);
        try
        {
            if (await ReadConnectAsync(link) is { } connect)
            {
                await SocketThreads.Leave(); // Its session is on disk.
                await ServeAsync(link, connect);
            }
        }
        catch (MqttProtocolException error)
        {
            LogRejected(logger, $"{connection.RemoteEndPoint}", error.Message);
            if (error.RefuseWith is { } code)
            {
                await RefuseAsync(link, code);
            }
        }
        catch (Exception error) when (error is IOException or OperationCanceledException)
        {
            LogRejected(logger, $"{connection.RemoteEndPoint}", "the connection broke before CONNECT was answered");
        }
        finally
        {
            await link.LeaveAsync();
        }
    }

    private async Task<ConnectPacket?> ReadConnectAsync(ConnectionContext connection)
    {
        using var limit = new CancellationTokenSource(parts.Options.ConnectTimeout, parts.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, connection.ConnectionClosed);
        var input = connection.Transport.Input;
        while (true)
        {
            var result = await input.ReadAsync(both.Token);
            var buffer = result.Buffer;
            if (MqttFrame.TryReadFrame(ref buffer, parts.Options.LargestPacket, out var frame))
            {
                if (frame.Type != MqttPacketType.Connect)
                {
                    throw new MqttProtocolException($"The first packet is {frame.Type} instead of CONNECT.");
                }
                var connect = ConnectPacket.Parse(frame);
                input.AdvanceTo(buffer.Start);
                return connect;
            }
            input.AdvanceTo(buffer.Start, buffer.End);
            if (result.IsCompleted)
            {
                return null;
            }
        }
    }

    private async Task ServeAsync(ClientLink transport, ConnectPacket connect)
    {
        if (!ClientUserName.TryParse(connect.UserName, out var name, out var problem))
        {
            // As edgeHub, which fails to read it, rather than "not authorized".
            await RefuseAsync(transport, ConnackCode.ServerUnavailable, connect.ClientId, problem);
            return;
        }
        var identity = name.Identity;
        if (!transport.TryEnter(identity))
        {
            return; // Cut off on purpose: not even CONNECT is answered.
        }
        if (RefusalOf(connect, name, out var chain, out var ends) is { } refusal)
        {
            await RefuseAsync(transport, ConnackCode.NotAuthorized, connect.ClientId, refusal);
            return;
        }
        var subscriptions = connections.Subscriptions(identity, connect.CleanSession, out var present);
        var connection = new ClientConnection(parts, transport, connect, identity, subscriptions, logger)
        {
            OnBehalf = chain,
        };
        try
        {
            if (!await connections.TakeOverAsync(connection))
            {
                return;
            }
            // Again, now that a change of the identity finds this connection to close.
            if (RefusalOf(connect, name, out _, out _) is { } changed)
            {
                await RefuseAsync(transport, ConnackCode.NotAuthorized, connect.ClientId, changed);
                return;
            }
            await connection.RunAsync(present, ends);
        }
        finally
        {
            connections.Remove(connection);
            connection.Dispose();
        }
    }

    private string? RefusalOf(ConnectPacket connect, ClientUserName name, out AuthChain? chain, out DateTimeOffset ends)
    {
        chain = null;
        ends = DateTimeOffset.MinValue;
        // As edgeHub, this hub has no others below it; then the parameter means nothing.
        if (
            parts.Options.Profile == HubProfile.IoTHub
            && name.AuthChain is { Length: > 0 } text
            && !AuthChain.TryParse(text, out chain)
        )
        {
            return "its auth chain is not names with ';' between them";
        }
        return connect.ClientId != name.Identity.ToString() ? "its client id is not the identity in its user name"
            : connect.Password is not { } password ? "it has no password"
            : hierarchy.RefusalOf(name.Identity, chain, Encoding.UTF8.GetString(password.Span), out ends);
    }

    private async Task RefuseAsync(ConnectionContext transport, ConnackCode code, string client, string why)
    {
        LogRefusedClient(logger, client, why);
        await RefuseAsync(transport, code);
    }

    private static async Task RefuseAsync(ConnectionContext transport, ConnackCode code)
    {
        new ConnackPacket(SessionPresent: false, code).Write(transport.Transport.Output);
        await transport.Transport.Output.FlushAsync(transport.ConnectionClosed);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Refused the client '{Client}': {Reason}")]
    private static partial void LogRefusedClient(ILogger logger, string client, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Closed a connection from {Peer}: {Reason}")]
    private static partial void LogRejected(ILogger logger, string peer, string reason);
}
