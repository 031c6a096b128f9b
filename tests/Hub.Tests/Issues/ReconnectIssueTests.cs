using System.Net;
using System.Net.Sockets;
using EdgeDm.Mqtt;
using EdgeDm.Testing;

namespace EdgeDm.Hub.Tests.Issues;

/// <summary>Clients that never came back, came back too often, or told something else than they did.</summary>
public sealed class ReconnectIssueTests : IAsyncLifetime
{
    private readonly ScriptedHub hub = new();
    private int connects;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => hub.DisposeAsync();

    [Fact]
    public async Task Issue_sdk_csharp_1496_HubRestartsAndRefusesOnce_IsTriedAgain()
    {
        var causes = new List<FailureCause>();
        var bodies = 0;
        var running = HubReconnect.RunAsync(
            _ => ValueTask.FromResult(hub.Options),
            async (session, token) =>
            {
                if (++bodies == 1)
                {
                    await session.Completion;
                    await session.GetTwinAsync(token);
                }
            },
            Impatient(causes)
        );
        (await hub.WelcomeAsync()).Drop();
        var refused = await hub.AcceptAsync();
        await refused.ExpectAsync<ConnectPacket>();
        await refused.SendAsync(new ConnackPacket(false, ConnackCode.NotAuthorized).Write);
        await hub.WelcomeAsync();
        await running.WaitAsync(ScriptedHub.Patience);

        bodies.ShouldBe(2);
        causes.ShouldBe([FailureCause.Lost, FailureCause.NotAuthorized]);
    }

    [Fact]
    public async Task Issue_sdk_csharp_2415_HubAwayForLong_IsTriedUntilItIsBack()
    {
        const int Away = 200;
        var causes = new List<FailureCause>();
        var running = HubReconnect.RunAsync(
            _ => ValueTask.FromResult(Reached(after: Away)),
            (_, _) => Task.CompletedTask,
            Impatient(causes)
        );
        await hub.WelcomeAsync();
        await running.WaitAsync(ScriptedHub.Patience);

        connects.ShouldBe(Away + 1);
        causes.ShouldBe(Enumerable.Repeat(FailureCause.Unreachable, Away));
    }

    [Fact]
    public async Task Issue_sdk_csharp_635_LostSession_NeverConnectsAgainByItself()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var (session, connection) = await hub.ConnectAsync(Reached(after: 0) with { TimeProvider = time });
        await using var _ = session;
        connection.Drop();
        await session.Completion.WaitAsync(ScriptedHub.Patience);

