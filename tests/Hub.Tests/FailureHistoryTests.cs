using System.Net.Sockets;
using System.Security.Authentication;
using EdgeDm.Hub.Internal;

namespace EdgeDm.Hub.Tests;

public sealed class FailureHistoryTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeSeconds(1_000_000);

    private readonly FailureHistory history = new();

    public static TheoryData<Exception, FailureCause> WhileConnecting =>
        new()
        {
            {
                new ConnectFailedException("", new SocketException((int)SocketError.HostNotFound)),
                FailureCause.Unreachable
            },
            { new ConnectFailedException("", new IOException()), FailureCause.Unreachable },
            { new ConnectFailedException("", new OperationCanceledException()), FailureCause.Unreachable },
            { new ConnectFailedException("", new TimeoutException()), FailureCause.Unreachable },
            { new ConnectFailedException("", new AuthenticationException()), FailureCause.TlsRefused },
            { new ConnectFailedException("", null, 1), FailureCause.ProtocolVersionRefused },
            { new ConnectFailedException("", null, 2), FailureCause.IdentifierRefused },
            { new ConnectFailedException("", null, 3), FailureCause.HubUnavailable },
            { new ConnectFailedException("", null, 4), FailureCause.CredentialRefused },
            { new ConnectFailedException("", null, 5), FailureCause.NotAuthorized },
            { new ConnectFailedException("", Lost(SessionEndReason.ClosedByPeer)), FailureCause.Lost },
            { new ConnectFailedException("", Lost(SessionEndReason.ProtocolError)), FailureCause.ProtocolError },
            { new ConnectFailedException("", new SubscriptionRefusedException("f")), FailureCause.ServiceError },
            { new CredentialException("expired"), FailureCause.CredentialUnavailable },
            { new WorkloadException("away"), FailureCause.CredentialUnavailable },
            { new EdgeEnvironmentException("X", "missing"), FailureCause.Configuration },
        };

    public static TheoryData<Exception, FailureCause> WhileConnected =>
        new()
        {
            { Lost(SessionEndReason.ClosedByPeer), FailureCause.Lost },
            { Lost(SessionEndReason.NetworkError), FailureCause.Lost },
            { Lost(SessionEndReason.KeepAliveTimeout), FailureCause.Lost },
            { Lost(SessionEndReason.AckTimeout), FailureCause.TimedOut },
            { Lost(SessionEndReason.ProtocolError), FailureCause.ProtocolError },
            { Lost(SessionEndReason.ReceiverOverrun), FailureCause.ReceiverOverrun },
            { new TimeoutException(), FailureCause.TimedOut },
            { new HubServiceException(500, ""), FailureCause.ServiceError },
            { new SubscriptionRefusedException("f"), FailureCause.ServiceError },
            { new ConnectFailedException("an HTTPS call", new SocketException()), FailureCause.Unreachable },
        };

    [Theory]
    [MemberData(nameof(WhileConnecting), DisableDiscoveryEnumeration = true)]
    public void Tell_WhileConnecting_NamesTheCause(Exception error, FailureCause cause) =>
        history.Tell(error, null, null, Now).ShouldBe(cause);

    [Theory]
    [MemberData(nameof(WhileConnected), DisableDiscoveryEnumeration = true)]
    public void Tell_WhileConnected_NamesTheCause(Exception error, FailureCause cause) =>
        history.Tell(error, TimeSpan.FromMinutes(1), null, Now).ShouldBe(cause);

    [Theory]
    [InlineData(-1, FailureCause.TokenExpired)]
    [InlineData(30, FailureCause.TokenExpired)]
    [InlineData(31, FailureCause.Lost)]
    public void Tell_ClosedByPeerNearTheTokensEnd_IsItsEnd(double secondsLeft, FailureCause cause) =>
        history
            .Tell(Lost(SessionEndReason.ClosedByPeer), TimeSpan.FromMinutes(59), Now.AddSeconds(secondsLeft), Now)
            .ShouldBe(cause);

    [Fact]
    public void Tell_NetworkFailsAfterTheTokensEnd_IsStillTheNetwork() =>
        history
            .Tell(Lost(SessionEndReason.KeepAliveTimeout), TimeSpan.FromMinutes(61), Now.AddSeconds(-1), Now)
            .ShouldBe(FailureCause.Lost);

    [Fact]
    public void Tell_ThreeClosedSoonInARow_SuspectsAnotherClient()
    {
        ClosedAfter(1).ShouldBe(FailureCause.Lost);
        ClosedAfter(9.9).ShouldBe(FailureCause.Lost);
        ClosedAfter(1).ShouldBe(FailureCause.AnotherClientSuspected);
        ClosedAfter(1).ShouldBe(FailureCause.AnotherClientSuspected);
    }

    [Fact]
    public void Tell_ResetInsteadOfClosed_CountsToo()
    {
        var reset = new ConnectionLostException(
            new(
                SessionEndReason.NetworkError,
                new IOException("", new SocketException((int)SocketError.ConnectionReset))
            ),
            false
        );
        history.Tell(reset, TimeSpan.FromSeconds(1), null, Now);
        ClosedAfter(1);
        history.Tell(reset, TimeSpan.FromSeconds(1), null, Now).ShouldBe(FailureCause.AnotherClientSuspected);
    }

    [Fact]
    public void Tell_OneThatLastedInBetween_StartsOver()
    {
        ClosedAfter(1);
        ClosedAfter(1);
        ClosedAfter(10).ShouldBe(FailureCause.Lost);
        ClosedAfter(1).ShouldBe(FailureCause.Lost);
    }

    [Fact]
    public void Tell_HubAwayInBetween_StartsOver()
    {
        ClosedAfter(1);
        ClosedAfter(1);
        history.Tell(new ConnectFailedException("", new SocketException()), null, null, Now);
        ClosedAfter(1).ShouldBe(FailureCause.Lost);
    }

    [Fact]
    public void Tell_ClosedWhileConnectingInBetween_NeitherCountsNorStartsOver()
    {
        ClosedAfter(1);
        ClosedAfter(1);
        history
            .Tell(new ConnectFailedException("", Lost(SessionEndReason.ClosedByPeer)), null, null, Now)
            .ShouldBe(FailureCause.Lost);
        ClosedAfter(1).ShouldBe(FailureCause.AnotherClientSuspected);
    }

    private FailureCause ClosedAfter(double seconds) =>
        history.Tell(Lost(SessionEndReason.ClosedByPeer), TimeSpan.FromSeconds(seconds), null, Now);

    private static ConnectionLostException Lost(SessionEndReason reason) => new(new(reason, null), false);
}
