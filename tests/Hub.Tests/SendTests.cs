using EdgeDm.Mqtt;
using EdgeDm.Mqtt.IoTHub;
using EdgeDm.Testing;

namespace EdgeDm.Hub.Tests;

public sealed class SendTests : IAsyncLifetime
{
    private readonly ScriptedHub hub = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => hub.DisposeAsync();

    private static OutboundMessage Message(string text = "{}") => new(System.Text.Encoding.UTF8.GetBytes(text));

    [Fact]
    public async Task SendToOutput_WithProperties_ArrivesWithThem()
    {
        var (session, connection) = await hub.ConnectAsync();
        await using var _ = session;
        var sending = session.SendToOutputAsync(
            "downloads",
            Message("""{"a":1}""") with
            {
                MessageId = "m 1",
                CorrelationId = "c",
                ContentType = "application/json",
                ContentEncoding = "utf-8",
                Properties = new Dictionary<string, string> { ["schema"] = "a/b&c=d+e" },
            }
        );
        var publish = await connection.ExpectAsync<ReceivedPublish>();
        sending.IsCompleted.ShouldBeFalse();
        await connection.SendAsync(w => PubackPacket.Write(w, publish.PacketId));
        await sending;
        publish.QoS.ShouldBe(MqttQoS.AtLeastOnce);
        publish.Topic.ShouldBe(
            "devices/gateway/modules/Module/messages/events/%24.on=downloads&%24.mid=m%201&%24.cid=c"
                + "&%24.ct=application%2Fjson&%24.ce=utf-8&schema=a%2Fb%26c%3Dd%2Be"
        );
        publish.Body.ShouldBe("""{"a":1}""");
    }

    [Fact]
    public async Task SendTelemetry_AsDevice_HasTheDevicesTopic()
    {
        var (session, connection) = await hub.ConnectAsync(hub.Options with { ModuleId = null });
        await using var _ = session;
        var sending = session.SendTelemetryAsync(Message());
        (await connection.TakePublishAsync()).Topic.ShouldBe("devices/gateway/messages/events/");
        await sending;
        await Should.ThrowAsync<InvalidOperationException>(() => session.SendToOutputAsync("o", Message()).AsTask());
    }

    [Fact]
    public async Task Send_ManyAtOnce_LeaveInOrderAndCompleteByTheirOwnAcknowledgement()
    {
        var (session, connection) = await hub.ConnectAsync();
        await using var _ = session;
        var sends = Enumerable.Range(0, 20).Select(n => session.SendTelemetryAsync(Message($"{n}")).AsTask()).ToArray();
        var publishes = new List<ReceivedPublish>();
        for (var n = 0; n < 20; n++)
        {
            publishes.Add(await connection.ExpectAsync<ReceivedPublish>());
            publishes[n].Body.ShouldBe($"{n}");
        }
        publishes.Select(p => p.PacketId).Distinct().Count().ShouldBe(20);
        await connection.SendAsync(w => PubackPacket.Write(w, publishes[7].PacketId));
        await sends[7].WaitAsync(ScriptedHub.Patience);
        sends[6].IsCompleted.ShouldBeFalse();
        foreach (var publish in publishes.Where((_, n) => n != 7))
        {
            await connection.SendAsync(w => PubackPacket.Write(w, publish.PacketId));
        }
        await Task.WhenAll(sends).WaitAsync(ScriptedHub.Patience);
    }

    [Fact]
    public async Task Send_WindowFull_WaitsForAnAcknowledgement()
    {
        var (session, connection) = await hub.ConnectAsync(hub.Options with { MaxInFlight = 2 });
        await using var _ = session;
        var sends = Enumerable.Range(0, 3).Select(n => session.SendTelemetryAsync(Message($"{n}")).AsTask()).ToArray();
        var first = await connection.ExpectAsync<ReceivedPublish>();
        var second = await connection.ExpectAsync<ReceivedPublish>();
        // A twin request needs a place as well: it would overtake the third message if that had left.
        await connection.SendAsync(w => PubackPacket.Write(w, first.PacketId));
        (await connection.TakePublishAsync()).Body.ShouldBe("2");
        await connection.SendAsync(w => PubackPacket.Write(w, second.PacketId));
        await Task.WhenAll(sends).WaitAsync(ScriptedHub.Patience);
    }

    [Fact]
    public async Task Send_ManyMoreThanTheWindow_LeaveInTheOrderOfTheCalls()
    {
        var (session, connection) = await hub.ConnectAsync(hub.Options with { MaxInFlight = 3 });
        await using var _ = session;
        var sends = new List<Task>();
        for (var n = 0; n < 200; n++)
        {
            using var cancel = new CancellationTokenSource();
            var isGivenUp = n % 10 == 9;
            var sending = session.SendTelemetryAsync(Message($"{n}"), isGivenUp ? cancel.Token : default).AsTask();
            if (!isGivenUp)
            {
                sends.Add(sending);
                continue;
            }
            await cancel.CancelAsync(); // Before it had a place.
            await Should.ThrowAsync<OperationCanceledException>(sending);
        }
        for (var n = 0; n < 200; n++)
        {
            if (n % 10 != 9)
            {
                (await connection.TakePublishAsync()).Body.ShouldBe($"{n}");
            }
        }
        await Task.WhenAll(sends).WaitAsync(ScriptedHub.Patience);
    }

