using System.Text;
using EdgeDm.Mqtt;
using EdgeDm.Mqtt.IoTHub;
using EdgeDm.Testing;

namespace EdgeDm.Hub.Tests;

public sealed class LossTests : IAsyncLifetime
{
    private readonly ScriptedHub hub = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => hub.DisposeAsync();

    [Fact]
    public async Task Drop_EndsEveryCallAndEveryLoop()
    {
        var (session, connection) = await hub.ConnectAsync();
        await using var _ = session;
        var inputs = Drain(session.ReadInputsAsync());
        await connection.GrantAsync(HubTopics.InputsFilter("gateway", "Module"));
        var methods = Drain(session.ReadMethodRequestsAsync());
        await connection.GrantAsync(HubTopics.MethodFilter);
        var updates = Drain(session.ReadDesiredUpdatesAsync());
        await connection.GrantAsync(HubTopics.DesiredFilter);
        var send = session.SendTelemetryAsync(new("{}"u8.ToArray())).AsTask();
        await connection.ExpectAsync<ReceivedPublish>();
        var twin = session.GetTwinAsync().AsTask();
        await connection.TakePublishAsync();
        connection.Drop();
        foreach (var call in (Task[])[inputs, methods, updates])
        {
            (await Should.ThrowAsync<ConnectionLostException>(call)).OutcomeUnknown.ShouldBeFalse();
        }
        foreach (var call in (Task[])[send, twin])
        {
            (await Should.ThrowAsync<ConnectionLostException>(call)).OutcomeUnknown.ShouldBeTrue();
        }
        var end = await session.Completion;
        end.Reason.ShouldBeOneOf(SessionEndReason.ClosedByPeer, SessionEndReason.NetworkError);
        session.Stopped.IsCancellationRequested.ShouldBeTrue();
        session.IsConnected.ShouldBeFalse();
    }

    [Fact]
    public async Task Call_AfterTheLoss_FailsAtOnceAndKnowsThatNothingLeft()
    {
        var (session, connection) = await hub.ConnectAsync();
        await using var _ = session;
        connection.Drop();
        await session.Completion.WaitAsync(ScriptedHub.Patience);
        var error = await Should.ThrowAsync<ConnectionLostException>(() =>
            session.SendTelemetryAsync(new("{}"u8.ToArray())).AsTask()
        );
        error.OutcomeUnknown.ShouldBeFalse();
        error.IsTransient.ShouldBeTrue();
        await Should.ThrowAsync<ConnectionLostException>(() => session.GetTwinAsync().AsTask());
        await Should.ThrowAsync<ConnectionLostException>(() => Drain(session.ReadInputsAsync()));
    }

    [Fact]
    public async Task Drop_WithManySendsWaitingForThePlace_EndsThemAll()
    {
        var (session, connection) = await hub.ConnectAsync(hub.Options with { MaxInFlight = 1 });
        await using var _ = session;
        var sends = Enumerable
            .Range(0, 50)
            .Select(_ => session.SendTelemetryAsync(new("{}"u8.ToArray())).AsTask())
            .ToArray();
        await connection.ExpectAsync<ReceivedPublish>();
        connection.Drop();
        foreach (var send in sends)
        {
            await Should.ThrowAsync<ConnectionLostException>(send.WaitAsync(ScriptedHub.Patience));
        }
    }

    [Fact]
    public async Task Dispose_WithCallsUnderWay_EndsLoopsNormallyAndCallsAsDisposed()
    {
        var (session, connection) = await hub.ConnectAsync();
        var inputs = Drain(session.ReadInputsAsync());
        await connection.GrantAsync(HubTopics.InputsFilter("gateway", "Module"));
        await connection.ProveReadAsync(session); // A loop that is not granted yet does not end, it never began.
        var send = session.SendTelemetryAsync(new("{}"u8.ToArray())).AsTask();
        await connection.ExpectAsync<ReceivedPublish>();
        await session.DisposeAsync();
        await inputs.WaitAsync(ScriptedHub.Patience);
        await Should.ThrowAsync<ObjectDisposedException>(send);
    }

