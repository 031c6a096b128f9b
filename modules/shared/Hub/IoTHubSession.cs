using System.Globalization;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using EdgeDm.Hub.Internal;
using EdgeDm.Mqtt;
using EdgeDm.Mqtt.IoTHub;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeDm.Hub;

/// <summary>
/// One MQTT connection to edgeHub or IoT Hub = one object. It never reconnects, never retries and never renews a token: when the
/// connection is lost, every call that is under way and every loop ends with a <see cref="ConnectionLostException"/>.
/// Safe for use by many threads.
/// </summary>
public sealed partial class IoTHubSession : IAsyncDisposable
{
    private readonly HubSessionOptions options;
    private readonly ILogger logger;
    private readonly TaskCompletionSource<ConnackPacket> connack = new(
        TaskCreationOptions.RunContinuationsAsynchronously
    );
    private readonly TaskCompletionSource<SessionEnd> completion = new(
        TaskCreationOptions.RunContinuationsAsynchronously
    );
    private readonly CancellationTokenSource stopped = new();
    private readonly MqttLink link;
    private readonly Lazy<Task> closing;
    private SessionEnd? end;

    private IoTHubSession(HubSessionOptions options, Stream stream, DateTimeOffset? credentialExpiresOn)
    {
        this.options = options;
        logger = (ILogger?)options.LoggerFactory?.CreateLogger<IoTHubSession>() ?? NullLogger.Instance;
        CredentialExpiresOn = credentialExpiresOn;
        Stopped = stopped.Token;
        closing = new(CloseAsync);
        eventsTopic = Encoding.UTF8.GetBytes(HubTopics.Events(DeviceId, ModuleId));
        var messagesFilter = ModuleId is null
            ? HubTopics.CloudMessagesFilter(DeviceId)
            : HubTopics.InputsFilter(DeviceId, ModuleId);
        messagesTopic = Encoding.UTF8.GetBytes(messagesFilter[..^1]);
        messages = new(this, messagesFilter, options.MaxUnreadInputs);
        pendingAcks = new(options.MaxInFlight);
        ackTimer = options.TimeProvider.CreateTimer(
            static session => ((IoTHubSession)session!).OnAckTimer(),
            this,
            Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan
        );
        methods = new(this, options.MaxUnreadMethods);
        desired = new(this, options.MaxUnreadPatches);
        link = new(stream, options.MaxMessageBytes, options.KeepAlive, options.TimeProvider, new Receiver(this));
    }

    /// <summary>The device's id.</summary>
    public string DeviceId => options.DeviceId;

    /// <summary>The module's id; null for a device.</summary>
    public string? ModuleId => options.ModuleId;

    internal string ClientId => options.ClientId;

    internal string HubAddress => options.TargetHost;

    /// <summary>A snapshot; use <see cref="Completion"/> or <see cref="Stopped"/> to react.</summary>
    public bool IsConnected => Volatile.Read(ref end) is null;

    /// <summary>The hub remembered this client's subscriptions.</summary>
    public bool SessionPresent { get; private set; }

    /// <summary>When the hub will no longer take this connection's token; null = never.</summary>
    public DateTimeOffset? CredentialExpiresOn { get; }

    /// <summary>How the session ended. Never faults.</summary>
    public Task<SessionEnd> Completion => completion.Task;

    /// <summary>Fires once, when the session has ended.</summary>
    public CancellationToken Stopped { get; }