        for (var hour = 0; hour < 24; hour++)
        {
            time.Advance(TimeSpan.FromHours(1));
            await Should.ThrowAsync<ConnectionLostException>(() => session.GetTwinAsync().AsTask());
            await Should.ThrowAsync<ConnectionLostException>(() => session.SendTelemetryAsync(new(default)).AsTask());
        }
        session.IsConnected.ShouldBeFalse();
        connects.ShouldBe(1);
    }

    [Fact]
    public async Task Issue_sdk_python_713_LossWithTheBodyInManyWaits_EndsThemAllAndGoesOn()
    {
        var causes = new List<FailureCause>();
        var bodies = 0;
        var running = HubReconnect.RunAsync(
            _ => ValueTask.FromResult(hub.Options),
            async (session, token) =>
            {
                if (++bodies == 1)
                {
                    var waits = (Task[])
                        [
                            session.GetTwinAsync(token).AsTask(),
                            session.SendTelemetryAsync(new(default), token).AsTask(),
                            session.UpdateReportedAsync("{}"u8.ToArray(), token).AsTask(),
                        ];
                    foreach (var wait in waits)
                    {
                        await Should.ThrowAsync<ConnectionLostException>(wait);
                    }
                    await waits[0];
                }
            },
            Impatient(causes)
        );
        var first = await hub.WelcomeAsync();
        for (var packet = 0; packet < 3; packet++)
        {
            await first.ExpectAsync<ReceivedPublish>();
        }
        first.Drop();
        await hub.WelcomeAsync();
        await running.WaitAsync(ScriptedHub.Patience);
        bodies.ShouldBe(2);
    }

    [Fact]
    public async Task Issue_iotedge_5856_HubFallsSilent_IsNoticedAndConnectedAnew()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var causes = new List<FailureCause>();
        var connected = new SemaphoreSlim(0);
        var bodies = 0;
        var running = HubReconnect.RunAsync(
            _ => ValueTask.FromResult(hub.Options with { TimeProvider = time, KeepAlive = TimeSpan.FromSeconds(10) }),
            async (session, token) =>
            {
                connected.Release();
                if (++bodies == 1)
                {
                    await session.Completion;
                    await session.GetTwinAsync(token);
                }
            },
            Impatient(causes),
            time
        );
        await hub.WelcomeAsync();
        (await connected.WaitAsync(ScriptedHub.Patience)).ShouldBeTrue();
        time.Advance(TimeSpan.FromSeconds(5));
        time.Advance(TimeSpan.FromSeconds(5));
        time.Advance(TimeSpan.FromSeconds(5));
        await hub.WelcomeAsync();
        await running.WaitAsync(ScriptedHub.Patience);

        causes.ShouldBe([FailureCause.Lost]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    public async Task Issue_sdk_csharp_2209_AttemptsOfAPolicy_AreAsManyAsItSays(int attempts)
    {
        var asked = 0;
        var made = 0;
        await Should.ThrowAsync<ConnectFailedException>(() =>
            HubReconnect.RunAsync(
                _ =>
                {
                    made++;
                    return ValueTask.FromResult(Reached(after: int.MaxValue));
                },
                (_, _) => Task.CompletedTask,
                _ => new(++asked < attempts, TimeSpan.Zero)
            )
        );
        (asked, made, connects).ShouldBe((attempts, attempts, attempts));
    }

    [Fact]
    public async Task Issue_sdk_csharp_2833_FailedConnect_IsOneAttempt()
    {
        await Should.ThrowAsync<ConnectFailedException>(() =>
            IoTHubSession.ConnectAsync(Reached(after: int.MaxValue)).AsTask()
        );
        connects.ShouldBe(1);
    }

    [Fact]
    public async Task Issue_sdk_csharp_1541_ToldToHaveStopped_EverythingSaysSo()
    {
        var (session, connection) = await hub.ConnectAsync();
        await using var _ = session;
        var told = new List<(bool Connected, bool Completed, bool Faulted)>();
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var registration = session.Stopped.Register(() =>
        {
            told.Add((session.IsConnected, session.Completion.IsCompleted, session.Completion.IsFaulted));
            done.TrySetResult();
        });
        connection.Drop();
        await done.Task.WaitAsync(ScriptedHub.Patience);

        told.ShouldBe([(false, true, false)]);
        await Should.ThrowAsync<ConnectionLostException>(() => session.GetTwinAsync().AsTask());
    }

    [Fact]
    public async Task Issue_sdk_csharp_350_ClosedBehindALoss_TellsTheLossOnce()
    {
        var (session, connection) = await hub.ConnectAsync();
        var told = 0;
        using var registration = session.Stopped.Register(() => told++);
        connection.Drop();
        var end = await session.Completion.WaitAsync(ScriptedHub.Patience);
        await session.DisposeAsync();
        await session.DisposeAsync();

        (await session.Completion).ShouldBeSameAs(end);
        end.Reason.ShouldNotBe(SessionEndReason.Disposed);
        told.ShouldBeLessThanOrEqualTo(1);
    }

    /// <summary>Retries at once, and keeps the causes.</summary>
    private static Func<HubAttempt, ReconnectDecision> Impatient(List<FailureCause> causes)
    {
        var backoff = HubReconnect.Backoff(TimeSpan.Zero, TimeSpan.Zero);
        return attempt =>
        {
            causes.Add(attempt.Cause);
            return backoff(attempt);
        };
    }

    /// <summary>Options by which nobody is reached for so many times.</summary>
    private HubSessionOptions Reached(int after) =>
        hub.Options with
        {
            ConnectCallback = async (_, token) =>
            {
                if (connects++ < after)
                {
                    throw new SocketException((int)SocketError.ConnectionRefused);
                }
                var client = new TcpClient();
                await client.ConnectAsync(IPAddress.Loopback, hub.Port, token);
                return client.GetStream();
            },
        };
}
