using System.Text;
using EdgeDm.Mqtt;
using EdgeDm.Mqtt.IoTHub;
using EdgeDm.Testing;

namespace EdgeDm.Hub.Tests.Issues;

/// <summary>
/// What users of the official clients ran into, each named after an issue of their repositories (github.com/Azure/azure-iot-sdk-csharp
/// and so on): here it must not happen.
/// </summary>
public sealed class CoreIssueTests : IAsyncLifetime
{
    private static readonly string Inputs = HubTopics.InputsFilter("gateway", "Module");

    private readonly ScriptedHub hub = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => hub.DisposeAsync();

    /// <summary>Also #450, iotedge #7148, #2757, #1654, #165, sdk-node #885, sdk-c #775: what was changed while the client was away never came.</summary>
    [Fact]
    public async Task Issue_sdk_csharp_3423_DesiredChangedWhileOffline_ComesWithTheNextSession()
    {
        var seen = new List<long>();
        var running = HubReconnect.RunAsync(
            _ => ValueTask.FromResult(hub.Options),
            async (session, token) =>
            {
                await foreach (var change in session.WatchTwinAsync(token))
                {
                    seen.Add(change.Version);
                    if (change.Version == 9)
                    {
                        return;
                    }
                }
            },
            _ => new(Retry: true, TimeSpan.Zero)
        );
        var first = await hub.WelcomeAsync();
        await first.GrantAsync(HubTopics.DesiredFilter);
        await first.AnswerTwinAsync(200, """{"desired":{"a":1,"$version":3},"reported":{}}""");
        await first.PublishAsync(HubTopics.DesiredPatch(4), """{"a":2}""");
        first.Drop(); // Version 5 to 9 are made while nobody listens.
        var second = await hub.WelcomeAsync();
        await second.GrantAsync(HubTopics.DesiredFilter);
        await second.AnswerTwinAsync(200, """{"desired":{"a":7,"$version":9},"reported":{}}""");
        await running.WaitAsync(ScriptedHub.Patience);
        // The drop may be faster than the loop with version 4, which is what a whole twin is for.
        seen.Where(version => version != 4).ShouldBe([3, 9]);
    }

    /// <summary>Also #2186, #3469, #3135, #3161, #3249: a call hung for ever beside the end of the client.</summary>
    [Fact]
    public async Task Issue_sdk_csharp_2237_CallsBesideTheEnd_AllReturn()
    {
        for (var round = 0; round < 10; round++)
        {
            var (session, connection) = await hub.ConnectAsync(hub.Options with { MaxInFlight = 4 });
            using var cancel = new CancellationTokenSource();
            var calls = new List<Task>();
            for (var count = 0; count < 20; count++)
            {
                calls.Add(session.SendTelemetryAsync(new("{}"u8.ToArray()), cancel.Token).AsTask());
                calls.Add(session.GetTwinAsync(cancel.Token).AsTask());
            }
            calls.Add(ReadAsync(session.ReadInputsAsync(null, cancel.Token)));
            calls.Add(ReadAsync(session.ReadMethodRequestsAsync(cancel.Token)));
            var ends = new[]
            {
                Task.Run(connection.Drop),
                Task.Run(async () => await session.DisposeAsync()),
                Task.Run(cancel.CancelAsync),
            };
            await Task.WhenAll(ends).WaitAsync(ScriptedHub.Patience);
            foreach (var call in calls)
            {
                await Task.WhenAny(call).WaitAsync(ScriptedHub.Patience);
            }
            await Should.ThrowAsync<Exception>(() => session.SendTelemetryAsync(new("{}"u8.ToArray())).AsTask());
        }
    }

    /// <summary>A send inside of a handler waited for an acknowledgement that nobody could read, and the message was handled twice.</summary>
    [Fact]
    public async Task Issue_sdk_csharp_3101_SendInsideOfAHandler_Completes()
    {
        var (session, connection) = await hub.ConnectAsync(hub.Options with { MaxInFlight = 1 });
        await using var _ = session;
        var handled = 0;
        var methods = session.ServeMethodsAsync(
            async (request, token) =>
            {
                await session.SendTelemetryAsync(new(Encoding.UTF8.GetBytes(request.Name)), token);
                return new(200);
            }
        );
        await connection.GrantAsync(HubTopics.MethodFilter);
        var inputs = Task.Run(async () =>
        {
            await foreach (var message in session.ReadInputsAsync())
            {
                handled++;
                await session.SendToOutputAsync("out", new(message.Payload));
                await session.GetTwinAsync();
            }
        });
        await connection.GrantAsync(Inputs);
        await connection.PublishInputAsync("in", "1", 5);
        (await connection.TakePublishAsync()).Body.ShouldBe("1");
        await connection.AnswerTwinAsync(200, """{"desired":{},"reported":{}}""");
        (await connection.ExpectAsync<PubackPacket>()).PacketId.ShouldBe((ushort)5);
        handled.ShouldBe(1);
        await connection.PublishAsync(HubTopics.MethodRequest("m", "r"), "{}");
        (await connection.TakePublishAsync()).Body.ShouldBe("m");
        (await connection.TakePublishAsync()).Topic.ShouldBe("$iothub/methods/res/200/?$rid=r");
        await session.DisposeAsync();
        await Task.WhenAll(inputs, methods).WaitAsync(ScriptedHub.Patience);
    }

