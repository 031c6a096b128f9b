using System.Net;
using System.Text.Json.Nodes;
using static EdgeDm.DevHub.Tests.Service.ServiceAnswers;

namespace EdgeDm.DevHub.Tests.Service;

// /configurations: their life, and what becomes of the twins that they mean.
public sealed class ConfigurationRequestsTests
{
    [Fact]
    public async Task Configuration_IsMadeReadListedChangedAndDeleted()
    {
        await using var hub = await StartAsync();
        var made = await PutAsync(
            hub,
            "one",
            """{"id":"one","labels":{"l":"v"},"content":{"deviceContent":{"properties.desired.a":1}},"priority":5}"""
        );
        ((string?)made["schemaVersion"]).ShouldBe("1.0");
        ((string?)made["labels"]!["l"]).ShouldBe("v");
        ((int?)made["content"]!["deviceContent"]!["properties.desired.a"]).ShouldBe(1);
        await ShouldFailAsync(await SendAsync(hub, "one", "{}"), 400, "ArgumentInvalid");
        await ShouldFailAsync(await SendAsync(hub, "one", made.ToJsonString()), 409, "ConfigurationAlreadyExists");
        made["priority"] = 7;
        var changed = await hub.DoAsync(
            HttpMethod.Put,
            "/configurations/one",
            made.ToJsonString(),
            $"\"{made["etag"]}\""
        );
        ((int?)changed["priority"]).ShouldBe(7);
        await ShouldFailAsync(
            await SendAsync(hub, "one", made.ToJsonString(), $"\"{made["etag"]}\""),
            412,
            "PreconditionFailed"
        );
        made["content"] = JsonNode.Parse("""{"deviceContent":{"properties.desired.a":2}}""");
        await ShouldFailAsync(
            await SendAsync(hub, "one", made.ToJsonString(), "*"),
            400,
            "CannotModifyImmutableConfigurationContent"
        );
        var all = JsonNode.Parse(await hub.Http.GetStringAsync("/configurations/?top=20"))!.AsArray();
        all.ShouldHaveSingleItem()!["id"]!.ToString().ShouldBe("one");
        var gone = await hub.SendAsync(HttpMethod.Delete, "/configurations/one", ifMatch: "\"*\"");
        gone.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        await ShouldFailAsync(await hub.Http.GetAsync("/configurations/one"), 404, "ConfigurationNotFound");
    }

    [Theory]
    [InlineData("Upper", "{}", "ArgumentInvalid")]
    [InlineData("c", """{"content":{}}""", "InvalidConfigurationContent")]
    [InlineData("c", """{"content":{"otherContent":{}}}""", "InvalidConfigurationContent")]
    [InlineData("c", """{"content":{"deviceContent":{"desired.a":1}}}""", "InvalidConfigurationContent")]
    [InlineData("c", """{"content":{"deviceContent":{"properties.desired":1}}}""", "InvalidConfigurationContent")]
    [InlineData(
        "c",
        """{"content":{"deviceContent":{"properties.desired.a":[null]}}}""",
        "InvalidConfigurationContent"
    )]
    [InlineData("c", """{"content":{"modulesContent":{"a b":{}}}}""", "InvalidConfigurationContent")]
    [InlineData(
        "c",
        """{"content":{"deviceContent":{}},"targetCondition":"tags.a ="}""",
        "InvalidConfigurationTargetCondition"
    )]
    [InlineData(
        "c",
        """{"content":{"moduleContent":{}},"targetCondition":"tags.a = 1"}""",
        "InvalidConfigurationTargetCondition"
    )]
    [InlineData(
        "c",
        """{"content":{"deviceContent":{}},"targetCondition":"FROM devices.modules"}""",
        "InvalidConfigurationTargetCondition"
    )]
    [InlineData(
        "c",
        """{"content":{"deviceContent":{}},"metrics":{"queries":{"m":"SELECT"}}}""",
        "InvalidConfigurationCustomMetricsQuery"
    )]
    [InlineData("c", """{"content":{"deviceContent":{}},"priority":-1}""", "ArgumentInvalid")]
    public async Task Create_WrongConfiguration_IsRefused(string id, string body, string code)
    {
        await using var hub = await StartAsync();
        await ShouldFailAsync(await SendAsync(hub, id, body), 400, code);
    }

