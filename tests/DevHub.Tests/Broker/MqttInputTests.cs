using System.Text;
using EdgeDm.Mqtt;
using EdgeDm.Mqtt.IoTHub;
using EdgeDm.Testing;

namespace EdgeDm.DevHub.Tests.Broker;

// What a module receives at its inputs: properties, subscriptions, sessions, redelivery and order.
public sealed class MqttInputTests
{
    private const string ToB = """FROM /messages/modules/a/outputs/o INTO BrokeredEndpoint("/modules/b/inputs/i")""";

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
}
