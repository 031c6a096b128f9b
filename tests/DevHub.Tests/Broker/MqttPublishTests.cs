using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using EdgeDm.DevHub.Tests.Service;
using EdgeDm.Mqtt;
using EdgeDm.Mqtt.IoTHub;

namespace EdgeDm.DevHub.Tests.Broker;

// What a client publishes: topics, acknowledgements and their order, limits, wills.
public sealed class MqttPublishTests
{
    private const string ToB = """FROM /messages/modules/a/outputs/o INTO BrokeredEndpoint("/modules/b/inputs/i")""";

    [Theory]
    [InlineData("/messages/events/%24.on=o")] // C#
    [InlineData("/messages/events/%24.on=o/")] // Node
    [InlineData("/messages/events/k=v&%24.on=o&%24.mid=1")]
    public async Task Publish_OutputInTheBag_ReachesTheInput(string end)
    {
        await using var hub = await TestHub.StartAsync();
        hub.Route(ToB);
        await using var a = await MqttTestClient.ConnectAsync(hub, "a");
        await using var b = await MqttTestClient.SubscribedAsync(hub, "b");
        await a.PublishAcknowledgedAsync(a.Topics + end, """{"x":1}""");
        var message = await b.NextMessageAsync();
        message.Hub.Kind.ShouldBe(HubTopicKind.Input);
        message.Hub.Name.ShouldBe("i");
        message.Payload.ShouldBe("""{"x":1}""");
        message.QoS.ShouldBe(MqttQoS.AtLeastOnce);
    }

    [Fact]
    public async Task Publish_WithoutBag_IsTheModulesTelemetry()
    {
        await using var hub = await TestHub.StartAsync();
        hub.Route("FROM /messages/modules/a INTO $upstream");
        await using var a = await MqttTestClient.ConnectAsync(hub, "a");
        await a.PublishAcknowledgedAsync($"{a.Topics}/messages/events/", "1");
        await a.PublishAcknowledgedAsync($"{a.Topics}/messages/events", "2");
        hub.Server.Upstream.After(0)
            .Select(m => m.Message.Source)
            .ShouldBe(["/messages/modules/a", "/messages/modules/a"]);
    }

    [Fact]
    public async Task Publish_WithRetain_IsToldAndNotRetained()
    {
        await using var hub = await TestHub.StartAsync();
        hub.Route(ToB);
        await using var a = await MqttTestClient.ConnectAsync(hub, "a");
        await using var b = await MqttTestClient.SubscribedAsync(hub, "b");
        await a.PublishAcknowledgedAsync($"{a.Topics}/messages/events/%24.on=o", "x", retain: true);
        (await b.NextMessageAsync()).Bag["mqtt-retain"].ShouldBe("true");
        await b.SubscribeAsync($"{b.Topics}/#");
        await b.ShouldHaveNothingAsync();
    }

    [Fact]
    public async Task Publish_ManyWithoutWaiting_AcknowledgedInOrder()
    {
        await using var hub = await TestHub.StartAsync();
        hub.Route(ToB, "FROM /messages/* INTO $upstream");
        await using var a = await MqttTestClient.ConnectAsync(hub, "a");
        var sent = new List<ushort>();
        for (var number = 0; number < 100; number++)
        {
            var topic = (number % 3) switch
            {
                0 => $"{a.Topics}/messages/events/%24.on=o",
                1 => HubTopics.TwinGet("1"),
                _ => "no/topic/of/the/hub",
            };
            sent.Add(await a.PublishAsync(topic, "x"));
        }
        foreach (var id in sent)
        {
            (await a.NextAsync<PubackPacket>()).PacketId.ShouldBe(id);
        }
    }

    [Fact]
    public async Task Publish_QoS2_Closes()
    {
        await using var hub = await TestHub.StartAsync();
        await using var a = await MqttTestClient.ConnectAsync(hub, "a");
        await a.PublishAsync($"{a.Topics}/messages/events/", "x", MqttQoS.ExactlyOnce);
        await a.Closed.WaitAsync(TestHub.Patience);
    }

    [Fact]
    public async Task Publish_LargestPacket_IsTakenAndOneByteMoreCloses()
    {
        await using var hub = await TestHub.StartAsync();
        hub.Route("FROM /messages/* INTO $upstream");
        await using var a = await MqttTestClient.ConnectAsync(hub, "a");
        var topic = $"{a.Topics}/messages/events/";
        const int Header = 1 + 3; // Type, and a length of three bytes.
        var room = 262_144 - Header - PublishPacket.LengthOf(topic.Length, 0, MqttQoS.AtLeastOnce);
        await a.PublishAcknowledgedAsync(topic, new string('x', room));
        try
        {
            await a.PublishAsync(topic, new string('x', room + 1));
        }
        catch (IOException)
        {
            // Closed while it was still sending.
        }
        await a.Closed.WaitAsync(TestHub.Patience);
        hub.Server.Upstream.After(0).Count.ShouldBe(1);
    }

    [Fact]
    public async Task Publish_QueueFull_ClosesWithoutPuback()
    {
        await using var hub = await TestHub.StartAsync(o => o with { LargestQueue = 2000 });
        hub.Route(ToB);
        await using var a = await MqttTestClient.ConnectAsync(hub, "a");
        await a.OutputAsync("o", new string('x', 1000));
        await a.PublishAsync($"{a.Topics}/messages/events/%24.on=o", new string('x', 1000));
        await a.Closed.WaitAsync(TestHub.Patience);
    }

