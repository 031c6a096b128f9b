using System.Text;
using System.Text.Json.Nodes;
using EdgeDm.DevHub.Identities;
using EdgeDm.Mqtt;
using EdgeDm.Mqtt.IoTHub;

namespace EdgeDm.DevHub.Tests.Broker;

// What a client may rely on whether it talks to edgeHub or to IoT Hub itself, and where the two differ.
public sealed class ProfileTests
{
    public static TheoryData<HubProfile> Both => [HubProfile.EdgeHub, HubProfile.IoTHub];

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Connect_UserNameTokenAndClientId_AreChecked(HubProfile profile)
    {
        await using var hub = await StartAsync(profile);
        var m = hub.Module("m");
        var token = hub.Token(m);
        (await CodeAsync("gateway/m", "any/gateway/m/?api-version=1&more=x", token)).ShouldBe(ConnackCode.Accepted);
        (await CodeAsync("gateway/m", "any/gateway/m/api-version=1", token)).ShouldBe(ConnackCode.Accepted);
        (await CodeAsync("gateway/m", "any/gateway/m/?more=x", token)).ShouldBe(ConnackCode.ServerUnavailable);
        (await CodeAsync("gateway/n", "any/gateway/m/?api-version=1", token)).ShouldBe(ConnackCode.NotAuthorized);
        (await CodeAsync("gateway/m", "any/gateway/m/?api-version=1", hub.Token(m, host: "other"))).ShouldBe(
            ConnackCode.NotAuthorized
        );
        (
            await CodeAsync("gateway/m", "any/gateway/m/?api-version=1", hub.Token(m, life: TimeSpan.FromMinutes(-6)))
        ).ShouldBe(ConnackCode.NotAuthorized);
        var second = hub.Server.Identities.Find(m)!.SecondaryKey;
        (await CodeAsync("gateway/m", "any/gateway/m/?api-version=1", hub.Token(m, second))).ShouldBe(
            ConnackCode.Accepted
        );

        async Task<ConnackCode> CodeAsync(string clientId, string userName, string password)
        {
            await using var client = await MqttTestClient.OpenAsync(hub, m);
            return (
                await client.SendConnectAsync(new(clientId, true, 60, userName, Encoding.UTF8.GetBytes(password)))
            ).Code;
        }
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Session_NotClean_GoesOnAndClean_BeginsAnew(HubProfile profile)
    {
        await using var hub = await StartAsync(profile);
        var id = hub.Module("m");
        await using (var first = await OpenAsync(hub, id, clean: false, present: false))
        {
            await first.SubscribeAsync(HubTopics.DesiredFilter);
            await first.GoodbyeAsync();
        }
        await using (var second = await OpenAsync(hub, id, clean: false, present: true))
        {
            hub.Server.Twins.Write(id, new(null, new() { ["a"] = 1 }));
            (await second.NextMessageAsync()).Hub.Kind.ShouldBe(HubTopicKind.DesiredPatch);
            await second.GoodbyeAsync();
        }
        await using var third = await OpenAsync(hub, id, clean: true, present: false);
        hub.Server.Twins.Write(id, new(null, new() { ["a"] = 2 }));
        await third.ShouldHaveNothingAsync();
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Connect_SecondTime_EndsTheFirst(HubProfile profile)
    {
        await using var hub = await StartAsync(profile);
        await using var first = await MqttTestClient.ConnectAsync(hub, "m");
        await using var second = await MqttTestClient.ConnectAsync(hub, "m");
        await first.Closed.WaitAsync(TestHub.Patience);
        await second.ShouldHaveNothingAsync();
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Ping_Each_IsAnsweredOnce(HubProfile profile)
    {
        await using var hub = await StartAsync(profile);
        await using var client = await MqttTestClient.ConnectAsync(hub, "m");
        for (var sent = 0; sent < 3; sent++)
        {
            await client.SendAsync(EmptyPackets.WritePingreq);
        }
        for (var answered = 0; answered < 3; answered++)
        {
            await client.NextAsync<MqttTestClient.Ping>();
        }
        // The next packet is an answer to this, so there was no other ping.
        await client.SubscribeAsync(HubTopics.MethodFilter);
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Publish_Many_AreAcknowledgedInTheirOrderAndGoUpstream(HubProfile profile)
    {
        await using var hub = await StartAsync(profile);
        await using var client = await MqttTestClient.ConnectAsync(hub, "m");
        var sent = new List<ushort>();
        for (var number = 0; number < 50; number++)
        {
            sent.Add(await client.PublishAsync($"{client.Topics}/messages/events/%24.on=o", $"{number}"));
        }
        foreach (var id in sent)
        {
            (await client.NextAsync<PubackPacket>()).PacketId.ShouldBe(id);
        }
        Bodies(hub).ShouldBe(Enumerable.Range(0, 50).Select(number => $"{number}"));
    }

    [Theory]
    [InlineData(HubProfile.EdgeHub, "/messages/events", null)]
    [InlineData(HubProfile.EdgeHub, "/messages/events/", null)]
    [InlineData(HubProfile.EdgeHub, "/messages/events/%24.on=o", "o")]
    [InlineData(HubProfile.EdgeHub, "/messages/events/%24.on=o/", "o")]
    [InlineData(HubProfile.IoTHub, "/messages/events", null)]
    [InlineData(HubProfile.IoTHub, "/messages/events/", null)]
    [InlineData(HubProfile.IoTHub, "/messages/events/%24.on=o", "o")]
    [InlineData(HubProfile.IoTHub, "/messages/events/%24.on=o/", "o")]
    public async Task Publish_TelemetryInEachForm_IsStampedAndTellsItsOutput(
        HubProfile profile,
        string end,
        string? output
    )
    {
        await using var hub = await StartAsync(profile);
        await using var client = await MqttTestClient.ConnectAsync(hub, "m");
        await client.PublishAcknowledgedAsync(client.Topics + end, "x");
        var upstream = hub.Server.Upstream.After(0).Single();
        upstream.Enqueued.ShouldBeGreaterThan(DateTimeOffset.UtcNow.AddMinutes(-5));
        var system = upstream.Message.System;
        system["outputName"].ShouldBe(output);
        system["connectionDeviceId"].ShouldBe("gateway");
        system["connectionModuleId"].ShouldBe("m");
        ((string?)JsonNode.Parse(system["connectionAuthMethod"]!)!["type"]).ShouldBe("sas");
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task QoS2_ClosesWhenPublishedAndIsGrantedAs1(HubProfile profile)
    {
        await using var hub = await StartAsync(profile);
        await using var client = await MqttTestClient.ConnectAsync(hub, "m");
        (await client.SubscribeAsync(MqttQoS.ExactlyOnce, HubTopics.MethodFilter)).Codes.ShouldBe([(byte)1]);
        await client.PublishAsync($"{client.Topics}/messages/events/", "x", MqttQoS.ExactlyOnce);
        await client.Closed.WaitAsync(TestHub.Patience);
    }

    [Theory]
    [InlineData(HubProfile.EdgeHub, 1)] // edgeHub takes any filter.
    [InlineData(HubProfile.IoTHub, SubackPacket.Failure)]
    public async Task Subscribe_UnknownFilter_IsGrantedOrRefusedAndTheClientLives(HubProfile profile, byte code)
    {
        await using var hub = await StartAsync(profile);
        await using var client = await MqttTestClient.ConnectAsync(hub, "m");
        (await client.SubscribeAsync(MqttQoS.AtLeastOnce, "what/ever", HubTopics.MethodFilter)).Codes.ShouldBe([
            code,
            (byte)1,
        ]);
        await client.ShouldHaveNothingAsync();
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Publish_TooLarge_ClosesAndIsNotKept(HubProfile profile)
    {
        await using var hub = await StartAsync(profile);
        await using var client = await MqttTestClient.ConnectAsync(hub, "m");
        try
        {
            await client.PublishAsync($"{client.Topics}/messages/events/", new string('x', 256 * 1024));
        }
        catch (IOException)
        {
            // Closed while it was still sending.
        }
        await client.Closed.WaitAsync(TestHub.Patience);
        hub.Server.Upstream.After(0).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(HubProfile.EdgeHub, null)]
    [InlineData(HubProfile.IoTHub, "Will")]
    public async Task Will_AfterALoss_GoesUpstreamAndIsMarkedByIoTHub(HubProfile profile, string? mark)
    {
        await using var hub = await StartAsync(profile);
        var will = new MqttWill(
            "devices/gateway/modules/m/messages/events/%24.mid=w",
            "gone"u8.ToArray(),
            MqttQoS.AtLeastOnce,
            Retain: false
        );
        await using (await MqttTestClient.ConnectAsync(hub, "m", will: will)) { }
        var told = await hub.Server.Upstream.WaitAsync(0, TestHub.Patience, CancellationToken.None);
        told.Single().Message.System["messageId"].ShouldBe("w");
        told.Single().Message.Properties["iothub-MessageType"].ShouldBe(mark);
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Twin_IsReadPatchedAndRefused(HubProfile profile)
    {
        await using var hub = await StartAsync(profile);
        await using var client = await MqttTestClient.SubscribedAsync(hub, "m");
        await ReportAsync("""{"a":{"x":1,"y":2},"list":[1]}""", 204);
        await ReportAsync("""{"a":{"x":null},"list":[2,3]}""", 204);
        await ReportAsync("{}", 204);
        var refusal = await ReportAsync("""{"a":[null]}""", 400);
        ((int)JsonNode.Parse(refusal)!["errorCode"]!).ShouldBe(400004);
        await client.PublishAsync("$iothub/twin/GET/?$rid=A%2Fb:;(x)", " ", MqttQoS.AtMostOnce);
        var twin = await client.NextMessageAsync();
        twin.Topic.ShouldBe("$iothub/twin/res/200/?$rid=A%2Fb:;(x)");
        twin.QoS.ShouldBe(MqttQoS.AtLeastOnce);
        twin.Payload.ShouldBe("""{"desired":{"$version":1},"reported":{"a":{"y":2},"list":[2,3],"$version":4}}""");

        async Task<string> ReportAsync(string patch, int status)
        {
            await client.PublishAsync(HubTopics.ReportedPatch("p"), patch, MqttQoS.AtMostOnce);
            var answer = await client.NextMessageAsync();
            answer.Hub.Status.ShouldBe(status);
            return answer.Payload;
        }
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Desired_Changed_IsToldOnceWithWhatChanged(HubProfile profile)
    {
        await using var hub = await StartAsync(profile);
        await using var client = await MqttTestClient.SubscribedAsync(hub, "m");
        hub.Server.Twins.Write(client.Identity, new(null, new() { ["a"] = 1, ["b"] = 2 }));
        (await client.NextMessageAsync()).Payload.ShouldBe("""{"a":1,"b":2,"$version":2}""");
        hub.Server.Twins.Write(client.Identity, new(null, new() { ["a"] = null }));
        (await client.NextMessageAsync()).Payload.ShouldBe("""{"a":null,"$version":3}""");
        await client.ShouldHaveNothingAsync();
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Methods_TwoAtOnce_AreAnsweredEachAndFailWhenTheClientLeaves(HubProfile profile)
    {
        await using var hub = await StartAsync(profile);
        var client = await MqttTestClient.SubscribedAsync(hub, "m");
        var first = InvokeAsync("first");
        var firstRequest = await client.NextMessageAsync();
        firstRequest.Topic.Split('/').Length.ShouldBe(5);
        var second = InvokeAsync("second");
        var secondRequest = await client.NextMessageAsync();
        var third = InvokeAsync("third");
        await client.NextMessageAsync();
        await client.PublishAsync(
            HubTopics.MethodResponse(1001, secondRequest.Hub.RequestId.ToUpperInvariant()),
            "[2]"
        );
        await client.PublishAsync(HubTopics.MethodResponse(0, firstRequest.Hub.RequestId));
        (await second).Status.ShouldBe(1001);
        (await first).Payload.IsEmpty.ShouldBeTrue();
        await client.DisposeAsync();
        (await Should.ThrowAsync<HubException>(third.WaitAsync(TestHub.Patience))).Error.ShouldBe(
            HubError.GatewayTimeout
        );
        (await Should.ThrowAsync<HubException>(InvokeAsync("fourth"))).Error.ShouldBe(HubError.DeviceNotOnline);

        Task<EdgeDm.DevHub.Methods.MethodAnswer> InvokeAsync(string name) =>
            hub.Server.Methods.InvokeAsync(
                client.Identity,
                name,
                "null"u8.ToArray(),
                TimeSpan.FromSeconds(30),
                TimeSpan.Zero,
                CancellationToken.None
            );
    }

    [Fact]
    public async Task Socket_WithoutTls_IsClosedAndHearsNothing()
    {
        await using var hub = await TestHub.StartAsync();
        using var socket = new System.Net.Sockets.TcpClient();
        await socket.ConnectAsync(hub.Options.Address, hub.Server.MqttPort);
        var connect = new System.Buffers.ArrayBufferWriter<byte>();
        new ConnectPacket("gateway/m", true, 60, "h/gateway/m/?api-version=1", "x"u8.ToArray()).Write(connect);
        await socket.GetStream().WriteAsync(connect.WrittenMemory);
        var heard = new byte[4];
        using var patience = new CancellationTokenSource(TestHub.Patience);
        var count = 0;
        try
        {
            count = await socket.GetStream().ReadAsync(heard, patience.Token);
        }
        catch (IOException)
        {
            // Reset instead of closed.
        }
        // At most an alert of TLS; never a CONNACK.
        heard[0].ShouldNotBe((byte)0x20);
        count.ShouldBeLessThanOrEqualTo(heard.Length);
    }

    // In the profile edgeHub only a route leads upstream; IoT Hub is upstream.
    private static async Task<TestHub> StartAsync(HubProfile profile)
    {
        var hub = await TestHub.StartAsync(o => o with { Profile = profile });
        if (profile == HubProfile.EdgeHub)
        {
            hub.Route("FROM /messages/* INTO $upstream");
        }
        return hub;
    }

    private static async Task<MqttTestClient> OpenAsync(TestHub hub, HubIdentity id, bool clean, bool present)
    {
        var client = await MqttTestClient.OpenAsync(hub, id);
        var connack = await client.SendConnectAsync(
            new(id.ToString(), clean, 60, MqttTestClient.UserName(hub, id), Encoding.UTF8.GetBytes(hub.Token(id)))
        );
        connack.Code.ShouldBe(ConnackCode.Accepted);
        connack.SessionPresent.ShouldBe(present);
        return client;
    }

    private static IEnumerable<string> Bodies(TestHub hub) =>
        hub.Server.Upstream.After(0).Select(m => Encoding.UTF8.GetString(m.Message.Body.Span));
}
