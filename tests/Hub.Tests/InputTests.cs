using System.Text;
using EdgeDm.Mqtt;
using EdgeDm.Mqtt.IoTHub;
using EdgeDm.Testing;

namespace EdgeDm.Hub.Tests;

public sealed class InputTests : IAsyncLifetime
{
    private static readonly string Filter = HubTopics.InputsFilter("gateway", "Module");

    private readonly ScriptedHub hub = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => hub.DisposeAsync();

    [Fact]
    public async Task Read_AcknowledgesWhenTheLoopAsksForTheNext()
    {
        var (session, connection) = await hub.ConnectAsync();
        await using var _ = session;
        await using var items = session.ReadInputsAsync().GetAsyncEnumerator();
        var first = items.MoveNextAsync().AsTask();
        await connection.GrantAsync(Filter);
        await connection.PublishInputAsync("in", "one", 11, "m1");
        (await first.WaitAsync(ScriptedHub.Patience)).ShouldBeTrue();
        var message = items.Current;
        Encoding.UTF8.GetString(message.Payload.Span).ShouldBe("one");
        (message.InputName, message.MessageId).ShouldBe(("in", "m1"));
        (message.ConnectionDeviceId, message.ConnectionModuleId).ShouldBe(("gateway", "Peer"));
        message.ContentType.ShouldBeNull();

        // Whatever the session sends now comes before the acknowledgement: the loop has not asked yet.
        var sending = session.SendTelemetryAsync(new("{}"u8.ToArray()));
        await connection.TakePublishAsync();
        await sending;
        var second = items.MoveNextAsync().AsTask();
        (await connection.ExpectAsync<PubackPacket>()).PacketId.ShouldBe((ushort)11);
        second.IsCompleted.ShouldBeFalse();
        await connection.PublishInputAsync("in", "two", 12);
        (await second.WaitAsync(ScriptedHub.Patience)).ShouldBeTrue();
    }

    [Fact]
    public async Task Ack_OutOfOrder_LeavesInTheOrderOfReceipt()
    {
        var (session, connection) = await hub.ConnectAsync();
        await using var _ = session;
        var subscribing = session.SubscribeAsync(HubChannel.Inputs).AsTask();
        await connection.GrantAsync(Filter);
        await using var subscription = await subscribing;
        await using var a = session.ReadInputsAsync("a").GetAsyncEnumerator();
        await using var b = session.ReadInputsAsync("b").GetAsyncEnumerator();
        var toA = a.MoveNextAsync().AsTask();
        var toB = b.MoveNextAsync().AsTask();
        await connection.PublishInputAsync("a", "1", 21);
        await connection.PublishInputAsync("b", "2", 22);
        await toA.WaitAsync(ScriptedHub.Patience);
        await toB.WaitAsync(ScriptedHub.Patience);
        (await b.Current.AckAsync()).ShouldBeTrue();
        (await a.Current.AckAsync()).ShouldBeTrue();
        (await a.Current.AckAsync()).ShouldBeTrue();
        (await connection.ExpectAsync<PubackPacket>()).PacketId.ShouldBe((ushort)21);
        (await connection.ExpectAsync<PubackPacket>()).PacketId.ShouldBe((ushort)22);
    }

    [Fact]
    public async Task Read_LoopLeft_GivesItsMessageToTheNextLoop()
    {
        var (session, connection) = await hub.ConnectAsync();
        await using var _ = session;
        var first = FirstAsync(session.ReadInputsAsync());
        await connection.GrantAsync(Filter);
        await connection.PublishInputAsync("in", "one", 1);
        await connection.PublishInputAsync("in", "two", 2);
        (await first.WaitAsync(ScriptedHub.Patience)).ShouldBe("one");
        var unsubscribe = await connection.ExpectAsync<UnsubscribePacket>();
        unsubscribe.Filters.ShouldBe([Filter]);
        await connection.SendAsync(w => UnsubackPacket.Write(w, unsubscribe.PacketId));

        var second = session.ReadInputsAsync().GetAsyncEnumerator();
        await using var __ = second;
        var moving = second.MoveNextAsync().AsTask();
        await connection.GrantAsync(Filter);
        await moving.WaitAsync(ScriptedHub.Patience);
        Encoding.UTF8.GetString(second.Current.Payload.Span).ShouldBe("one");
        await second.MoveNextAsync();
        Encoding.UTF8.GetString(second.Current.Payload.Span).ShouldBe("two");
        (await connection.ExpectAsync<PubackPacket>()).PacketId.ShouldBe((ushort)1);
    }

    [Fact]
    public async Task Read_WaiterCancelled_TakesNothingWithIt()
    {
        var (session, connection) = await hub.ConnectAsync();
        await using var _ = session;
        var subscribing = session.SubscribeAsync(HubChannel.Inputs).AsTask();
        await connection.GrantAsync(Filter);
        await using var subscription = await subscribing;
        using var cancel = new CancellationTokenSource();
        var waiting = FirstAsync(subscription, cancel.Token);
        await cancel.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(waiting);
        await connection.PublishInputAsync("in", "one", 1);
        (await FirstAsync(subscription).WaitAsync(ScriptedHub.Patience)).ShouldBe("one");
    }

