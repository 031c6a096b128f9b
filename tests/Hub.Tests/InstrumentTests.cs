using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using EdgeDm.Mqtt;
using EdgeDm.Mqtt.IoTHub;
using EdgeDm.Testing;

namespace EdgeDm.Hub.Tests;

/// <summary>Listens to this process, in which other tests run side by side: only this hub's address and these names count.</summary>
public sealed class InstrumentTests : IAsyncLifetime
{
    private const string Payload = "the payload's own words";

    private readonly ScriptedHub hub = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => hub.DisposeAsync();

    [Fact]
    public async Task Activities_HaveTheConventionsNames()
    {
        var seen = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == HubInstruments.Name,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = seen.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        var (session, connection) = await hub.ConnectAsync(hub.Options with { ModuleId = "Watched" });
        await using (session)
        {
            await TalkAsync(session, connection);
            Activity.Current.ShouldBeNull(); // None leaks to the caller.
        }
        var mine = seen.Where(activity => activity.GetTagItem("messaging.client.id") is "gateway/Watched").ToList();
        mine.Select(activity => (activity.DisplayName, activity.Kind))
            .ShouldBe([
                ("send out", ActivityKind.Producer),
                ("get_twin", ActivityKind.Client),
                ("update_reported", ActivityKind.Client),
                ("receive in", ActivityKind.Consumer),
                ("respond m", ActivityKind.Client),
            ]);
        var send = mine[0];
        send.GetTagItem("messaging.system").ShouldBe("iothub");
        send.GetTagItem("messaging.operation.type").ShouldBe("send");
        send.GetTagItem("messaging.destination.name").ShouldBe("out");
        send.GetTagItem("messaging.message.id").ShouldBe("m1");
        send.GetTagItem("messaging.message.body.size").ShouldBe(Payload.Length);
        send.GetTagItem("server.address").ShouldBe("127.0.0.1");
        send.Duration.ShouldBeGreaterThan(TimeSpan.Zero);
        mine[2].GetTagItem("error.type").ShouldBe("429");
        mine[2].Status.ShouldBe(ActivityStatusCode.Error);
        foreach (var activity in mine)
        {
            string.Join(' ', activity.TagObjects).ShouldNotContain(Payload);
        }
    }

    [Fact]
    public async Task Metrics_CountAndTime()
    {
        var seen = new ConcurrentQueue<(string Name, double Value, string Tags)>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, me) =>
        {
            if (instrument.Meter.Name == HubInstruments.Name)
            {
                me.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((i, value, tags, _) => seen.Enqueue((i.Name, value, Text(tags))));
        listener.SetMeasurementEventCallback<double>((i, value, tags, _) => seen.Enqueue((i.Name, value, Text(tags))));
        listener.Start();
        var (session, connection) = await hub.ConnectAsync();
        await TalkAsync(session, connection);
        await session.DisposeAsync();

        seen.ShouldContain(m =>
            m.Name == "messaging.client.sent.messages" && m.Tags.Contains("messaging.destination.name=out")
        );
        seen.ShouldContain(m =>
            m.Name == "messaging.client.consumed.messages" && m.Tags.Contains("messaging.destination.name=in")
        );
        seen.ShouldContain(m =>
            m.Name == "messaging.client.operation.duration"
            && m.Tags.Contains("messaging.operation.name=update_reported")
            && m.Tags.Contains("error.type=429")
        );
        seen.ShouldContain(m => m.Name == "edgedm.hub.io.sent" && m.Value > 0);
        seen.ShouldContain(m => m.Name == "edgedm.hub.io.received" && m.Value > 0);
        seen.ShouldContain(m => m.Name == "edgedm.hub.inflight" && m.Value == 1);
        seen.ShouldContain(m => m.Name == "edgedm.hub.inflight" && m.Value == -1);
        seen.ShouldContain(m => m.Name == "edgedm.hub.sessions.ended" && m.Tags.Contains("edgedm.reason=Disposed"));
        foreach (var (_, _, tags) in seen)
        {
            tags.ShouldNotContain("messaging.message.id"); // One series for each message would be no metric.
        }

        static string Text(ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            var text = "";
            foreach (var (name, value) in tags)
            {
                text += $"{name}={value} ";
            }
            return text;
        }
    }

    [Fact]
    public async Task Log_HasNeitherTokenNorPayload()
    {
        using var log = new LineLog();
        var (session, connection) = await hub.ConnectAsync(hub.Options with { LoggerFactory = log });
        await TalkAsync(session, connection);
        await connection.PublishAsync("some/topic", Payload);
        await connection.PublishAsync("$iothub/twin/PATCH/properties/desired/", Payload);
        await connection.SendBytesAsync(new byte[] { 0xFF });
        await session.Completion.WaitAsync(ScriptedHub.Patience);
        await session.DisposeAsync();
        log.All.ShouldContain("was dropped");
        log.All.ShouldNotContain(Payload);
        log.All.ShouldNotContain("SharedAccessSignature");
        log.All.ShouldNotContain("sig=");
    }

    /// <summary>A message out, a twin, a patch that is refused, a message in, a method.</summary>
    private static async Task TalkAsync(IoTHubSession session, ScriptedConnection connection)
    {
        var message = new OutboundMessage(System.Text.Encoding.UTF8.GetBytes(Payload)) { MessageId = "m1" };
        var sending = session.SendToOutputAsync("out", message).AsTask();
        await connection.TakePublishAsync();
        await sending.WaitAsync(ScriptedHub.Patience);
        var twin = session.GetTwinAsync().AsTask();
        await connection.AnswerTwinAsync(200, """{"desired":{},"reported":{}}""");
        await twin.WaitAsync(ScriptedHub.Patience);
        var patch = session.UpdateReportedAsync(System.Text.Encoding.UTF8.GetBytes($"\"{Payload}\"")).AsTask();
        await connection.AnswerTwinAsync(429, "{}");
        await Should.ThrowAsync<HubServiceException>(patch);
        await using var items = session.ReadInputsAsync().GetAsyncEnumerator();
        var moving = items.MoveNextAsync().AsTask();
        var filter = HubTopics.InputsFilter("gateway", session.ModuleId!);
        await connection.GrantAsync(filter);
        await connection.PublishAsync($"{filter[..^1]}in/a=b", Payload, 1);
        await moving.WaitAsync(ScriptedHub.Patience);
        await items.DisposeAsync();
        var calls = session.ReadMethodRequestsAsync().GetAsyncEnumerator();
        await using var __ = calls;
        await connection.ExpectAsync<UnsubscribePacket>();
        var call = calls.MoveNextAsync().AsTask();
        await connection.GrantAsync(HubTopics.MethodFilter);
        await connection.PublishAsync(HubTopics.MethodRequest("m", "1"), "{}");
        await call.WaitAsync(ScriptedHub.Patience);
        var answering = session
            .RespondAsync(calls.Current, 200, System.Text.Encoding.UTF8.GetBytes($"\"{Payload}\""))
            .AsTask();
        await connection.TakePublishAsync();
        await answering.WaitAsync(ScriptedHub.Patience);
    }
}
