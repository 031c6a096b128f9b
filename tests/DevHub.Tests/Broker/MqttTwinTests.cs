using System.Text;
using System.Text.Json.Nodes;
using EdgeDm.DevHub.Identities;
using EdgeDm.Mqtt;
using EdgeDm.Mqtt.IoTHub;

namespace EdgeDm.DevHub.Tests.Broker;

// Twins as a client sees them: get, reported patches, desired patches.
public sealed class MqttTwinTests
{
    [Theory]
    [InlineData("")]
    [InlineData(" ")] // Node sends a blank.
    public async Task Get_EmptyBody_AnswersBothParts(string body)
    {
        await using var hub = await TestHub.StartAsync();
        await using var client = await MqttTestClient.SubscribedAsync(hub, "m");
        hub.Server.Twins.Write(client.Identity, new(null, Object("""{"a":{"b":1}}""")));
        await client.NextMessageAsync(); // The desired patch.
        await client.PublishAsync(HubTopics.TwinGet("r-1"), body, MqttQoS.AtMostOnce);
        var answer = await client.NextMessageAsync();
        answer.Topic.ShouldBe("$iothub/twin/res/200/?$rid=r-1");
        answer.QoS.ShouldBe(MqttQoS.AtLeastOnce);
        ShouldBe(answer.Payload, """{"desired":{"a":{"b":1},"$version":2},"reported":{"$version":1}}""");
    }

    [Fact]
    public async Task Get_StrangeRequestId_IsEchoed()
    {
        await using var hub = await TestHub.StartAsync();
        await using var client = await MqttTestClient.SubscribedAsync(hub, "m");
        await client.PublishAsync("$iothub/twin/GET/?$rid=A%2Fb:;(x)", "", MqttQoS.AtMostOnce);
        (await client.NextMessageAsync()).Topic.ShouldBe("$iothub/twin/res/200/?$rid=A%2Fb:;(x)");
    }

    [Fact]
    public async Task Get_SubscribedWithQoS0_AnswersWithQoS0()
    {
        await using var hub = await TestHub.StartAsync();
        await using var client = await MqttTestClient.ConnectAsync(hub, "m");
        await client.SubscribeAsync(MqttQoS.AtMostOnce, HubTopics.TwinResponseFilter);
        await client.PublishAsync(HubTopics.TwinGet("1"), "", MqttQoS.AtMostOnce);
        (await client.NextMessageAsync()).QoS.ShouldBe(MqttQoS.AtMostOnce);
    }

    [Theory]
    [InlineData("$iothub/twin/GET/")]
    [InlineData("$iothub/twin/PUT/?$rid=1")]
    public async Task Publish_MalformedTwinTopic_Closes(string topic)
    {
        await using var hub = await TestHub.StartAsync();
        await using var client = await MqttTestClient.SubscribedAsync(hub, "m");
        await client.PublishAsync(topic, "", MqttQoS.AtMostOnce);
        await client.Closed.WaitAsync(TestHub.Patience);
    }

    [Fact]
    public async Task Report_NestedPatches_MergeReplaceAndRemove()
    {
        await using var hub = await TestHub.StartAsync();
        await using var client = await MqttTestClient.SubscribedAsync(hub, "m");
        await ReportAsync(client, """{"a":{"x":1,"y":{"z":2}},"list":[1,2],"gone":true}""");
        await ReportAsync(client, """{"a":{"x":null,"y":{"w":3}},"list":[3],"gone":null}""");
        await ReportAsync(client, "{}");
        var reported = hub.Server.Twins.Get(client.Identity).Reported;
        ShouldBe(reported.Properties.GetRawText(), """{"a":{"y":{"z":2,"w":3}},"list":[3]}""");
        reported.Version.ShouldBe(4);
    }

    [Theory]
    [InlineData(HubProfile.EdgeHub, "$iothub/twin/res/204/?$rid=7")]
    [InlineData(HubProfile.IoTHub, "$iothub/twin/res/204/?$rid=7&$version=2")]
    public async Task Report_ByProfile_AnswersWithOrWithoutVersion(HubProfile profile, string topic)
    {
        await using var hub = await TestHub.StartAsync(o => o with { Profile = profile });
        await using var client = await MqttTestClient.SubscribedAsync(hub, "m");
        await client.PublishAsync(HubTopics.ReportedPatch("7"), """{"a":1}""", MqttQoS.AtMostOnce);
        var answer = await client.NextMessageAsync();
        answer.Topic.ShouldBe(topic);
        answer.Payload.ShouldBeEmpty();
    }

    [Fact]
    public async Task Report_WithoutRequestId_IsTakenWithoutAnswer()
    {
        await using var hub = await TestHub.StartAsync();
        await using var client = await MqttTestClient.SubscribedAsync(hub, "m");
        await client.PublishAsync("$iothub/twin/PATCH/properties/reported/", """{"a":1}""", MqttQoS.AtMostOnce);
        await client.ShouldHaveNothingAsync();
        hub.Server.Twins.Get(client.Identity).Reported.Version.ShouldBe(2);
    }

