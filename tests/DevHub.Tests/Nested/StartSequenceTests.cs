using System.Text;
using System.Text.Json.Nodes;
using EdgeDm.DevHub.Tests.Service;
using EdgeDm.Mqtt;
using EdgeDm.Mqtt.IoTHub;

namespace EdgeDm.DevHub.Tests.Nested;

// What an edgeHub does at its IoT Hub, in its order: from its start over an hour to the end of a module.
public sealed class StartSequenceTests
{
    [Fact]
    public async Task Start_InEdgeHubsOrder_GivesIdentitiesRoutesAndATwinThatTakesItsReport()
    {
        await using var hub = await EdgeHubPeer.StartHubAsync();
        hub.Module("m");
        hub.Route("FROM /messages/* INTO $upstream");
        using var edgeHub = new EdgeHubPeer(hub);

        // 1. Who is below it, with their keys.
        var scope = await EdgeHubPeer.ReadAsync(await edgeHub.ScopeAsync("gateway"));
        EdgeHubPeer
            .NamesIn(scope)
            .ShouldBe(["gateway", "gateway/$edgeAgent", "gateway/$edgeHub", "gateway/m"], ignoreOrder: true);

        // 2. Its own connection: routes by its twin, and a report.
        await using var own = await edgeHub.ConnectAsync(edgeHub.Identity, "gateway/$edgeHub;gateway", clean: false);
        await own.SubscribeAsync(HubTopics.TwinResponseFilter, HubTopics.DesiredFilter, HubTopics.MethodFilter);
        await own.PublishAsync(HubTopics.TwinGet("1"), qos: MqttQoS.AtMostOnce);
        var twin = await own.NextMessageAsync();
        twin.Hub.Status.ShouldBe(200);
        var desired = JsonNode.Parse(twin.Payload)!["desired"]!;
        ((string?)desired["routes"]!["r0"]).ShouldBe("FROM /messages/* INTO $upstream");
        ((int)desired["$version"]!).ShouldBe(2);
        await own.PublishAsync(
            HubTopics.ReportedPatch("2"),
            """{"schemaVersion":"1.0","lastDesiredVersion":2,"lastDesiredStatus":{"code":200,"description":""}}""",
            MqttQoS.AtMostOnce
        );
        (await own.NextMessageAsync()).Topic.ShouldBe("$iothub/twin/res/204/?$rid=2&$version=2");

        // 3. A module of it.
        await using var module = await edgeHub.ModuleAsync("m");
        hub.Server.Connected.ShouldBe([edgeHub.Identity, module.Identity], ignoreOrder: true);

        // The hub keeps out of what edgeHub does with its routes.
        hub.Server.Router.Routes.Routes.ShouldBeEmpty();
        hub.Server.Twins.Get(edgeHub.Identity).Reported.Version.ShouldBe(2);
    }

    [Fact]
    public async Task Routes_Changed_ReachEdgeHubAsADesiredPatch()
    {
        await using var hub = await EdgeHubPeer.StartHubAsync();
        using var edgeHub = new EdgeHubPeer(hub);
        await using var own = await edgeHub.ConnectAsync(edgeHub.Identity, "gateway/$edgeHub;gateway");
        await own.SubscribeAsync(HubTopics.DesiredFilter);
        await hub.SendAsync(
            HttpMethod.Post,
            "/devices/gateway/applyConfigurationContent",
            """{"modulesContent":{"$edgeHub":{"properties.desired":{"schemaVersion":"1.1","routes":{"up":"FROM /* INTO $upstream"}}}}}"""
        );
        var patch = await own.NextMessageAsync();
        patch.Hub.Kind.ShouldBe(HubTopicKind.DesiredPatch);
        ((string?)JsonNode.Parse(patch.Payload)!["routes"]!["up"]).ShouldBe("FROM /* INTO $upstream");
    }

    [Fact]
    public async Task Refresh_AnHourLater_HasWhoWasAddedAndNotWhoWasDeleted()
    {
        await using var hub = await EdgeHubPeer.StartHubAsync();
        hub.Module("old");
        using var edgeHub = new EdgeHubPeer(hub);
        (await edgeHub.NamesAsync()).ShouldContain("gateway/old");

        hub.Server.Identities.Delete(new("gateway", "old"), ifMatch: null);
        hub.Module("new");
        hub.Leaf("leaf");

        var names = await edgeHub.NamesAsync();
        names.ShouldNotContain("gateway/old");
        names.ShouldContain("gateway/new");
        names.ShouldContain("leaf");
    }