    [Fact]
    public async Task Send_WaitsForAPlaceWhenTheConnectionIsLost_KnowsThatNothingLeft()
    {
        var (session, connection) = await hub.ConnectAsync(hub.Options with { MaxInFlight = 1 });
        await using var _ = session;
        var sent = session.SendTelemetryAsync(Message("1")).AsTask();
        var waiting = session.SendTelemetryAsync(Message("2")).AsTask();
        await connection.ExpectAsync<ReceivedPublish>();
        connection.Drop();
        (await Should.ThrowAsync<ConnectionLostException>(sent)).OutcomeUnknown.ShouldBeTrue();
        (await Should.ThrowAsync<ConnectionLostException>(waiting)).OutcomeUnknown.ShouldBeFalse();
    }

    [Fact]
    public async Task Send_CallerGivesUp_KeepsItsPacketIdUntilTheAcknowledgement()
    {
        var (session, connection) = await hub.ConnectAsync(hub.Options with { MaxInFlight = 1 });
        await using var _ = session;
        using var cancel = new CancellationTokenSource();
        var abandoned = session.SendTelemetryAsync(Message("1"), cancel.Token).AsTask();
        var publish = await connection.ExpectAsync<ReceivedPublish>();
        await cancel.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(abandoned);
        var next = session.SendTelemetryAsync(Message("2")).AsTask();
        next.IsCompleted.ShouldBeFalse();
        await connection.SendAsync(w => PubackPacket.Write(w, publish.PacketId));
        (await connection.TakePublishAsync()).Body.ShouldBe("2");
        await next.WaitAsync(ScriptedHub.Patience);
    }

    [Fact]
    public async Task Send_AcknowledgementOfSomethingElse_IsIgnored()
    {
        var (session, connection) = await hub.ConnectAsync();
        await using var _ = session;
        var sending = session.SendTelemetryAsync(Message()).AsTask();
        var publish = await connection.ExpectAsync<ReceivedPublish>();
        await connection.SendAsync(w => PubackPacket.Write(w, (ushort)(publish.PacketId + 1)));
        await connection.SendAsync(w => PubackPacket.Write(w, publish.PacketId));
        await sending.WaitAsync(ScriptedHub.Patience);
        session.IsConnected.ShouldBeTrue();
    }

    [Fact]
    public async Task Send_NeverAcknowledged_TimesOutAndEndsTheSession()
    {
        var time = new FakeTimeProvider();
        var (session, connection) = await hub.ConnectAsync(
            hub.Options with
            {
                TimeProvider = time,
                OperationTimeout = TimeSpan.FromSeconds(5),
            }
        );
        await using var _ = session;
        var sending = session.SendTelemetryAsync(Message()).AsTask();
        await connection.ExpectAsync<ReceivedPublish>();
        time.Advance(TimeSpan.FromSeconds(5));
        await Should.ThrowAsync<TimeoutException>(sending);
        (await session.Completion).Reason.ShouldBe(SessionEndReason.AckTimeout);
    }

    [Fact]
    public async Task Send_LargestMessage_IsSentAndOneByteMoreIsNot()
    {
        var (session, connection) = await hub.ConnectAsync(hub.Options with { MaxMessageBytes = 1_000 });
        await using var _ = session;
        var topic = HubTopics.Events("gateway", "Module").Length;
        var largest = new byte[1_000 - topic - 9];
        var sending = session.SendTelemetryAsync(new(largest));
        (await connection.TakePublishAsync()).Body.Length.ShouldBe(largest.Length);
        await sending;
        await Should.ThrowAsync<ArgumentException>(() =>
            session.SendTelemetryAsync(new(new byte[largest.Length + 1])).AsTask()
        );
        session.IsConnected.ShouldBeTrue();
    }

    [Theory]
    [InlineData("")]
    [InlineData("$.mid")]
    public async Task Send_PropertyOfTheHubs_IsRefused(string name)
    {
        var (session, _) = await hub.ConnectAsync();
        await using var __ = session;
        await Should.ThrowAsync<ArgumentException>(() =>
            session
                .SendTelemetryAsync(Message() with { Properties = new Dictionary<string, string> { [name] = "x" } })
                .AsTask()
        );
        await Should.ThrowAsync<ArgumentException>(() => session.SendToOutputAsync("", Message()).AsTask());
    }

    [Fact]
    public async Task Send_LargePayload_ArrivesWhole()
    {
        var (session, connection) = await hub.ConnectAsync();
        await using var _ = session;
        var text = new string('x', 250_000);
        var sending = session.SendTelemetryAsync(Message(text));
        (await connection.TakePublishAsync()).Body.ShouldBe(text);
        await sending;
    }
}
