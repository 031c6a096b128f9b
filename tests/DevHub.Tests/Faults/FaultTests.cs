using System.Net;
using System.Text.Json.Nodes;
using EdgeDm.DevHub.Identities;
using EdgeDm.Mqtt;
using EdgeDm.Mqtt.IoTHub;
using EdgeDm.Testing;
using static EdgeDm.DevHub.Tests.Faults.FaultCalls;

namespace EdgeDm.DevHub.Tests.Faults;

// Faults on purpose, packet by packet.
public sealed class FaultTests
{
    [Fact]
    public async Task Cut_ClosesAndRefusesUntilItsTimeIsOver()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var hub = await TestHub.StartAsync(time: time);
        await using var client = await MqttTestClient.ConnectAsync(hub, "m");

        await AddAsync(hub, """{"kind":"cut","modules":["m"],"milliseconds":30000}""");
        await client.Closed.WaitAsync(TestHub.Patience);
        time.Advance(TimeSpan.FromMilliseconds(29_999));
        await using (var refused = await MqttTestClient.OpenAsync(hub, client.Identity))
        {
            await refused.SendAsync(new ConnectPacket("gateway/m", true, 60, "h/gateway/m/?api-version=1").Write);
            await refused.Closed.WaitAsync(TestHub.Patience);
        }
        time.Advance(TimeSpan.FromMilliseconds(1));

