using System.Net.Sockets;
using System.Security.Authentication;

namespace EdgeDm.Hub.Internal;

/// <summary>Tells a failure's cause, which for some lies in what came before it.</summary>
internal sealed class FailureHistory
{
    /// <summary>A connection that the hub closes sooner than this was not wanted.</summary>
    public static readonly TimeSpan Soon = TimeSpan.FromSeconds(10);

    /// <summary>How many such in a row make the suspicion: a hub that restarts closes one, and one more while it starts.</summary>
    public const int SuspectAfter = 3;

    /// <summary>A hub whose clock is ahead closes a little before the token's end by this clock.</summary>
    public static readonly TimeSpan ClockTolerance = TimeSpan.FromSeconds(30);

    private int closedSoon;

    /// <param name="error">What ended the attempt.</param>
    /// <param name="uptime">Null when the hub had not accepted the connection.</param>
    /// <param name="expires">When its token expires.</param>
    /// <param name="now">The present.</param>
    public FailureCause Tell(Exception error, TimeSpan? uptime, DateTimeOffset? expires, DateTimeOffset now)
    {
        var cause = uptime is null ? OfConnecting(error) : OfLiving(error);
        if (cause == FailureCause.Lost && IsClosedByPeer(error))
        {
            if (uptime >= Soon)
            {
                closedSoon = 0;
            }
            else if (uptime is not null)
            {
                closedSoon++; // While connecting it could not be told from a hub that goes down: neither more nor less suspect.
            }
            return expires - ClockTolerance <= now ? FailureCause.TokenExpired
                : closedSoon >= SuspectAfter ? FailureCause.AnotherClientSuspected
                : FailureCause.Lost;
        }
        closedSoon = 0;
        return cause;
    }

    private static FailureCause OfConnecting(Exception error) =>
        error switch
        {
            ConnectFailedException { ConnackCode: { } code } => code switch
            {
                1 => FailureCause.ProtocolVersionRefused,
                2 => FailureCause.IdentifierRefused,
                4 => FailureCause.CredentialRefused,
                5 => FailureCause.NotAuthorized,
                _ => FailureCause.HubUnavailable,
            },
            ConnectFailedException { InnerException: AuthenticationException } => FailureCause.TlsRefused,
            ConnectFailedException { InnerException: ConnectionLostException lost } => OfLiving(lost),
            ConnectFailedException { InnerException: SubscriptionRefusedException } => FailureCause.ServiceError,
            ConnectFailedException => FailureCause.Unreachable,
            _ => OfLiving(error),
        };

    private static FailureCause OfLiving(Exception error) =>
        error switch
        {
            ConnectionLostException { Reason: SessionEndReason.ReceiverOverrun } => FailureCause.ReceiverOverrun,
            ConnectionLostException { Reason: SessionEndReason.ProtocolError } => FailureCause.ProtocolError,
            ConnectionLostException { Reason: SessionEndReason.AckTimeout } or TimeoutException =>
                FailureCause.TimedOut,
            ConnectionLostException => FailureCause.Lost,
            ConnectFailedException => FailureCause.Unreachable, // An HTTPS call of the body.
            CredentialException or WorkloadException => FailureCause.CredentialUnavailable,
            EdgeEnvironmentException => FailureCause.Configuration,
            _ => FailureCause.ServiceError,
        };

    /// <summary>Also when the close came as a reset, because something of ours was still under way to the hub.</summary>
    private static bool IsClosedByPeer(Exception error) =>
        (error as ConnectionLostException ?? error.InnerException as ConnectionLostException) switch
        {
            { Reason: SessionEndReason.ClosedByPeer } => true,
            { Reason: SessionEndReason.NetworkError } lost => IsReset(lost),
            _ => false,
        };

    private static bool IsReset(Exception? error)
    {
        for (; error is not null; error = error.InnerException)
        {
            if (error is SocketException { SocketErrorCode: SocketError.ConnectionReset or SocketError.Shutdown })
            {
                return true;
            }
        }
        return false;
    }
}