    [Fact]
    public async Task Create_BeyondTheLimits_IsRefused()
    {
        await using var hub = await TestHub.StartAsync(o =>
            o with
            {
                Configurations = new(MostConfigurations: 1, LongestContent: 62),
            }
        );
        const string Content = """{"content":{"deviceContent":{"properties.desired.a":"12345678901234567"}}}""";
        await PutAsync(hub, "one", Content);
        await ShouldFailAsync(await SendAsync(hub, "two", Content), 413, "ConfigurationCountLimitExceeded");
        await ShouldFailAsync(
            await SendAsync(hub, "three", Content.Replace("567", "5678")),
            400,
            "InvalidConfigurationContent"
        );
    }

    [Fact]
    public async Task DeviceContent_TwinsThatComeToBeMeant_AreSetPathByPathByPriority()
    {
        await using var hub = await StartAsync();
        await hub.DoAsync(HttpMethod.Put, "/devices/d", "{}");
        await hub.DoAsync(HttpMethod.Patch, "/twins/d", """{"properties":{"desired":{"own":1,"s":{"old":1}}}}""");
        await PutAsync(
            hub,
            "low",
            Device("tags.on = true", """{"properties.desired.s":{"x":1},"properties.desired.p":1}""", 1)
        );
        await PutAsync(hub, "high", Device("tags.on = true", """{"properties.desired.s.x":2}""", 2));
        await hub.DoAsync(HttpMethod.Patch, "/twins/d", """{"tags":{"on":true}}""");
        var twin = await WaitAsync(hub, "/twins/d", t => t["configurations"]?.AsObject().Count == 2);
        Desired(twin).ShouldBe("""{"own":1,"s":{"x":2},"p":1}""");
        twin["configurations"]!.ToJsonString().ShouldBe("""{"high":{"status":"Applied"},"low":{"status":"Applied"}}""");
        // By hand in between: it stays until other configurations mean the twin.
        await hub.DoAsync(HttpMethod.Patch, "/twins/d", """{"properties":{"desired":{"p":9}}}""");
        await hub.SendAsync(HttpMethod.Delete, "/configurations/high");
        twin = await WaitAsync(hub, "/twins/d", t => t["configurations"]?.AsObject().Count == 1);
        Desired(twin).ShouldBe("""{"own":1,"s":{"x":1},"p":1}""");
        await hub.DoAsync(HttpMethod.Patch, "/twins/d", """{"tags":{"on":false}}""");
        twin = await WaitAsync(hub, "/twins/d", t => t["configurations"] is null);
        Desired(twin).ShouldBe("""{"own":1,"s":{"x":1},"p":1}""");
    }