    [Fact]
    public async Task Read_SecondReaderOfAName_IsRefused()
    {
        var (session, connection) = await hub.ConnectAsync();
        await using var _ = session;
        var subscribing = session.SubscribeAsync(HubChannel.Input("a")).AsTask();
        await connection.GrantAsync(Filter);
        await using var subscription = await subscribing;
        await Should.ThrowAsync<InvalidOperationException>(() =>
            session.SubscribeAsync(HubChannel.Input("a")).AsTask()
        );
    }

    [Fact]
    public async Task Message_BeforeTheSubscription_WaitsForTheReader()
    {
        var (session, connection) = await hub.ConnectAsync();
        await using var _ = session;
        await connection.PublishInputAsync("in", "stored", 5);
        var first = FirstAsync(session.ReadInputsAsync());
        await connection.GrantAsync(Filter);
        (await first.WaitAsync(ScriptedHub.Patience)).ShouldBe("stored");
    }

    [Fact]
    public async Task Subscribe_Refused_ThrowsAndMayBeTriedAgain()
    {
        var (session, connection) = await hub.ConnectAsync();
        await using var _ = session;
        var refused = session.SubscribeAsync(HubChannel.Inputs).AsTask();
        await connection.GrantAsync(Filter, SubackPacket.Failure);
        (await Should.ThrowAsync<SubscriptionRefusedException>(refused)).Filter.ShouldBe(Filter);
        await connection.ExpectAsync<UnsubscribePacket>();
        var granted = session.SubscribeAsync(HubChannel.Inputs).AsTask();
        await connection.GrantAsync(Filter);
        await using var subscription = await granted.WaitAsync(ScriptedHub.Patience);
    }

    [Fact]
    public async Task MoreThanWaits_EndsTheSessionLoudly()
    {
        var (session, connection) = await hub.ConnectAsync(hub.Options with { MaxUnreadInputs = 3 });
        await using var _ = session;
        for (ushort id = 1; id <= 3; id++)
        {
            await connection.PublishInputAsync("in", "x", id);
        }
        // An answered request proves that three were taken in.
        var twin = session.GetTwinAsync();
        await connection.AnswerTwinAsync(200, """{"desired":{},"reported":{}}""");
        await twin;
        session.IsConnected.ShouldBeTrue();
        await connection.PublishInputAsync("in", "x", 4);
        (await session.Completion.WaitAsync(ScriptedHub.Patience)).Reason.ShouldBe(SessionEndReason.ReceiverOverrun);
    }

    [Fact]
    public async Task ArrivedBeforeTheLoss_IsDeliveredThenTheLoss()
    {
        var (session, connection) = await hub.ConnectAsync();
        await using var _ = session;
        await using var items = session.ReadInputsAsync().GetAsyncEnumerator();
        var first = items.MoveNextAsync().AsTask();
        await connection.GrantAsync(Filter);
        await connection.PublishInputAsync("in", "one", 1);
        await connection.PublishInputAsync("in", "two", 2);
        await first.WaitAsync(ScriptedHub.Patience);
        var twin = session.GetTwinAsync();
        await connection.AnswerTwinAsync(200, """{"desired":{},"reported":{}}""");
        await twin; // Both messages have been taken in.
        connection.Drop();
        await session.Completion.WaitAsync(ScriptedHub.Patience);
        (await items.MoveNextAsync()).ShouldBeTrue();
        Encoding.UTF8.GetString(items.Current.Payload.Span).ShouldBe("two");
        (await items.Current.AckAsync()).ShouldBeFalse();
        await Should.ThrowAsync<ConnectionLostException>(() => items.MoveNextAsync().AsTask());
    }

    [Fact]
    public async Task UnknownTopic_IsAcknowledgedAndDropped()
    {
        var (session, connection) = await hub.ConnectAsync();
        await using var _ = session;
        await connection.PublishAsync("some/topic", "x", 9);
        (await connection.ExpectAsync<PubackPacket>()).PacketId.ShouldBe((ushort)9);
        session.IsConnected.ShouldBeTrue();
    }

    [Fact]
    public async Task Device_HasNoInputs()
    {
        var (session, _) = await hub.ConnectAsync(hub.Options with { ModuleId = null });
        await using var __ = session;
        await Should.ThrowAsync<InvalidOperationException>(() => FirstAsync(session.ReadInputsAsync()));
    }

    private static async Task<string> FirstAsync(
        IAsyncEnumerable<HubMessage> messages,
        CancellationToken cancellationToken = default
    )
    {
        await foreach (var message in messages.WithCancellation(cancellationToken))
        {
            return Encoding.UTF8.GetString(message.Payload.Span);
        }
        throw new InvalidOperationException("There is none.");
    }
}