    [Fact]
    public async Task HalfOpen_PingsThenClosesAtOneAndAHalfTimesTheKeepAlive()
    {
        var time = new FakeTimeProvider();
        var (session, connection) = await hub.ConnectAsync(
            hub.Options with
            {
                TimeProvider = time,
                KeepAlive = TimeSpan.FromSeconds(10),
            }
        );
        await using var _ = session;
        time.Advance(TimeSpan.FromSeconds(5));
        await connection.ExpectAsync(MqttPacketType.Pingreq);
        time.Advance(TimeSpan.FromSeconds(9.9));
        session.IsConnected.ShouldBeTrue();
        time.Advance(TimeSpan.FromSeconds(0.1));
        (await session.Completion.WaitAsync(ScriptedHub.Patience)).Reason.ShouldBe(SessionEndReason.KeepAliveTimeout);
    }

    [Fact]
    public async Task Idle_PingAnswered_LivesOn()
    {
        var time = new FakeTimeProvider();
        var (session, connection) = await hub.ConnectAsync(
            hub.Options with
            {
                TimeProvider = time,
                KeepAlive = TimeSpan.FromSeconds(10),
            }
        );
        await using var _ = session;
        for (var round = 0; round < 5; round++)
        {
            time.Advance(TimeSpan.FromSeconds(5));
            await connection.ExpectAsync(MqttPacketType.Pingreq);
            await connection.SendAsync(EmptyPackets.WritePingresp);
            await connection.ProveReadAsync(session); // The PINGRESP.
        }
        session.IsConnected.ShouldBeTrue();
    }

    [Theory]
    [InlineData(new byte[] { 0x10, 0 })] // CONNECT
    [InlineData(new byte[] { 0x82, 6, 0, 1, 0, 1, 97, 0 })] // SUBSCRIBE
    [InlineData(new byte[] { 0x20, 2, 0, 0 })] // a second CONNACK
    [InlineData(new byte[] { 0x34, 5, 0, 1, 97, 0, 1 })] // QoS 2
    [InlineData(new byte[] { 0x40, 2, 0, 0 })] // packet id 0
    [InlineData(new byte[] { 0xFF })]
    public async Task HubBreaksTheProtocol_EndsTheSession(byte[] bytes)
    {
        var (session, connection) = await hub.ConnectAsync();
        await using var _ = session;
        await connection.SendBytesAsync(bytes);
        (await session.Completion.WaitAsync(ScriptedHub.Patience)).Reason.ShouldBe(SessionEndReason.ProtocolError);
    }

    [Fact]
    public async Task PacketOverTheLimit_EndsTheSession()
    {
        var (session, connection) = await hub.ConnectAsync(hub.Options with { MaxMessageBytes = 1_000 });
        await using var _ = session;
        await connection.PublishAsync("devices/gateway/messages/devicebound/x=y", new string('x', 1_000));
        var end = await session.Completion.WaitAsync(ScriptedHub.Patience);
        end.Reason.ShouldBe(SessionEndReason.ProtocolError);
        end.Error!.Message.ShouldContain("1000");
    }

    [Fact]
    public async Task Takeover_SecondSessionOfTheIdentity_EndsTheFirstOnly()
    {
        var (first, firstConnection) = await hub.ConnectAsync();
        await using var _ = first;
        var (second, secondConnection) = await hub.ConnectAsync();
        await using var __ = second;
        firstConnection.Drop(); // As edgeHub does: no DISCONNECT, no reason.
        (await first.Completion.WaitAsync(ScriptedHub.Patience)).Reason.ShouldBeOneOf(
            SessionEndReason.ClosedByPeer,
            SessionEndReason.NetworkError
        );
        var sending = second.SendTelemetryAsync(new(Encoding.UTF8.GetBytes("{}")));
        await secondConnection.TakePublishAsync();
        await sending;
    }

    private static async Task Drain<T>(IAsyncEnumerable<T> items)
    {
        await foreach (var _ in items) { }
    }
}