    [Fact]
    public async Task ModulesContent_BaseAndLayers_AreMergedAndModulesMade()
    {
        await using var hub = await StartAsync();
        await using var client = await MqttTestClient.SubscribedAsync(hub, "m");
        const string Layer =
            """{"content":{"modulesContent":{"$edgeAgent":{"properties.desired.modules.extra":{"type":"docker"}},"m":{"properties.desired.deep.layer":true}}},""";
        await PutAsync(hub, "layer", Layer + "\"targetCondition\":\"tags.site = 1\",\"priority\":20}");
        await PutAsync(hub, "too-low", Layer.Replace("extra", "never") + "\"targetCondition\":\"*\",\"priority\":5}");
        await PutAsync(
            hub,
            "base",
            """
            {"content":{"modulesContent":{"$edgeAgent":{"properties.desired":{"schemaVersion":"1.1","modules":{"m":{"type":"docker"}}}},
             "$edgeHub":{"properties.desired":{"schemaVersion":"1.1","routes":{"r":"FROM /messages/* INTO $upstream"}}},
             "m":{"properties.desired":{"deep":{"base":1}}}}},"targetCondition":"*","priority":10,
             "metrics":{"queries":{"edges":"SELECT deviceId FROM devices WHERE capabilities.iotEdge = true"}}}
            """
        );
        await hub.DoAsync(HttpMethod.Patch, "/twins/gateway", """{"tags":{"site":1}}""");
        var agent = await WaitAsync(
            hub,
            "/twins/gateway/modules/$edgeAgent",
            t => (string?)t["configurations"]?["layer"]?["status"] == "Applied"
        );
        agent["configurations"]!
            .ToJsonString()
            .ShouldBe("""{"base":{"status":"Applied"},"layer":{"status":"Applied"},"too-low":{"status":"Targeted"}}""");
        agent["properties"]!["desired"]!["modules"]!.AsObject().Select(m => m.Key).ShouldBe(["m", "extra"]);
        hub.Server.Identities.Find(new("gateway", "extra")).ShouldNotBeNull();
        hub.Server.Identities.Find(new("gateway", "never")).ShouldBeNull();
        hub.Server.Router.Routes.Routes.Single().Name.ShouldBe("r");
        Desired(await hub.DoAsync(HttpMethod.Get, "/twins/gateway/modules/m"))
            .ShouldBe("""{"deep":{"base":1,"layer":true}}""");
        (await client.NextMessageAsync()).Payload.ShouldStartWith("""{"deep":{""");
        var read = await hub.DoAsync(HttpMethod.Get, "/configurations/base");
        ((int?)read["metrics"]!["results"]!["edges"]).ShouldBe(1);
        ((int?)read["systemMetrics"]!["results"]!["targetedCount"]).ShouldBe(1);
        ((int?)read["systemMetrics"]!["results"]!["appliedCount"]).ShouldBe(1);
        ((int?)read["systemMetrics"]!["results"]!["reportedSuccessfulCount"]).ShouldBe(0);
        read = await hub.DoAsync(HttpMethod.Get, "/configurations/too-low");
        ((int?)read["systemMetrics"]!["results"]!["appliedCount"]).ShouldBe(0);
    }

    [Fact]
    public async Task ModuleContent_AllModules_MeansNoSystemModules()
    {
        await using var hub = await StartAsync();
        hub.Module("m");
        await PutAsync(
            hub,
            "deployment",
            """{"content":{"modulesContent":{"$edgeAgent":{"properties.desired":{"modules":{}}}}},"targetCondition":"*","priority":1}"""
        );
        await PutAsync(
            hub,
            "modules",
            """{"content":{"moduleContent":{"properties.desired":{"all":1}}},"targetCondition":"FROM devices.modules","priority":1}"""
        );
        var twin = await WaitAsync(hub, "/twins/gateway/modules/m", t => t["configurations"] is not null);
        Desired(twin).ShouldBe("""{"all":1}""");
        twin = await WaitAsync(hub, "/twins/gateway/modules/$edgeAgent", t => t["configurations"] is not null);
        twin["configurations"]!.AsObject().Select(c => c.Key).ShouldBe(["deployment"]);
        (await hub.DoAsync(HttpMethod.Get, "/twins/gateway/modules/$edgeHub"))["configurations"].ShouldBeNull();
    }