    [Fact]
    public async Task Telemetry_OfAModuleAndALeaf_GoesUpstreamAsTheirOwn()
    {
        await using var hub = await EdgeHubPeer.StartHubAsync();
        hub.Module("m");
        var leaf = hub.Leaf("leaf");
        hub.Route("FROM /messages/* INTO BrokeredEndpoint(\"/modules/m/inputs/in\")"); // edgeHub's affair.
        using var edgeHub = new EdgeHubPeer(hub);
        await using var module = await edgeHub.ModuleAsync("m");
        await using var device = await edgeHub.ConnectAsync(leaf, "leaf;gateway");

        await module.OutputAsync("o", "1", "%24.mid=m1&%24.cdid=forged&colour=red");
        await device.PublishAcknowledgedAsync("devices/leaf/messages/events/", "2");

        var upstream = hub.Server.Upstream.After(0).Select(m => m.Message).ToList();
        upstream.Count.ShouldBe(2);
        upstream[0].System["connectionDeviceId"].ShouldBe("gateway");
        upstream[0].System["connectionModuleId"].ShouldBe("m");
        upstream[0].System["messageId"].ShouldBe("m1");
        upstream[0].Properties["colour"].ShouldBe("red");
        upstream[1].System["connectionDeviceId"].ShouldBe("leaf");
        upstream[1].System["connectionModuleId"].ShouldBeNull();
        Encoding.UTF8.GetString(upstream[1].Body.Span).ShouldBe("2");
        await module.ShouldHaveNothingAsync();
    }

    [Fact]
    public async Task Twin_OfAModule_IsReadReportedAndChangedThroughEdgeHub()
    {
        await using var hub = await EdgeHubPeer.StartHubAsync();
        var id = hub.Module("m");
        hub.Server.Twins.Write(id, new(null, new() { ["a"] = 1 }));
        using var edgeHub = new EdgeHubPeer(hub);
        await using var module = await edgeHub.ModuleAsync("m");

        await module.PublishAsync(HubTopics.TwinGet("g"), qos: MqttQoS.AtMostOnce);
        ((int)JsonNode.Parse((await module.NextMessageAsync()).Payload)!["desired"]!["a"]!).ShouldBe(1);
        await module.PublishAsync(HubTopics.ReportedPatch("p"), """{"b":2}""", MqttQoS.AtMostOnce);
        (await module.NextMessageAsync()).Topic.ShouldBe("$iothub/twin/res/204/?$rid=p&$version=2");
        hub.Server.Twins.Write(id, new(null, new() { ["a"] = 3 }));
        (await module.NextMessageAsync()).Payload.ShouldBe("""{"a":3,"$version":3}""");

        var told = await hub.DoAsync(HttpMethod.Get, "/twins/gateway/modules/m");
        ((int)told["properties"]!["reported"]!["b"]!).ShouldBe(2);
        ((string?)told["connectionState"]).ShouldBe("Connected");
        hub.Server.Upstream.After(0).ShouldBeEmpty(); // edgeHub routes twin changes itself.
    }

    [Fact]
    public async Task Method_CalledByTheService_ReachesTheModuleThroughEdgeHub()
    {
        await using var hub = await EdgeHubPeer.StartHubAsync();
        hub.Module("m");
        using var edgeHub = new EdgeHubPeer(hub);
        await using var module = await edgeHub.ModuleAsync("m");
        var call = hub.DoAsync(
            HttpMethod.Post,
            "/twins/gateway/modules/m/methods",
            """{"methodName":"turn","payload":{"x":1}}"""
        );

        var request = await module.NextMessageAsync();
        request.Hub.Name.ShouldBe("turn");
        request.Payload.ShouldBe("""{"x":1}""");
        await module.PublishAsync(HubTopics.MethodResponse(207, request.Hub.RequestId), "\"done\"", MqttQoS.AtMostOnce);

        (await call).ToJsonString().ShouldBe("""{"status":207,"payload":"done"}""");
    }

    [Fact]
    public async Task CloudMessage_ForALeaf_ReachesItThroughEdgeHub()
    {
        await using var hub = await EdgeHubPeer.StartHubAsync();
        var leaf = hub.Leaf("leaf");
        using var edgeHub = new EdgeHubPeer(hub);
        await hub.SendAsync(HttpMethod.Post, "/devhub/devices/leaf/messages?key=value", "\"hello\"");
        await using var device = await edgeHub.ConnectAsync(leaf, "leaf;gateway");
        await device.SubscribeAsync("devices/leaf/messages/devicebound/#");

        var message = await device.NextMessageAsync();
        message.Payload.ShouldBe("\"hello\"");
        message.Bag["key"].ShouldBe("value");
        await device.AcknowledgeAsync(message);
        await device.ShouldHaveNothingAsync();
        ((int)(await hub.DoAsync(HttpMethod.Get, "/devices/leaf"))["cloudToDeviceMessageCount"]!).ShouldBe(0);
    }

    [Fact]
    public async Task Module_Leaves_ItsConnectionEndsAndOthersStay()
    {
        await using var hub = await EdgeHubPeer.StartHubAsync();
        hub.Module("m");
        using var edgeHub = new EdgeHubPeer(hub);
        await using var own = await edgeHub.ConnectAsync(edgeHub.Identity, "gateway/$edgeHub;gateway");
        await using var module = await edgeHub.ModuleAsync("m");
        await module.GoodbyeAsync();
        await own.ShouldHaveNothingAsync();
        await HubWait.UntilAsync(() => Task.FromResult(hub.Server.Connected.Count == 1));
        hub.Server.Connected.ShouldBe([edgeHub.Identity]);
    }
}