    [Fact]
    public async Task Report_AgainstALimit_Answers400WithErrorCodeAndChangesNothing()
    {
        await using var hub = await TestHub.StartAsync();
        await using var client = await MqttTestClient.SubscribedAsync(hub, "m");
        await client.PublishAsync(HubTopics.ReportedPatch("1"), """{"a":[null]}""", MqttQoS.AtMostOnce);
        var answer = await client.NextMessageAsync();
        answer.Hub.Status.ShouldBe(400);
        var body = JsonNode.Parse(answer.Payload)!;
        ((int)body["errorCode"]!).ShouldBe(400004);
        ((string)body["message"]!).ShouldContain("null");
        hub.Server.Twins.Get(client.Identity).Reported.Version.ShouldBe(1);
    }

    [Theory]
    [InlineData(HubProfile.EdgeHub, 500)]
    [InlineData(HubProfile.IoTHub, 400)]
    public async Task Report_NotJson_AnswersAsTheProfileDoes(HubProfile profile, int status)
    {
        await using var hub = await TestHub.StartAsync(o => o with { Profile = profile });
        await using var client = await MqttTestClient.SubscribedAsync(hub, "m");
        await client.PublishAsync(HubTopics.ReportedPatch("1"), "{", MqttQoS.AtMostOnce);
        (await client.NextMessageAsync()).Hub.Status.ShouldBe(status);
        await client.ShouldHaveNothingAsync();
    }

    [Fact]
    public async Task Report_WithARouteForTwinChanges_IsRouted()
    {
        await using var hub = await TestHub.StartAsync();
        hub.Route("FROM /twinChangeNotifications INTO $upstream");
        await using var client = await MqttTestClient.SubscribedAsync(hub, "m");
        await ReportAsync(client, """{"a":1}""");
        var message = (await hub.Server.Upstream.WaitAsync(0, TestHub.Patience, CancellationToken.None))
            .Single()
            .Message;
        message.System["connectionModuleId"].ShouldBe("m");
        Encoding.UTF8.GetString(message.Body.Span).ShouldBe("""{"a":1}""");
    }

    [Fact]
    public async Task Desired_Changed_TellsOnlyWhatChangedOnce()
    {
        await using var hub = await TestHub.StartAsync();
        await using var client = await MqttTestClient.SubscribedAsync(hub, "m");
        hub.Server.Twins.Write(client.Identity, new(null, Object("""{"keep":1,"change":{"x":1,"y":2},"drop":[1]}""")));
        (await client.NextMessageAsync()).Hub.Version.ShouldBe(2);
        hub.Server.Twins.Write(
            client.Identity,
            new(null, Object("""{"keep":1,"change":{"x":1,"y":3},"fresh":{"z":0}}"""), Replace: true)
        );
        var patch = await client.NextMessageAsync();
        patch.Topic.ShouldBe("$iothub/twin/PATCH/properties/desired/?$version=3");
        ShouldBe(patch.Payload, """{"drop":null,"change":{"y":3},"fresh":{"z":0},"$version":3}""");
        await client.ShouldHaveNothingAsync();
    }

    [Fact]
    public async Task Desired_NotSubscribedOrAway_TellsNothingLater()
    {
        await using var hub = await TestHub.StartAsync();
        hub.Server.Twins.Write(hub.Module("m"), new(null, Object("""{"a":1}""")));
        await using var client = await MqttTestClient.ConnectAsync(hub, "m");
        hub.Server.Twins.Write(client.Identity, new(null, Object("""{"a":2}""")));
        await client.SubscribeAsync(HubTopics.DesiredFilter);
        await client.ShouldHaveNothingAsync();
    }

    [Fact]
    public async Task Twins_HubRestarts_AreStillThereWithTheirKeys()
    {
        using var folder = new TemporaryFolder();
        HubIdentity id;
        string key;
        await using (var hub = await TestHub.StartAsync(dataFolder: folder.Path))
        {
            await using var client = await MqttTestClient.SubscribedAsync(hub, "m");
            id = client.Identity;
            key = hub.Server.Identities.Find(id)!.PrimaryKey;
            await ReportAsync(client, """{"r":1}""");
            hub.Server.Twins.Write(id, new(Object("""{"t":1}"""), Object("""{"d":1}""")));
        }
        await using var again = await TestHub.StartAsync(dataFolder: folder.Path);
        var twin = again.Server.Twins.Get(id);
        ShouldBe(twin.Desired.Properties.GetRawText(), """{"d":1}""");
        ShouldBe(twin.Reported.Properties.GetRawText(), """{"r":1}""");
        ShouldBe(twin.Tags.GetRawText(), """{"t":1}""");
        (twin.Desired.Version, twin.Reported.Version).ShouldBe((2, 2));
        again.Server.Identities.Find(id)!.PrimaryKey.ShouldBe(key);
    }

    private static async Task ReportAsync(MqttTestClient client, string patch)
    {
        await client.PublishAsync(HubTopics.ReportedPatch("1"), patch, MqttQoS.AtMostOnce);
        (await client.NextMessageAsync()).Hub.Status.ShouldBe(204);
    }

    private static JsonObject Object(string json) => JsonNode.Parse(json)!.AsObject();

    private static void ShouldBe(string actual, string expected) =>
        JsonNode.DeepEquals(JsonNode.Parse(actual), JsonNode.Parse(expected)).ShouldBeTrue(actual);
}
