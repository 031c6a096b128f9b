using EdgeDm.Testing;

namespace EdgeDm.Hub.Tests;

public sealed class ReconnectTests : IAsyncLifetime
{
    private readonly ScriptedHub hub = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => hub.DisposeAsync();

    [Fact]
    public async Task Run_BodyWaitsForTheSessionsEnd_IsALossAndNoCancellation()
    {
        var bodies = 0;
        var causes = new List<Exception>();
        var running = HubReconnect.RunAsync(
            _ => ValueTask.FromResult(hub.Options),
            (session, _) => ++bodies == 1 ? Task.Delay(Timeout.InfiniteTimeSpan, session.Stopped) : Task.CompletedTask,
            attempt =>
            {
                causes.Add(attempt.Error);
                return new(Retry: true, TimeSpan.Zero);
            }
        );
        var first = await hub.WelcomeAsync();
        await first.SendBytesAsync(new byte[] { 0xFF });
        await hub.WelcomeAsync();
        await running.WaitAsync(ScriptedHub.Patience);
        causes
            .ShouldHaveSingleItem()
            .ShouldBeOfType<ConnectionLostException>()
            .Reason.ShouldBe(SessionEndReason.ProtocolError);
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
    public async Task Run_ClosedAtTheTokensEnd_SaysSoAndConnectsWithANewOne()
    {
        var time = new FakeTimeProvider(DateTimeOffset.FromUnixTimeSeconds(1_000_000));
        var attempts = new List<HubAttempt>();
        var backoff = HubReconnect.Backoff(TimeSpan.FromDays(1), TimeSpan.FromDays(1), random: new FixedShare(1));
        var connected = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var options = hub.Options with
        {
            TimeProvider = time,
            Credential = HubCredential.FromKey(ScriptedHub.Key, TimeSpan.FromSeconds(60)),
        };
        var running = HubReconnect.RunAsync(
            _ => ValueTask.FromResult(options with { KeepAlive = TimeSpan.FromSeconds(600) }),
            async (session, token) =>
            {
                if (attempts.Count == 0)
                {
                    connected.SetResult();
                    await session.Completion;
                    await session.GetTwinAsync(token);
                }
            },
            attempt =>
            {
                attempts.Add(attempt);
                return backoff(attempt);
            },
            time
        );
        var first = await hub.WelcomeAsync();
        await connected.Task.WaitAsync(ScriptedHub.Patience);
        time.Advance(TimeSpan.FromSeconds(61));
        first.Drop();
        var second = await hub.WelcomeAsync(); // At once: the clock stands still.
        await running.WaitAsync(ScriptedHub.Patience);

        attempts.ShouldHaveSingleItem().Cause.ShouldBe(FailureCause.TokenExpired);
        Token(first).ShouldEndWith("&se=1000060");
        Token(second).ShouldEndWith("&se=1000121");
    }

    [Fact]
    public async Task Run_ThrownOutAgainAndAgain_SuspectsAnotherClientAndBacksOffToTheMost()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var decisions = new List<(FailureCause Cause, TimeSpan Delay)>();
        using var enough = new CancellationTokenSource();
        var backoff = HubReconnect.Backoff(TimeSpan.Zero, TimeSpan.FromHours(1), random: new FixedShare(1));
        var running = HubReconnect.RunAsync(
            _ => ValueTask.FromResult(hub.Options with { TimeProvider = time }),
            async (session, token) =>
            {
                await session.Completion;
                await session.GetTwinAsync(token);
            },
            attempt =>
            {
                var decision = backoff(attempt);
                decisions.Add((attempt.Cause, decision.Delay));
                if (decision.Delay > TimeSpan.Zero)
                {
                    enough.Cancel();
                }
                return decision;
            },
            time,
            cancellationToken: enough.Token
        );
        for (var i = 0; i < 3; i++)
        {
            (await hub.WelcomeAsync()).Drop();
        }
        await Should.ThrowAsync<OperationCanceledException>(running.WaitAsync(ScriptedHub.Patience));

        decisions.ShouldBe([
            (FailureCause.Lost, TimeSpan.Zero),
            (FailureCause.Lost, TimeSpan.Zero),
            (FailureCause.AnotherClientSuspected, TimeSpan.FromHours(1)),
        ]);
    }

    [Fact]
    public async Task Run_FailsAlikeManyTimes_LogsTheCauseOnce()
    {
        var options = hub.Options;
        await hub.DisposeAsync();
        var log = new LineLog();
        var attempts = 0;
        await Should.ThrowAsync<ConnectFailedException>(() =>
            HubReconnect.RunAsync(
                _ => ValueTask.FromResult(options with { LoggerFactory = log }),
                (_, _) => Task.CompletedTask,
                _ => new(++attempts < 5, TimeSpan.Zero)
            )
        );
        attempts.ShouldBe(5);
        log.Of(nameof(HubReconnect)).ShouldHaveSingleItem().ShouldContain("Unreachable");
    }

    [Fact]
    public async Task Run_CauseChanges_IsLoggedAnew()
    {
        var log = new LineLog();
        var attempts = 0;
        var options = hub.Options;
        var running = HubReconnect.RunAsync(
            async token =>
            {
                await Task.Yield();
                return attempts is 1
                    ? options with
                    {
                        Credential = HubCredential.FromToken("SharedAccessSignature se=1"),
                    }
                    : options;
            },
            (_, _) => Task.CompletedTask,
            attempt => new(++attempts < 3, TimeSpan.Zero),
            loggerFactory: log
        );
        await RefuseAsync(3);
        await RefuseAsync(5);
        await Should.ThrowAsync<ConnectFailedException>(running.WaitAsync(ScriptedHub.Patience));

        var lines = log.Of(nameof(HubReconnect));
        lines.Count.ShouldBe(3);
        lines[0].ShouldContain("HubUnavailable");
        lines[1].ShouldContain("CredentialUnavailable");
        lines[2].ShouldContain("NotAuthorized");
        lines[2].ShouldContain("none is tried");
        lines.ShouldAllBe(line => !line.Contains("sig="));

        async Task RefuseAsync(byte code)
        {
            var connection = await hub.AcceptAsync();
            await connection.ExpectAsync<Mqtt.ConnectPacket>();
            await connection.SendAsync(new Mqtt.ConnackPacket(false, (Mqtt.ConnackCode)code).Write);
        }
    }

    private static string Token(ScriptedConnection connection) =>
        System.Text.Encoding.UTF8.GetString(connection.Connect!.Password!.Value.Span);
}