    [Fact]
    public async Task Publish_MoreThanTheDeploymentsStoreLimit_ClosesUntilSomethingLeft()
    {
        await using var hub = await TestHub.StartAsync();
        hub.Module("b");
        hub.Route(ToB);
        hub.Server.Twins.Write(
            new("gateway", "$edgeHub"),
            new(
                null,
                new() { ["storeAndForwardConfiguration"] = JsonNode.Parse("""{"storeLimits":{"maxSizeBytes":1500}}""") }
            )
        );
        await using (var a = await MqttTestClient.ConnectAsync(hub, "a"))
        {
            await a.OutputAsync("o", new string('x', 1000));
            await a.OutputAsync("o", new string('x', 1000));
            await a.PublishAsync($"{a.Topics}/messages/events/%24.on=o", "1");
            await a.Closed.WaitAsync(TestHub.Patience);
        }
        await ServiceAnswers.ShouldFailAsync(
            await hub.Http.PostAsync("/devhub/modules/b/inputs/i", TestHub.Json("1")),
            403,
            "IotHubQuotaExceeded"
        );

        await using var b = await MqttTestClient.SubscribedAsync(hub, "b");
        await b.NextMessageAsync();
        await b.NextMessageAsync();
        await b.ShouldHaveNothingAsync();
        await using var again = await MqttTestClient.ConnectAsync(hub, "a");
        await again.OutputAsync("o", "1");
        (await b.NextMessageAsync()).Payload.ShouldBe("1");
    }

    [Fact]
    public async Task Publish_UnknownTopic_AcknowledgedAndDropped()
    {
        await using var hub = await TestHub.StartAsync();
        hub.Route("FROM /* INTO $upstream");
        await using var a = await MqttTestClient.ConnectAsync(hub, "a");
        await a.PublishAcknowledgedAsync("no/topic/of/the/hub", "x");
        await a.PublishAcknowledgedAsync("devices/gateway/modules/other/messages/events/", "forged");
        hub.Server.Upstream.After(0).ShouldBeEmpty();
    }

    [Fact]
    public async Task Publish_UnknownTopicToIoTHub_Closes()
    {
        await using var hub = await TestHub.StartAsync(o => o with { Profile = HubProfile.IoTHub });
        await using var a = await MqttTestClient.ConnectAsync(hub, "a");
        await a.PublishAsync("no/topic/of/the/hub", "x");
        await a.Closed.WaitAsync(TestHub.Patience);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Will_OnlyAfterAnUngracefulEnd(bool graceful)
    {
        await using var hub = await TestHub.StartAsync();
        hub.Route("FROM /messages/* INTO $upstream");
        var will = new MqttWill(
            "devices/gateway/modules/a/messages/events/%24.mid=w",
            "gone"u8.ToArray(),
            MqttQoS.AtLeastOnce,
            Retain: false
        );
        var a = await MqttTestClient.ConnectAsync(hub, "a", will: will);
        if (graceful)
        {
            await a.GoodbyeAsync();
        }
        await a.DisposeAsync();
        // Whoever comes next waits for the former connection's end, the will included.
        await using var next = await MqttTestClient.ConnectAsync(hub, "a");
        var told = await hub.Server.Upstream.WaitAsync(
            0,
            graceful ? TimeSpan.Zero : TestHub.Patience,
            CancellationToken.None
        );
        told.Count.ShouldBe(graceful ? 0 : 1);
    }

    [Fact]
    public async Task Client_NeverReads_LosesItsConnection()
    {
        await using var hub = await TestHub.StartAsync(o => o with { LongestSendQueue = 4 });
        await using var a = await MqttTestClient.ConnectAsync(hub, "a");
        await a.SubscribeAsync(HubTopics.TwinResponseFilter);
        hub.Server.Twins.Write(
            a.Identity,
            new(
                null,
                new()
                {
                    ["big"] = new JsonArray([
                        .. Enumerable.Repeat(0, 7).Select(_ => JsonValue.Create(new string('x', 4000))),
                    ]),
                }
            )
        );
        await using var deaf = await hub.OpenAsync();
        await deaf.WriteAsync(
            Raw(
                new ConnectPacket(
                    "gateway/a",
                    true,
                    60,
                    "h/gateway/a/?api-version=1",
                    Encoding.UTF8.GetBytes(hub.Token(a.Identity))
                ).Write
            )
        );
        await deaf.WriteAsync(
            Raw(new SubscribePacket(1, [new(HubTopics.TwinResponseFilter, MqttQoS.AtMostOnce)]).Write)
        );
        var get = Raw(o => PublishPacket.Write(o, HubTopics.TwinGet("1"), default, MqttQoS.AtMostOnce, 0));
        using var limit = new CancellationTokenSource(TestHub.Patience);
        await Should.ThrowAsync<IOException>(async () =>
        {
            while (!limit.IsCancellationRequested)
            {
                await deaf.WriteAsync(get, limit.Token);
            }
        });
    }

    private static ReadOnlyMemory<byte> Raw(Action<IBufferWriter<byte>> packet)
    {
        var buffer = new ArrayBufferWriter<byte>();
        packet(buffer);
        return buffer.WrittenMemory;
    }
}