    /// <summary>Also #1048, sdk-node #45, #105, #417: a lost network was noticed after four minutes and more, or never.</summary>
    [Fact]
    public async Task Issue_sdk_csharp_1168_EveryWait_HasALimitThatTheApplicationSets()
    {
        var time = new FakeTimeProvider();
        var (session, connection) = await hub.ConnectAsync(
            hub.Options with
            {
                TimeProvider = time,
                KeepAlive = TimeSpan.FromSeconds(600),
                OperationTimeout = TimeSpan.FromSeconds(3),
            }
        );
        await using var _ = session;
        var twin = session.GetTwinAsync().AsTask();
        await connection.TakePublishAsync();
        var marker = session.SendTelemetryAsync(new("marker"u8.ToArray())).AsTask();
        await connection.TakePublishAsync();
        await marker; // The twin request is acknowledged, so that it waits for its answer only.
        time.Advance(TimeSpan.FromSeconds(3));
        await Should.ThrowAsync<TimeoutException>(twin.WaitAsync(ScriptedHub.Patience));
        session.IsConnected.ShouldBeTrue();
        var sending = session.SendTelemetryAsync(new("{}"u8.ToArray())).AsTask();
        var subscribing = session.SubscribeAsync(HubChannel.Inputs).AsTask();
        await connection.ExpectAsync<ReceivedPublish>();
        await connection.ExpectAsync<SubscribePacket>();
        time.Advance(TimeSpan.FromSeconds(3));
        await Should.ThrowAsync<TimeoutException>(sending.WaitAsync(ScriptedHub.Patience));
        await Should.ThrowAsync<TimeoutException>(subscribing.WaitAsync(ScriptedHub.Patience));
        session.IsConnected.ShouldBeFalse();
    }

    /// <summary>Also sdk-node #59, sdk-python #775, sdk-c #2514: a message was acknowledged before it was handled, and lost with the program.</summary>
    [Fact]
    public async Task Issue_sdk_csharp_92_MessageNotHandledYet_ComesAgain()
    {
        var (first, firstConnection) = await hub.ConnectAsync();
        await using (first)
        {
            await using var items = first.ReadInputsAsync().GetAsyncEnumerator();
            var moving = items.MoveNextAsync().AsTask();
            await firstConnection.GrantAsync(Inputs);
            await firstConnection.PublishInputAsync("in", "1", 1, "id");
            await moving.WaitAsync(ScriptedHub.Patience);
            firstConnection.Drop(); // While it is handled.
            await first.Completion.WaitAsync(ScriptedHub.Patience);
            (await items.Current.AckAsync()).ShouldBeFalse();
        }
        var (second, connection) = await hub.ConnectAsync();
        await using var _ = second;
        await using var again = second.ReadInputsAsync().GetAsyncEnumerator();
        var next = again.MoveNextAsync().AsTask();
        await connection.GrantAsync(Inputs);
        await connection.PublishInputAsync("in", "1", 1, "id"); // As a hub does that got no acknowledgement.
        await next.WaitAsync(ScriptedHub.Patience);
        again.Current.MessageId.ShouldBe("id"); // By which the application knows it again.
        (await again.Current.AckAsync()).ShouldBeTrue();
        (await connection.ExpectAsync<PubackPacket>()).PacketId.ShouldBe((ushort)1);
    }

    /// <summary>A message that came before its handler was set was dropped.</summary>
    [Fact]
    public async Task Issue_sdk_c_1939_MessageBeforeItsReader_WaitsForIt()
    {
        var (session, connection) = await hub.ConnectAsync();
        await using var _ = session;
        await connection.PublishInputAsync("in", "stored", 5);
        var twin = session.GetTwinAsync().AsTask();
        await connection.AnswerTwinAsync(200, """{"desired":{},"reported":{}}""");
        await twin; // It has come, and no acknowledgement was sent.
        await using var items = session.ReadInputsAsync("in").GetAsyncEnumerator();
        var moving = items.MoveNextAsync().AsTask();
        await connection.GrantAsync(Inputs);
        (await moving.WaitAsync(ScriptedHub.Patience)).ShouldBeTrue();
        items.Current.GetText().ShouldBe("stored");
    }

    private static async Task ReadAsync<T>(IAsyncEnumerable<T> items)
    {
        await foreach (var _ in items) { }
    }
}
