namespace EdgeDm.Hub.Tests;

public sealed class BackoffTests
{
    private static HubAttempt Attempt(
        int failures,
        double uptimeSeconds = 0,
        Exception? error = null,
        FailureCause cause = FailureCause.Unreachable
    ) => new(failures, error ?? new TimeoutException(), cause, TimeSpan.FromSeconds(uptimeSeconds), null);

    [Fact]
    public void Backoff_DoublesUpToTheMostWithFullJitter()
    {
        var all = HubReconnect.Backoff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30), random: new FixedShare(1));
        var half = HubReconnect.Backoff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30), random: new FixedShare(0.5));
        var delays = Enumerable.Range(1, 8).Select(n => all(Attempt(n)).Delay.TotalSeconds);
        delays.ShouldBe([1, 2, 4, 8, 16, 30, 30, 30]);
        half(Attempt(3)).Delay.TotalSeconds.ShouldBe(2);
        all(Attempt(2_000_000)).Delay.TotalSeconds.ShouldBe(30);
    }

    [Fact]
    public void Backoff_AfterALastingSession_StartsOver()
    {
        var policy = HubReconnect.Backoff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30), random: new FixedShare(1));
        policy(Attempt(5)).Delay.TotalSeconds.ShouldBe(16);
        policy(Attempt(6, 59.9)).Delay.TotalSeconds.ShouldBe(30);
        policy(Attempt(7, 60)).Delay.TotalSeconds.ShouldBe(1);
        policy(Attempt(8)).Delay.TotalSeconds.ShouldBe(2);
    }

    [Theory]
    [InlineData(FailureCause.Unreachable, true)]
    [InlineData(FailureCause.TlsRefused, true)]
    [InlineData(FailureCause.ProtocolVersionRefused, false)]
    [InlineData(FailureCause.IdentifierRefused, false)]
    [InlineData(FailureCause.HubUnavailable, true)]
    [InlineData(FailureCause.CredentialRefused, false)]
    [InlineData(FailureCause.NotAuthorized, true)]
    [InlineData(FailureCause.CredentialUnavailable, true)]
    [InlineData(FailureCause.TokenExpired, true)]
    [InlineData(FailureCause.Lost, true)]
    [InlineData(FailureCause.AnotherClientSuspected, true)]
    [InlineData(FailureCause.ReceiverOverrun, true)]
    [InlineData(FailureCause.ProtocolError, true)]
    [InlineData(FailureCause.TimedOut, true)]
    [InlineData(FailureCause.ServiceError, true)]
    [InlineData(FailureCause.Configuration, false)]
    public void Backoff_EachCause_HasItsDecision(FailureCause cause, bool retry)
    {
        var policy = HubReconnect.Backoff(
            TimeSpan.FromSeconds(1),
            TimeSpan.FromSeconds(30),
            random: new FixedShare(0.5)
        );
        policy(Attempt(2, cause: cause, error: new WorkloadException("away"))).Retry.ShouldBe(retry);
    }

    [Fact]
    public void Backoff_KnowsEveryCause() =>
        typeof(BackoffTests)
            .GetMethod(nameof(Backoff_EachCause_HasItsDecision))!
            .GetCustomAttributes(typeof(InlineDataAttribute), false)
            .Length.ShouldBe(Enum.GetValues<FailureCause>().Length);

    [Theory]
    [InlineData(FailureCause.CredentialUnavailable)]
    [InlineData(FailureCause.ServiceError)]
    public void Backoff_ErrorThatStays_Stops(FailureCause cause)
    {
        var policy = HubReconnect.Backoff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30));
        policy(Attempt(1, cause: cause, error: new HubServiceException(400, "bad"))).Retry.ShouldBeFalse();
        policy(Attempt(2, cause: cause, error: new HubServiceException(500, "busy"))).Retry.ShouldBeTrue();
    }

    [Fact]
    public void Backoff_TokenExpired_GoesOnAtOnceButNotTwiceInARow()
    {
        var policy = HubReconnect.Backoff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30), random: new FixedShare(1));
        policy(Attempt(4, 3000, cause: FailureCause.TokenExpired)).Delay.ShouldBe(TimeSpan.Zero);
        policy(Attempt(5, 0.1, cause: FailureCause.TokenExpired)).Delay.TotalSeconds.ShouldBe(2);
        policy(Attempt(6, 3000, cause: FailureCause.TokenExpired)).Delay.ShouldBe(TimeSpan.Zero);
    }

    [Theory]
    [InlineData(0, 15)]
    [InlineData(0.5, 22.5)]
    [InlineData(1, 30)]
    public void Backoff_AnotherClient_WaitsNearTheMost(double share, double seconds) =>
        HubReconnect
            .Backoff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30), random: new FixedShare(share))(
                Attempt(1, 0.1, cause: FailureCause.AnotherClientSuspected)
            )
            .Delay.TotalSeconds.ShouldBe(seconds);
}