    [Fact]
    public async Task Restart_ConfigurationThatWasApplied_IsNotWrittenAgain()
    {
        using var folder = new TemporaryFolder();
        long version;
        await using (var hub = await StartAsync(folder.Path))
        {
            await PutAsync(hub, "c", Device("*", """{"properties.desired.a":1}""", 1));
            await WaitAsync(hub, "/twins/gateway", t => t["configurations"] is not null);
            await hub.DoAsync(HttpMethod.Patch, "/twins/gateway", """{"properties":{"desired":{"a":2}}}""");
            version = hub.Server.Twins.Get(new("gateway")).Desired.Version;
        }
        await using var again = await StartAsync(folder.Path);
        await again.DoAsync(HttpMethod.Put, "/devices/new", "{}");
        await WaitAsync(again, "/twins/new", t => t["configurations"] is not null);
        again.Server.Twins.Get(new("gateway")).Desired.Version.ShouldBe(version);
    }

    [Fact]
    public async Task TestQueries_EachQuery_IsToldWhatIsWrong()
    {
        await using var hub = await StartAsync();
        var answer = await hub.DoAsync(
            HttpMethod.Post,
            "/configurations/testQueries",
            """{"targetCondition":"tags.a =","customMetricQueries":{"good":"SELECT * FROM devices","bad":"SELECT"}}"""
        );
        ((string?)answer["targetConditionError"])!.ShouldContain("character 9");
        answer["customMetricQueryErrors"]!.AsObject().Select(e => e.Key).ShouldBe(["bad"]);
        answer = await hub.DoAsync(
            HttpMethod.Post,
            "/configurations/testQueries",
            """{"targetCondition":"tags.a = 1"}"""
        );
        answer["targetConditionError"].ShouldBeNull();
    }

    [Fact]
    public async Task Apply_ToAnotherEdgeDevice_SetsItsModules()
    {
        await using var hub = await StartAsync();
        await hub.DoAsync(HttpMethod.Put, "/devices/leaf", "{}");
        await hub.DoAsync(HttpMethod.Put, "/devices/edge2", """{"capabilities":{"iotEdge":true}}""");
        const string Body = """{"modulesContent":{"x":{"properties.desired":{"a":1}}}}""";
        var applied = await hub.SendAsync(HttpMethod.Post, "/devices/edge2/applyConfigurationContent", Body);
        applied.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        Desired(await hub.DoAsync(HttpMethod.Get, "/twins/edge2/modules/x")).ShouldBe("""{"a":1}""");
        hub.Server.Identities.Find(new("gateway", "x")).ShouldBeNull();
        await ShouldFailAsync(
            await hub.SendAsync(HttpMethod.Post, "/devices/leaf/applyConfigurationContent", Body),
            400,
            "ArgumentInvalid"
        );
    }

    private static Task<TestHub> StartAsync(string? dataFolder = null) =>
        TestHub.StartAsync(
            o => o with { Configurations = new(Interval: TimeSpan.FromMilliseconds(10)) },
            dataFolder: dataFolder
        );

    private static string Device(string condition, string content, int priority) =>
        new JsonObject
        {
            ["content"] = new JsonObject { ["deviceContent"] = JsonNode.Parse(content) },
            ["targetCondition"] = condition,
            ["priority"] = priority,
        }.ToJsonString();

    private static Task<JsonObject> PutAsync(TestHub hub, string id, string body) =>
        hub.DoAsync(HttpMethod.Put, $"/configurations/{id}?api-version=2021-04-12", body);

    private static Task<HttpResponseMessage> SendAsync(TestHub hub, string id, string body, string? ifMatch = null) =>
        hub.SendAsync(HttpMethod.Put, $"/configurations/{id}", body, ifMatch);

    private static string Desired(JsonObject twin)
    {
        var desired = twin["properties"]!["desired"]!.DeepClone().AsObject();
        desired.Remove("$metadata");
        desired.Remove("$version");
        return desired.ToJsonString();
    }

    private static async Task<JsonObject> WaitAsync(TestHub hub, string path, Func<JsonObject, bool> fits)
    {
        JsonObject twin = [];
        await HubWait.UntilAsync(async () => fits(twin = await hub.DoAsync(HttpMethod.Get, path)));
        return twin;
    }
}