    /// <summary>Connects: token, TCP, TLS, CONNACK, subscription to twin answers. Nothing is left open when it throws.</summary>
    /// <exception cref="ConnectFailedException">Network, TLS, time-out, or the hub refused.</exception>
    /// <exception cref="CredentialException">There is no valid token.</exception>
    /// <exception cref="WorkloadException">The signer did not sign.</exception>
    public static async ValueTask<IoTHubSession> ConnectAsync(
        HubSessionOptions options,
        CancellationToken cancellationToken = default
    )
    {
        options.Check();
        using var timeout = new CancellationTokenSource(options.ConnectTimeout, options.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            var password = await options.ProveAsync(either.Token);
            var stream = await options.Transport.ConnectAsync(options, either.Token);
            var session = new IoTHubSession(options, stream, password?.ExpiresOn);
            try
            {
                await session.OpenAsync(password, either.Token);
                return session;
            }
            catch
            {
                await session.DisposeAsync();
                throw;
            }
        }
        catch (OperationCanceledException error) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ConnectFailedException(
                $"Could not connect to {options.TargetHost}:{options.Port} within {options.ConnectTimeout.TotalSeconds} s.",
                error
            );
        }
        catch (Exception error)
            when (error
                    is SocketException
                        or IOException
                        or AuthenticationException
                        or TimeoutException
                        or ConnectionLostException
                        or SubscriptionRefusedException
            )
        {
            throw new ConnectFailedException(
                $"Could not connect to {options.TargetHost}:{options.Port}: {error.Message}",
                error
            );
        }
    }

    /// <summary>
    /// Says goodbye, within <see cref="HubSessionOptions.CloseTimeout"/>, and closes. Never throws; may be called again. Loops end
    /// normally, calls under way fail with <see cref="ObjectDisposedException"/>.
    /// </summary>
    public ValueTask DisposeAsync() => new(closing.Value);

    private async Task CloseAsync()
    {
        if (TryEnd(SessionEndReason.Disposed, null, EmptyPackets.WriteDisconnect))
        {
            await link.DrainAsync(options.CloseTimeout);
        }
        await link.DisposeAsync();
    }

    private async ValueTask OpenAsync(HubPassword? password, CancellationToken cancellationToken)
    {
        var connect = new ConnectPacket(
            options.ClientId,
            options.CleanSession,
            (ushort)Math.Ceiling(options.KeepAlive.TotalSeconds),
            options.UserName,
            password?.Utf8
        );
        lock (link.Gate)
        {
            connect.Write(link.Output);
        }
        link.Start();
        link.Wake();
        var answer = await connack.Task.WaitAsync(cancellationToken);
        if (answer.Code != ConnackCode.Accepted)
        {
            throw new ConnectFailedException(
                $"The hub refused '{options.ClientId}': {answer.Code} (CONNACK {(int)answer.Code}).{OfToken(answer.Code)}",
                null,
                (byte)answer.Code
            );
        }
        SessionPresent = answer.SessionPresent;
        await SubscribeFilterAsync(HubTopics.TwinResponseFilter, MqttQoS.AtMostOnce).WaitAsync(cancellationToken);
    }

    /// <summary>A token is refused most often because one of the two clocks is wrong.</summary>
    private string OfToken(ConnackCode code) =>
        code is ConnackCode.BadUserNameOrPassword or ConnackCode.NotAuthorized && CredentialExpiresOn is { } end
            ? string.Create(
                CultureInfo.InvariantCulture,
                $" By this clock it is {options.TimeProvider.GetUtcNow():u} and the token holds until {end:u}."
            )
            : "";

    /// <summary>Ends everything in one place, once. Later calls do nothing.</summary>
    private bool TryEnd(
        SessionEndReason reason,
        Exception? error,
        Action<System.Buffers.IBufferWriter<byte>>? farewell = null
    )
    {
        var ended = new SessionEnd(reason, error);
        lock (link.Gate)
        {
            if (end is not null)
            {
                return false;
            }
            Volatile.Write(ref end, ended);
            farewell?.Invoke(link.Output);
        }
        if (reason != SessionEndReason.Disposed)
        {
            link.Close();
        }
        ackTimer.Dispose();
        HubInstruments.Ended(reason);
        connack.TrySetException(EndedError(outcomeUnknown: true));
        _ = connack.Task.Exception; // Its caller may have given up waiting.
        FailPending();
        var forReaders = reason == SessionEndReason.Disposed ? null : EndedError(outcomeUnknown: false);
        messages.Complete(forReaders);
        methods.Complete(forReaders);
        desired.Complete(forReaders);
        completion.TrySetResult(ended);
        _ = stopped.CancelAsync(); // On another thread: callbacks are the application's code.
        LogEnded(logger, options.ClientId, reason, error?.Message);
        return true;
    }

    /// <summary>What a call finds when the session has ended: a new exception each time, with the same cause.</summary>
    private Exception EndedError(bool outcomeUnknown) =>
        end!.Reason == SessionEndReason.Disposed
            ? new ObjectDisposedException(nameof(IoTHubSession))
            : new ConnectionLostException(end, outcomeUnknown);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Session of {ClientId} ended: {Reason} {Error}")]
    private static partial void LogEnded(ILogger logger, string clientId, SessionEndReason reason, string? error);
}
