namespace EdgeDm.Hub;

/// <summary>Something between this program and its hub went wrong.</summary>
public abstract class HubException : Exception
{
    private protected HubException(string message, Exception? inner, bool isTransient)
        : base(message, inner) => IsTransient = isTransient;

    /// <summary>True when the same call may succeed later without a change of configuration. Advice, decided nowhere here.</summary>
    public bool IsTransient { get; }
}

/// <summary>The connection could not be made, or is gone.</summary>
public abstract class HubConnectionException : HubException
{
    private protected HubConnectionException(string message, Exception? inner, bool isTransient)
        : base(message, inner, isTransient) { }
}

/// <summary>No connection came about: network, TLS, or the hub refused it.</summary>
public sealed class ConnectFailedException : HubConnectionException
{
    internal ConnectFailedException(string message, Exception? inner, byte? connackCode = null)
        // 3: server unavailable; 5: not authorised, which edgeHub also says before it knows its modules.
        : base(message, inner, connackCode is null or 3 or 5) => ConnackCode = connackCode;

    /// <summary>Why the hub refused (MQTT 3.1.1, table 3.1); null when it never answered.</summary>
    public byte? ConnackCode { get; }
}

/// <summary>The connection ended while a call or a loop was under way.</summary>
public sealed class ConnectionLostException : HubConnectionException
{
    internal ConnectionLostException(SessionEnd end, bool outcomeUnknown)
        : base(Describe(end), end.Error, isTransient: true)
    {
        Reason = end.Reason;
        OutcomeUnknown = outcomeUnknown;
    }

    /// <summary>What ended it.</summary>
    public SessionEndReason Reason { get; }

    /// <summary>True when the request had left: the hub may or may not have acted on it.</summary>
    public bool OutcomeUnknown { get; }

    private static string Describe(SessionEnd end) =>
        end.Error is null
            ? $"The connection to the hub ended: {end.Reason}."
            : $"The connection to the hub ended: {end.Reason}: {end.Error.Message}";
}

/// <summary>The hub answered a request with an error.</summary>
public sealed class HubServiceException : HubException
{
    internal HubServiceException(int status, string message, string? trackingId = null)
        : base(message, null, status is 429 or >= 500)
    {
        Status = status;
        TrackingId = trackingId;
    }

    /// <summary>HTTP-like status, for example 400, 413, 429, 500.</summary>
    public int Status { get; }

    /// <summary>IoT Hub's name for the failed request, for its support; null where the hub told none, as edgeHub.</summary>
    public string? TrackingId { get; }
}

/// <summary>The hub refused a subscription (SUBACK 0x80).</summary>
public sealed class SubscriptionRefusedException : HubException
{
    internal SubscriptionRefusedException(string filter)
        : base($"The hub refused the subscription to '{filter}'.", null, isTransient: false) => Filter = filter;

    /// <summary>The topic filter.</summary>
    public string Filter { get; }
}

/// <summary>There is no usable credential: token expired, signer unreachable or refusing.</summary>
public sealed class CredentialException : HubException
{
    internal CredentialException(string message, Exception? inner = null, bool isTransient = false)
        : base(message, inner, isTransient) { }
}

/// <summary>The environment that the IoT Edge runtime should have set is wrong. The message names the variable.</summary>
public sealed class EdgeEnvironmentException : HubException
{
    internal EdgeEnvironmentException(string variable, string problem, Exception? inner = null)
        : base($"Environment variable {variable}: {problem}", inner, isTransient: false) => Variable = variable;

    /// <summary>The variable's name.</summary>
    public string Variable { get; }
}

/// <summary>The security daemon's workload API did not answer, or not as it should.</summary>
public sealed class WorkloadException : HubException
{
    internal WorkloadException(string message, Exception? inner = null, bool isTransient = true)
        : base(message, inner, isTransient) { }
}

/// <summary>How a session ended.</summary>
/// <param name="Reason">What ended it.</param>
/// <param name="Error">The cause, where there was one.</param>
public sealed record SessionEnd(SessionEndReason Reason, Exception? Error);

/// <summary>What ends a session.</summary>
public enum SessionEndReason
{
    /// <summary>This program disposed it.</summary>
    Disposed,

    /// <summary>The hub closed. MQTT 3.1.1 tells no reason: a restart, an expired token, or another client with the same identity.</summary>
    ClosedByPeer,

    /// <summary>The network failed.</summary>
    NetworkError,

    /// <summary>Nothing came for 1.5 times the keep-alive.</summary>
    KeepAliveTimeout,

    /// <summary>A publish or a subscription was not acknowledged within the operation timeout.</summary>
    AckTimeout,

    /// <summary>The hub broke MQTT 3.1.1.</summary>
    ProtocolError,

    /// <summary>The hub sent more than this program took in.</summary>
    ReceiverOverrun,
}
