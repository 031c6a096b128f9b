using EdgeDm.Testing;

namespace EdgeDm.Hub.Tests;

public sealed class ReconnectTests : IAsyncLifetime
{
    private readonly ScriptedHub hub = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => hub.DisposeAsync();

    private static HubAttempt Attempt(int failures, double uptimeSeconds = 0, Exception? error = null) =>
        new(failures, error ?? new TimeoutException(), TimeSpan.FromSeconds(uptimeSeconds), null);

    [Fact]
    public void Backoff_DoublesUpToTheMostWithFullJitter()
    {
        var all = HubReconnect.Backoff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30), random: new Share(1));
        var half = HubReconnect.Backoff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30), random: new Share(0.5));
        var delays = Enumerable.Range(1, 8).Select(n => all(Attempt(n)).Delay.TotalSeconds);
        delays.ShouldBe([1, 2, 4, 8, 16, 30, 30, 30]);
        half(Attempt(3)).Delay.TotalSeconds.ShouldBe(2);
        all(Attempt(2_000_000)).Delay.TotalSeconds.ShouldBe(30);
    }

    [Fact]
    public void Backoff_AfterALastingSession_StartsOver()
    {
        var policy = HubReconnect.Backoff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30), random: new Share(1));
        policy(Attempt(5)).Delay.TotalSeconds.ShouldBe(16);
        policy(Attempt(6, 59.9)).Delay.TotalSeconds.ShouldBe(30);
        policy(Attempt(7, 60)).Delay.TotalSeconds.ShouldBe(1);
        policy(Attempt(8)).Delay.TotalSeconds.ShouldBe(2);
    }

    [Fact]
    public async Task Run_LostThenConnected_RunsTheBodyOncePerConnection()
    {
        var time = new FakeTimeProvider();
        var bodies = 0;
        var attempts = new List<HubAttempt>();
        var running = HubReconnect.RunAsync(
            _ => ValueTask.FromResult(hub.Options),
            async (session, token) =>
            {
                if (++bodies == 1)
                {
                    await session.GetTwinAsync(token);
                }
            },
            attempt =>
            {
                attempts.Add(attempt);
                return new(true, TimeSpan.Zero);
            },
            time
        );
        var first = await hub.WelcomeAsync();
        await first.TakePublishAsync();
        first.Drop();
        await hub.WelcomeAsync();
        await running.WaitAsync(ScriptedHub.Patience);
        bodies.ShouldBe(2);
        var attempt = attempts.ShouldHaveSingleItem();
        attempt.ConsecutiveFailures.ShouldBe(1);
        attempt.Error.ShouldBeOfType<ConnectionLostException>();
        attempt.CredentialExpiresOn.ShouldNotBeNull();
    }

    [Fact]
    public async Task Run_PolicyStops_TheErrorComesOut()
    {
        var options = hub.Options;
        await hub.DisposeAsync();
        await Should.ThrowAsync<ConnectFailedException>(() =>
            HubReconnect.RunAsync(
                _ => ValueTask.FromResult(options),
                (_, _) => Task.CompletedTask,
                _ => new(false, TimeSpan.Zero)
            )
        );
    }

    [Fact]
    public async Task Run_BodyFailsOtherwise_ComesOutAtOnce()
    {
        var running = HubReconnect.RunAsync(
            _ => ValueTask.FromResult(hub.Options),
            (_, _) => throw new IOException("disk full"),
            _ => throw new InvalidOperationException("must not be asked")
        );
        var connection = await hub.WelcomeAsync();
        await Should.ThrowAsync<IOException>(running);
        await connection.ExpectAsync(Mqtt.MqttPacketType.Disconnect);
    }

    [Fact]
    public async Task Run_CancelledWhileItWaits_Ends()
    {
        var options = hub.Options;
        await hub.DisposeAsync();
        using var cancel = new CancellationTokenSource();
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var running = HubReconnect.RunAsync(
            _ => ValueTask.FromResult(options),
            (_, _) => Task.CompletedTask,
            _ =>
            {
                asked.SetResult();
                return new(true, TimeSpan.FromDays(1));
            },
            cancellationToken: cancel.Token
        );
        await asked.Task.WaitAsync(ScriptedHub.Patience);
        await cancel.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(running.WaitAsync(ScriptedHub.Patience));
    }

    [Fact]
    public void Backoff_WrongEnvironment_Stops()
    {
        var policy = HubReconnect.Backoff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30));
        var error = Should.Throw<EdgeEnvironmentException>(() =>
            HubSessionOptions.ModuleIdFromEdgeEnvironment(_ => null)
        );
        policy(Attempt(1, error: error)).Retry.ShouldBeFalse();
        policy(Attempt(1)).Retry.ShouldBeTrue();
    }

    /// <summary>Always the same share.</summary>
    private sealed class Share(double value) : Random
    {
        public override double NextDouble() => value;
    }
}
