namespace EdgeDm.Hub;

/// <summary>Why a connection did not come about or ended, as far as it can be told. <see cref="HubReconnect.Backoff"/> has a decision for each.</summary>
public enum FailureCause
{
    /// <summary>Name, network, proxy or time: the hub did not answer.</summary>
    Unreachable,

    /// <summary>TLS: the hub's certificate or protocol is not to be trusted, or it does not trust the client's. Most often a clock is wrong.</summary>
    TlsRefused,

    /// <summary>CONNACK 1: the hub speaks no MQTT 3.1.1.</summary>
    ProtocolVersionRefused,

    /// <summary>CONNACK 2: it does not take the client id.</summary>
    IdentifierRefused,

    /// <summary>CONNACK 3: it is there, but not ready.</summary>
    HubUnavailable,

    /// <summary>CONNACK 4: user name or password are malformed.</summary>
    CredentialRefused,

    /// <summary>CONNACK 5: it does not accept this identity with this token, or does not know it yet, as edgeHub after its start.</summary>
    NotAuthorized,

    /// <summary>There was nothing to show: the signer is away, or the given token or certificate has expired.</summary>
    CredentialUnavailable,

    /// <summary>The hub closed a connection whose token had expired.</summary>
    TokenExpired,

    /// <summary>The connection broke: network, silence, or the hub closed it.</summary>
    Lost,

    /// <summary>
    /// A suspicion: the hub has closed several connections in a row soon after it had accepted them, as it does when another client has
    /// the same identity. MQTT 3.1.1 tells no reason, so a hub that keeps falling looks the same.
    /// </summary>
    AnotherClientSuspected,

    /// <summary>The hub sent more than the program took in.</summary>
    ReceiverOverrun,

    /// <summary>The hub broke MQTT 3.1.1.</summary>
    ProtocolError,

    /// <summary>The hub did not acknowledge or answer in time.</summary>
    TimedOut,

    /// <summary>The hub answered a request with an error, or refused a subscription, and the body did not handle it.</summary>
    ServiceError,

    /// <summary>The environment is wrong: it stays so until somebody mends it.</summary>
    Configuration,
}