        await using var again = await MqttTestClient.ConnectAsync(hub, "m");
        (await hub.Http.GetStringAsync("/devhub/faults")).ShouldBe("[]");
    }

    [Fact]
    public async Task Cut_Silent_HearsAndSaysNothingThenGoesOn()
    {
        await using var hub = await TestHub.StartAsync();
        hub.Route("FROM /messages/* INTO $upstream");
        await using var client = await MqttTestClient.ConnectAsync(hub, "m");

        await AddAsync(hub, """{"kind":"cut","silent":true}""");
        var id = await client.PublishAsync($"{client.Topics}/messages/events/", "1");
        await using var held = await MqttTestClient.OpenAsync(hub, hub.Module("n"));
        await held.SendAsync(new ConnectPacket("gateway/n", true, 60, "h/gateway/n/?api-version=1").Write);
        // Others' requests have been served, so these would have been, too.
        (await hub.Http.GetStringAsync("/devhub/upstream?after=0&wait=1")).ShouldBe("[]");
        client.Closed.IsCompleted.ShouldBeFalse();
        held.Closed.IsCompleted.ShouldBeFalse();
        await hub.Http.DeleteAsync("/devhub/faults");

        (await client.NextAsync<PubackPacket>()).PacketId.ShouldBe(id);
        await held.Closed.WaitAsync(TestHub.Patience);
    }

    [Fact]
    public async Task Cut_SilentWhileTheKeepAliveEnds_TheClientHearsOfItAfterwards()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var hub = await TestHub.StartAsync(time: time);
        await using var client = await MqttTestClient.ConnectAsync(hub, "m", keepAlive: 10);

        await AddAsync(hub, """{"kind":"cut","silent":true}""");
        time.Advance(TimeSpan.FromSeconds(15));
        while (hub.Server.Connected.Count > 0)
        {
            await hub.Http.GetStringAsync("/devhub/status");
        }
        client.Closed.IsCompleted.ShouldBeFalse();
        await hub.Http.DeleteAsync("/devhub/faults");

        await client.Closed.WaitAsync(TestHub.Patience);
    }

    [Fact]
    public async Task Cut_SilentWhenTheHubStops_KeepsNobodyWaiting()
    {
        await using var hub = await TestHub.StartAsync();
        await using var client = await MqttTestClient.ConnectAsync(hub, "m");
        await AddAsync(hub, """{"kind":"cut","silent":true,"https":true}""");
        await using var held = await MqttTestClient.OpenAsync(hub, hub.Module("n"));
        await held.SendAsync(new ConnectPacket("gateway/n", true, 60, "h/gateway/n/?api-version=1").Write);
        var request = CallAsModuleAsync(hub);

        await hub.Server.DisposeAsync().AsTask().WaitAsync(TestHub.Patience);

        await client.Closed.WaitAsync(TestHub.Patience);
        await held.Closed.WaitAsync(TestHub.Patience);
        // Cut off, or answered when it came only as the fault ended: it ends.
        await request.ContinueWith(_ => { }, TaskScheduler.Default).WaitAsync(TestHub.Patience);
    }

    [Fact]
    public async Task Cut_Https_EndsRequestsOfThatClientAlone()
    {
        await using var hub = await TestHub.StartAsync();
        hub.Module("m");

        await AddAsync(hub, """{"kind":"cut","https":true,"modules":["m"]}""");
        await Should.ThrowAsync<HttpRequestException>(CallAsModuleAsync(hub));
        using var device = hub.MakeHttp(hub.Token(new("gateway")));
        (await device.GetAsync("/devices/gateway")).StatusCode.ShouldBe(HttpStatusCode.OK);
        await AddAsync(hub, """{"kind":"cut","https":true,"modules":["-"]}""");
        await Should.ThrowAsync<HttpRequestException>(device.GetAsync("/devices/gateway"));
        await Should.ThrowAsync<HttpRequestException>(
            device.PutAsync("/devhub-files/gateway/f?sig=x", TestHub.Json("1"))
        );

        (await hub.Http.DeleteAsync("/devhub/faults")).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await device.GetAsync("/devices/gateway")).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await CallAsModuleAsync(hub)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Slow_LatencyAndRate_TakeTheirTime()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var hub = await TestHub.StartAsync(time: time);
        await using var client = await MqttTestClient.ConnectAsync(hub, "m");
        await AddAsync(hub, """{"kind":"slow","latencyMilliseconds":5000,"bytesPerSecond":100}""");

        // Two bytes each way.
        await client.SendAsync(EmptyPackets.WritePingreq);
        var wait = TimeSpan.FromMilliseconds(5020);
        await time.WaitForTimerAsync(wait);
        time.Advance(wait);
        await time.WaitForTimerAsync(wait);
        time.Advance(wait);

        await client.NextAsync<MqttTestClient.Ping>();
    }

    [Fact]
    public async Task Slow_EndedMeanwhile_NobodyWaitsOn()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var hub = await TestHub.StartAsync(time: time);
        await using var client = await MqttTestClient.ConnectAsync(hub, "m");
        await AddAsync(hub, """{"kind":"slow","latencyMilliseconds":5000}""");
        await client.SendAsync(EmptyPackets.WritePingreq);
        await time.WaitForTimerAsync(TimeSpan.FromSeconds(5));

        await hub.Http.DeleteAsync("/devhub/faults");

        await client.NextAsync<MqttTestClient.Ping>();
    }

    [Fact]
    public async Task DropAcks_TheNext_IsKeptAndNotAcknowledged()
    {
        await using var hub = await TestHub.StartAsync();
        hub.Route("FROM /messages/* INTO $upstream");
        await using var client = await MqttTestClient.ConnectAsync(hub, "m");
        await AddAsync(hub, """{"kind":"drop","what":"acks","next":1}""");

        await client.PublishAsync($"{client.Topics}/messages/events/", "1");
        var second = await client.PublishAsync($"{client.Topics}/messages/events/", "2");

        (await client.NextAsync<PubackPacket>()).PacketId.ShouldBe(second);
        hub.Server.Upstream.After(0).Count.ShouldBe(2);
    }

    [Fact]
    public async Task DropClientAcks_AmongOtherPackets_OnlyThatOneIsMissing()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var hub = await TestHub.StartAsync(
            o => o with { MessageAckTimeout = TimeSpan.FromSeconds(31) },
            time
        );
        await using var client = await MqttTestClient.SubscribedAsync(hub, "m", autoAcknowledge: false);
        await AddAsync(hub, """{"kind":"drop","what":"client-acks","next":1}""");
        await hub.Http.PostAsync("/devhub/modules/m/inputs/i", TestHub.Json("1"));
        var message = await client.NextMessageAsync();

        // In one piece: what is dropped stands between what is not.
        await client.SendAsync(output =>
        {
            EmptyPackets.WritePingreq(output);
            PubackPacket.Write(output, message.PacketId);
            EmptyPackets.WritePingreq(output);
        });
        await client.NextAsync<MqttTestClient.Ping>();
        await client.NextAsync<MqttTestClient.Ping>();
        await time.WaitForTimerAsync(TimeSpan.FromSeconds(31));
        time.Advance(TimeSpan.FromSeconds(31));

        var again = await client.NextMessageAsync();
        again.Payload.ShouldBe("1");
        await client.AcknowledgeAsync(again);
        await client.ShouldHaveNothingAsync();
        (await StatusOfAsync(hub))["waiting"]!.AsObject().Count.ShouldBe(0);
    }

    [Fact]
    public async Task DropMessages_TheNext_ComesAgain()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var hub = await TestHub.StartAsync(
            o => o with { MessageAckTimeout = TimeSpan.FromSeconds(31) },
            time
        );
        await using var client = await MqttTestClient.SubscribedAsync(hub, "m");
        await AddAsync(hub, """{"kind":"drop","what":"messages","next":1}""");

        await hub.Http.PostAsync("/devhub/modules/m/inputs/i", TestHub.Json("1"));
        await client.ShouldHaveNothingAsync();
        time.Advance(TimeSpan.FromSeconds(31));

        (await client.NextMessageAsync()).Payload.ShouldBe("1");
    }

    [Fact]
    public async Task DropAnswersPatchesAndCalls_EachKindAlone()
    {
        await using var hub = await TestHub.StartAsync();
        await using var client = await MqttTestClient.SubscribedAsync(hub, "m");
        foreach (var what in new[] { "twin-answers", "desired-patches", "method-calls" })
        {
            await AddAsync(hub, $$"""{"kind":"drop","what":"{{what}}","next":1}""");
        }
        for (var round = 0; round < 2; round++)
        {
            await client.PublishAsync("$iothub/twin/GET/?$rid=1", qos: MqttQoS.AtMostOnce);
            hub.Server.Twins.Write(client.Identity, new(null, new JsonObject { ["a"] = round }));
            using var enough = new CancellationTokenSource();
            var call = hub.Server.Methods.InvokeAsync(
                client.Identity,
                "go",
                "1"u8.ToArray(),
                TestHub.Patience,
                TimeSpan.Zero,
                enough.Token
            );
            if (round == 0)
            {
                await client.ShouldHaveNothingAsync();
            }
            else
            {
                HubTopicKind[] kinds =
                [
                    (await client.NextMessageAsync()).Hub.Kind,
                    (await client.NextMessageAsync()).Hub.Kind,
                    (await client.NextMessageAsync()).Hub.Kind,
                ];
                kinds.ShouldBe(
                    [HubTopicKind.TwinResponse, HubTopicKind.DesiredPatch, HubTopicKind.MethodRequest],
                    ignoreOrder: true
                );
            }
            await enough.CancelAsync();
            await Should.ThrowAsync<OperationCanceledException>(call);
        }
    }

    /// <summary>Module m calls a module that is not there.</summary>
    private static async Task<HttpResponseMessage> CallAsModuleAsync(TestHub hub)
    {
        var module = new HubIdentity("gateway", "m");
        using var http = hub.MakeHttp(hub.Token(module));
        using var request = new HttpRequestMessage(HttpMethod.Post, "/twins/gateway/modules/nobody/methods")
        {
            Content = TestHub.Json("""{"methodName":"go"}"""),
        };
        request.Headers.Add("x-ms-edge-moduleId", $"{module}");
        return await http.SendAsync(request);
    }
}
