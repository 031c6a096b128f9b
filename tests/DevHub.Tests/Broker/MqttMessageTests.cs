using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using EdgeDm.Mqtt;
using EdgeDm.Mqtt.IoTHub;
using EdgeDm.Testing;

namespace EdgeDm.DevHub.Tests.Broker;

// Telemetry in, inputs out: topics, property bags, acknowledgements, order, sessions, limits, wills.
public sealed class MqttMessageTests
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
    public async Task Input_FromAModule_CarriesItsSenderAndEveryProperty()
    {
        await using var hub = await TestHub.StartAsync();
        hub.Route(ToB);
        await using var a = await MqttTestClient.ConnectAsync(hub, "a");
        await using var b = await MqttTestClient.SubscribedAsync(hub, "b");
        var bag = new PropertyBag
        {
            ["$.mid"] = "m 1",
            ["$.cid"] = "c&2",
            ["$.ct"] = "application/json",
            ["$.ce"] = "utf-8",
            ["space here"] = "a=b&c/d%e",
            ["größe"] = "☃ 🚀",
            ["empty"] = "",
        };
        await a.OutputAsync("o", "{}", bag.Encode());
        var message = await b.NextMessageAsync();
        foreach (var (key, value) in bag)
        {
            message.Bag[key].ShouldBe(value);
        }
        message.Bag["$.cdid"].ShouldBe("gateway");
        message.Bag["$.cmid"].ShouldBe("a");
        message.Bag["$.on"].ShouldBeNull();
        message.Hub.Properties.Split('&').ShouldAllBe(p => p.Contains('=', StringComparison.Ordinal));
        message.Topic.ShouldStartWith("devices/gateway/modules/b/inputs/i/%24");
    }

    [Fact]
    public async Task Input_SenderForged_IsStampedWithTheTruth()
    {
        await using var hub = await TestHub.StartAsync();
        hub.Route(ToB);
        await using var a = await MqttTestClient.ConnectAsync(hub, "a");
        await using var b = await MqttTestClient.SubscribedAsync(hub, "b");
        await a.OutputAsync("o", "{}", "%24.cmid=root&%24.cdid=moon");
        (await b.NextMessageAsync()).Topic.ShouldBe("devices/gateway/modules/b/inputs/i/%24.cdid=gateway&%24.cmid=a");
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

    [Theory]
    [InlineData("#", MqttQoS.AtLeastOnce)]
    [InlineData("inputs/#", MqttQoS.AtLeastOnce)]
    [InlineData("#", MqttQoS.AtMostOnce)]
    public async Task Subscribe_EitherFilter_DeliversAtItsQoS(string filter, MqttQoS qos)
    {
        await using var hub = await TestHub.StartAsync();
        hub.Route(ToB);
        await using var a = await MqttTestClient.ConnectAsync(hub, "a");
        await using var b = await MqttTestClient.ConnectAsync(hub, "b");
        b.AutoAcknowledge = true;
        await b.SubscribeAsync(qos, $"{b.Topics}/{filter}");
        await a.OutputAsync("o", "1");
        await a.OutputAsync("o", "2");
        (await b.NextMessageAsync()).ShouldSatisfyAllConditions(m => m.QoS.ShouldBe(qos), m => m.Payload.ShouldBe("1"));
        (await b.NextMessageAsync()).Payload.ShouldBe("2");
    }

    [Fact]
    public async Task Subscribe_EverythingOfItself_BringsNoEcho()
    {
        await using var hub = await TestHub.StartAsync();
        hub.Route("FROM /messages/* INTO $upstream");
        await using var a = await MqttTestClient.ConnectAsync(hub, "a");
        await a.SubscribeAsync($"{a.Topics}/#");
        await a.OutputAsync("o", "x");
        await a.ShouldHaveNothingAsync();
    }

    [Fact]
    public async Task Subscribe_AnotherModulesInputs_BringsNothing()
    {
        await using var hub = await TestHub.StartAsync();
        hub.Route(ToB);
        await using var a = await MqttTestClient.ConnectAsync(hub, "a");
        await a.SubscribeAsync("devices/gateway/modules/b/#");
        await a.OutputAsync("o", "secret");
        await a.ShouldHaveNothingAsync();
    }

    [Fact]
    public async Task Subscribe_QoS2AndUnknownFilters_AreGranted()
    {
        await using var hub = await TestHub.StartAsync();
        await using var a = await MqttTestClient.ConnectAsync(hub, "a");
        (await a.SubscribeAsync(MqttQoS.ExactlyOnce, "what/ever", HubTopics.MethodFilter)).Codes.ShouldBe([
            (byte)1,
            (byte)1,
        ]);
        await a.ShouldHaveNothingAsync();
    }

    [Fact]
    public async Task Subscribe_MoreThanAllowed_IsRefusedInTheSuback()
    {
        await using var hub = await TestHub.StartAsync(o => o with { MostSubscriptions = 2 });
        await using var a = await MqttTestClient.ConnectAsync(hub, "a");
        (await a.SubscribeAsync(MqttQoS.AtMostOnce, "x/1", "x/2", "x/3", "x/1")).Codes.ShouldBe([
            (byte)0,
            (byte)0,
            SubackPacket.Failure,
            (byte)0,
        ]);
    }

    [Fact]
    public async Task Unsubscribe_Inputs_StopsThem()
    {
        await using var hub = await TestHub.StartAsync();
        hub.Route(ToB);
        await using var a = await MqttTestClient.ConnectAsync(hub, "a");
        await using var b = await MqttTestClient.SubscribedAsync(hub, "b");
        await b.SendAsync(new UnsubscribePacket(77, [$"{b.Topics}/inputs/#"]).Write);
        (await b.NextAsync<UnsubackPacket>()).PacketId.ShouldBe((ushort)77);
        await a.OutputAsync("o", "x");
        await b.ShouldHaveNothingAsync();
    }

    [Fact]
    public async Task Inputs_NotAcknowledged_ComeOneAtATime()
    {
        await using var hub = await TestHub.StartAsync();
        hub.Route(ToB, """FROM /messages/modules/a/outputs/p INTO BrokeredEndpoint("/modules/b/inputs/j")""");
        await using var a = await MqttTestClient.ConnectAsync(hub, "a");
        await using var b = await MqttTestClient.SubscribedAsync(hub, "b", autoAcknowledge: false);
        await a.OutputAsync("o", "1");
        await a.OutputAsync("p", "2");
        await a.OutputAsync("o", "3");
        var payloads = new List<string>();
        for (var count = 0; count < 3; count++)
        {
            var message = await b.NextMessageAsync();
            payloads.Add(message.Payload);
            await b.ShouldHaveNothingAsync();
            await b.AcknowledgeAsync(message);
        }
        payloads.ShouldBe(["1", "2", "3"]);
    }

    [Fact]
    public async Task Input_NotAcknowledgedInTime_ComesAgainAsANewPacket()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var hub = await TestHub.StartAsync(time: time);
        hub.Route(ToB);
        await using var a = await MqttTestClient.ConnectAsync(hub, "a", keepAlive: 600);
        await using var b = await MqttTestClient.SubscribedAsync(hub, "b", autoAcknowledge: false);
        await a.OutputAsync("o", "x");
        var first = await b.NextMessageAsync();
        await time.WaitForTimerAsync(TimeSpan.FromSeconds(30));
        time.Advance(TimeSpan.FromSeconds(29));
        await b.ShouldHaveNothingAsync();
        time.Advance(TimeSpan.FromSeconds(1));
        var second = await b.NextMessageAsync();
        second.Payload.ShouldBe("x");
        second.PacketId.ShouldNotBe(first.PacketId);
        second.Duplicate.ShouldBeFalse();
    }

    [Fact]
    public async Task Inputs_UnacknowledgedOnTheFirstConnection_ArriveOnTheSecondInOrder()
    {
        await using var hub = await TestHub.StartAsync();
        hub.Route(ToB);
        await using var a = await MqttTestClient.ConnectAsync(hub, "a");
        await using var first = await MqttTestClient.SubscribedAsync(hub, "b", autoAcknowledge: false);
        await a.OutputAsync("o", "1");
        await a.OutputAsync("o", "2");
        (await first.NextMessageAsync()).Payload.ShouldBe("1");
        await using var second = await MqttTestClient.SubscribedAsync(hub, "b");
        (await second.NextMessageAsync()).Payload.ShouldBe("1");
        (await second.NextMessageAsync()).Payload.ShouldBe("2");
        await second.ShouldHaveNothingAsync();
    }

    [Fact]
    public async Task Inputs_ModuleAway_WaitForIt()
    {
        await using var hub = await TestHub.StartAsync();
        hub.Route(ToB);
        await using var a = await MqttTestClient.ConnectAsync(hub, "a");
        for (var number = 0; number < 50; number++)
        {
            await a.OutputAsync("o", $"{number}");
        }
        await using var b = await MqttTestClient.SubscribedAsync(hub, "b");
        for (var number = 0; number < 50; number++)
        {
            (await b.NextMessageAsync()).Payload.ShouldBe($"{number}");
        }
    }

    [Fact]
    public async Task Session_NotClean_KeepsItsSubscriptions()
    {
        await using var hub = await TestHub.StartAsync();
        hub.Route(ToB);
        await using var a = await MqttTestClient.ConnectAsync(hub, "a");
        await using (var b = await MqttTestClient.ConnectAsync(hub, "b", clean: false))
        {
            await b.SubscribeAsync($"{b.Topics}/#");
            await b.GoodbyeAsync();
        }
        await a.OutputAsync("o", "x");
        await using var again = await MqttTestClient.OpenAsync(hub, new("gateway", "b"));
        (await ConnectAsync(hub, again, clean: false)).SessionPresent.ShouldBeTrue();
        (await again.NextMessageAsync()).Payload.ShouldBe("x");
    }

    [Fact]
    public async Task Session_Clean_ForgetsTheFormerOne()
    {
        await using var hub = await TestHub.StartAsync();
        await using (var b = await MqttTestClient.ConnectAsync(hub, "b", clean: false))
        {
            await b.SubscribeAsync($"{b.Topics}/#");
        }
        await using (var clean = await MqttTestClient.OpenAsync(hub, new("gateway", "b")))
        {
            (await ConnectAsync(hub, clean, clean: true)).SessionPresent.ShouldBeFalse();
        }
        await using var again = await MqttTestClient.OpenAsync(hub, new("gateway", "b"));
        (await ConnectAsync(hub, again, clean: false)).SessionPresent.ShouldBeFalse();
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
    public async Task Input_PropertiesTooLongWithTheStamps_IsDroppedAndStandsInNobodysWay()
    {
        await using var hub = await TestHub.StartAsync();
        hub.Route(ToB);
        await using var a = await MqttTestClient.ConnectAsync(hub, "a");
        await using var b = await MqttTestClient.SubscribedAsync(hub, "b");
        var bag = new string('x', ushort.MaxValue - $"{a.Topics}/messages/events/%24.on=o&p=".Length);
        await a.OutputAsync("o", "too long", $"p={bag}");
        await a.OutputAsync("o", "next");
        (await b.NextMessageAsync()).Payload.ShouldBe("next");
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

    private static Task<ConnackPacket> ConnectAsync(TestHub hub, MqttTestClient client, bool clean) =>
        client.SendConnectAsync(
            new(
                client.Identity.ToString(),
                clean,
                60,
                MqttTestClient.UserName(hub, client.Identity),
                Encoding.UTF8.GetBytes(hub.Token(client.Identity))
            )
        );

    private static ReadOnlyMemory<byte> Raw(Action<IBufferWriter<byte>> packet)
    {
        var buffer = new ArrayBufferWriter<byte>();
        packet(buffer);
        return buffer.WrittenMemory;
    }
}
