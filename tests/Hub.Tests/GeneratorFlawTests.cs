using EdgeDm.Mqtt;
using EdgeDm.Mqtt.IoTHub;
using EdgeDm.Testing;

namespace EdgeDm.Hub.Tests;

/// <summary>Flaws of the Python V3 preview's generators, which this session's loops must not have. Those with a test of their own elsewhere are in README.md.</summary>
public sealed class GeneratorFlawTests : IAsyncLifetime
{
    private static readonly string Inputs = HubTopics.InputsFilter("gateway", "Module");

    private readonly ScriptedHub hub = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => hub.DisposeAsync();

    [Fact]
    public async Task Flaw1_SecondLoopOverOneSubscription_IsRefusedAndTheFirstGoesOn()
    {
        var (session, connection) = await hub.ConnectAsync();
        await using var _ = session;
        var subscribing = session.SubscribeAsync(HubChannel.Inputs).AsTask();
        await connection.GrantAsync(Inputs);
        await using var subscription = await subscribing.WaitAsync(ScriptedHub.Patience);
        await using var first = subscription.GetAsyncEnumerator();
        await using var second = subscription.GetAsyncEnumerator();
        var waiting = first.MoveNextAsync().AsTask();
        await Should.ThrowAsync<InvalidOperationException>(() => second.MoveNextAsync().AsTask());
        await connection.PublishInputAsync("in", "1", 1);
        (await waiting.WaitAsync(ScriptedHub.Patience)).ShouldBeTrue();
    }

    [Fact]
    public async Task Flaw2_LoopCancelledManyTimes_NoItemIsEaten()
    {
        var (session, connection) = await hub.ConnectAsync();
        await using var _ = session;
        var subscribing = session.SubscribeAsync(HubChannel.Inputs).AsTask();
        await connection.GrantAsync(Inputs);
        await using var subscription = await subscribing.WaitAsync(ScriptedHub.Patience);
        for (ushort id = 1; id <= 50; id++)
        {
            using var cancel = new CancellationTokenSource();
            await using var items = subscription.GetAsyncEnumerator(cancel.Token);
            var waiting = items.MoveNextAsync().AsTask();
            // Item and cancellation race.
            await Task.WhenAll(connection.PublishInputAsync("in", $"{id}", id), Task.Run(cancel.CancelAsync));
            try
            {
                await waiting.WaitAsync(ScriptedHub.Patience);
                items.Current.GetText().ShouldBe($"{id}");
                await items.Current.AckAsync();
            }
            catch (OperationCanceledException)
            {
                await using var next = subscription.GetAsyncEnumerator();
                (await next.MoveNextAsync().AsTask().WaitAsync(ScriptedHub.Patience)).ShouldBeTrue();
                next.Current.GetText().ShouldBe($"{id}");
                await next.Current.AckAsync();
            }
        }
    }

    [Fact]
    public async Task Flaw3_PatchesBehindTheLoop_DoNotComeStaleInTheNext()
    {
        var (session, connection) = await hub.ConnectAsync();
        await using var _ = session;
        var first = session.ReadDesiredUpdatesAsync().GetAsyncEnumerator();
        var moving = first.MoveNextAsync().AsTask();
        await connection.GrantAsync(HubTopics.DesiredFilter);
        await connection.PublishAsync(HubTopics.DesiredPatch(2), "{}");
        await connection.PublishAsync(HubTopics.DesiredPatch(3), "{}"); // Never read.
        await moving.WaitAsync(ScriptedHub.Patience);
        await first.DisposeAsync();
        await connection.ExpectAsync<UnsubscribePacket>();
        await using var second = session.ReadDesiredUpdatesAsync().GetAsyncEnumerator();
        var next = second.MoveNextAsync().AsTask();
        await connection.GrantAsync(HubTopics.DesiredFilter);
        await connection.PublishAsync(HubTopics.DesiredPatch(4), "{}");
        await next.WaitAsync(ScriptedHub.Patience);
        second.Current.Version.ShouldBe(4);
    }

    [Fact]
    public async Task Flaw3_MethodCallsBehindTheLoop_AreNotDoneWhenTheirCallersHaveGivenUp()
    {
        var time = new FakeTimeProvider();
        var (session, connection) = await hub.ConnectAsync(
            hub.Options with
            {
                TimeProvider = time,
                KeepAlive = TimeSpan.FromSeconds(600),
            }
        );
        await using var _ = session;
        await connection.PublishAsync(HubTopics.MethodRequest("old", "1"), "{}");
        await connection.ProveReadAsync(session);
        time.Advance(IoTHubSession.UnreadMethodLifetime);
        await connection.PublishAsync(HubTopics.MethodRequest("young", "2"), "{}");
        await connection.ProveReadAsync(session);
        time.Advance(IoTHubSession.UnreadMethodLifetime - TimeSpan.FromSeconds(1));
        await using var calls = session.ReadMethodRequestsAsync().GetAsyncEnumerator();
        var call = calls.MoveNextAsync().AsTask();
        await connection.GrantAsync(HubTopics.MethodFilter);
        await call.WaitAsync(ScriptedHub.Patience);
        calls.Current.Name.ShouldBe("young");
    }

    [Fact]
    public async Task Flaw4_BehindADrop_TheNextSessionsLoopRuns()
    {
        for (var round = 0; round < 2; round++)
        {
            var (session, connection) = await hub.ConnectAsync();
            await using var _ = session;
            await using var items = session.ReadInputsAsync().GetAsyncEnumerator();
            var moving = items.MoveNextAsync().AsTask();
            await connection.GrantAsync(Inputs);
            await connection.PublishInputAsync("in", $"{round}", 1);
            (await moving.WaitAsync(ScriptedHub.Patience)).ShouldBeTrue();
            connection.Drop();
            await Should.ThrowAsync<ConnectionLostException>(() => items.MoveNextAsync().AsTask());
        }
    }

    [Fact]
    public async Task Flaw5_LoopLeft_TheOtherOneKeepsTheSubscription()
    {
        var (session, connection) = await hub.ConnectAsync();
        await using var _ = session;
        var openingA = session.SubscribeAsync(HubChannel.Input("a")).AsTask();
        await connection.GrantAsync(Inputs);
        var a = await openingA.WaitAsync(ScriptedHub.Patience);
        await using var b = await session.SubscribeAsync(HubChannel.Input("b")); // Granted already.
        await a.DisposeAsync();
        await connection.PublishInputAsync("b", "1", 1);
        await using var items = b.GetAsyncEnumerator();
        (await items.MoveNextAsync().AsTask().WaitAsync(ScriptedHub.Patience)).ShouldBeTrue();
        await items.Current.AckAsync();
        await connection.ExpectAsync<PubackPacket>(); // And no UNSUBSCRIBE before it.
    }
}
