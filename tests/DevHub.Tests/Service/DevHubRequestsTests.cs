using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using EdgeDm.Testing;
using static EdgeDm.DevHub.Tests.Service.ServiceAnswers;

namespace EdgeDm.DevHub.Tests.Service;

// The dev hub's own requests: status, what went upstream, a message by hand; and what happens to them at the end.
public sealed class DevHubRequestsTests
{
    [Fact]
    public async Task Upstream_Messages_CanBeFollowed()
    {
        await using var hub = await TestHub.StartAsync();
        hub.Route("FROM /messages/* INTO $upstream");
        await using var client = await MqttTestClient.ConnectAsync(hub, "a");
        await client.OutputAsync("o", """{"x":1}""", "%24.ct=application%2Fjson&%24.ce=utf-8&%24.mid=id&schema=s");
        var waiting = hub.Http.GetStringAsync("/devhub/upstream?after=1&wait=20");
        await client.OutputAsync("o", "no json");
        var first = JsonNode.Parse(await hub.Http.GetStringAsync("/devhub/upstream"))![0]!;
        ((int)first["sequence"]!).ShouldBe(1);
        first["body"]!.ToJsonString().ShouldBe("""{"x":1}""");
        ((string)first["properties"]!["schema"]!).ShouldBe("s");
        var system = first["systemProperties"]!;
        ((string)system["connectionDeviceId"]!).ShouldBe("gateway");
        ((string)system["connectionModuleId"]!).ShouldBe("a");
        ((string)system["outputName"]!).ShouldBe("o");
        ((string)system["messageId"]!).ShouldBe("id");
        ((string)system["connectionAuthMethod"]!).ShouldContain("module");
        DateTimeOffset
            .Parse((string)first["enqueuedTime"]!, CultureInfo.InvariantCulture)
            .ShouldBeGreaterThan(DateTimeOffset.UtcNow.AddMinutes(-5));
        var second = JsonNode.Parse(await waiting)!.AsArray().Single()!;
        Convert.FromBase64String((string)second["bodyBase64"]!).ShouldBe("no json"u8.ToArray());
        (await hub.Http.GetStringAsync("/devhub/upstream?after=2")).ShouldBe("[]");
        await ShouldFailAsync(await hub.Http.GetAsync("/devhub/upstream?after=x"), 400, "ArgumentInvalid");
    }

    [Fact]
    public async Task Send_ToAnInput_ArrivesWithItsProperties()
    {
        await using var hub = await TestHub.StartAsync();
        hub.Module("b");
        var response = await hub.Http.PostAsync(
            "/devhub/modules/b/inputs/commands?schema=edgedm.job.v1&%24.mid=m%201",
            TestHub.Json("""{"x":1}""")
        );
        response.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        await using var b = await MqttTestClient.SubscribedAsync(hub, "b");
        var message = await b.NextMessageAsync();
        message.Hub.Name.ShouldBe("commands");
        message.Payload.ShouldBe("""{"x":1}""");
        message.Bag["schema"].ShouldBe("edgedm.job.v1");
        message.Bag["$.mid"].ShouldBe("m 1");
        message.Bag["$.ct"].ShouldBe("application/json");
        message.Bag["$.ce"].ShouldBe("utf-8");
        message.Bag["$.cmid"].ShouldBe("$devhub");
        await ShouldFailAsync(
            await hub.Http.PostAsync("/devhub/modules/nobody/inputs/i", TestHub.Json("{}")),
            404,
            "ModuleNotFound"
        );
        await ShouldFailAsync(
            await hub.Http.PostAsync("/devhub/modules/b/inputs/a%2Bb", TestHub.Json("{}")),
            400,
            "ArgumentInvalid"
        );
    }

    [Fact]
    public async Task Stop_RequestsThatWait_AreAnsweredAtOnce()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var hub = await TestHub.StartAsync(time: time);
        hub.Module("m");
        var upstream = hub.Http.GetAsync("/devhub/upstream?wait=47");
        await time.WaitForTimerAsync(TimeSpan.FromSeconds(47));
        var method = hub.Http.PostAsync(
            "/twins/gateway/modules/m/methods",
            TestHub.Json("""{"methodName":"go","connectTimeoutInSeconds":271}""")
        );
        await time.WaitForTimerAsync(TimeSpan.FromSeconds(271));
        await hub.Server.DisposeAsync().AsTask().WaitAsync(TestHub.Patience);
        (await upstream).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        (await method).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
    }

    [Fact]
    public async Task Status_WithoutToken_TellsPortsConnectionsRoutesAndModules()
    {
        await using var hub = await TestHub.StartAsync();
        hub.Route("FROM /messages/* INTO $upstream");
        hub.Server.ModuleStates = new States();
        await using var client = await MqttTestClient.ConnectAsync(hub, "m");
        using var http = hub.MakeHttp(authorization: null);
        var status = JsonNode.Parse(await http.GetStringAsync("/devhub/status"))!;
        ((int)status["mqttPort"]!).ShouldBe(hub.Server.MqttPort);
        ((int)status["httpsPort"]!).ShouldBe(hub.Server.HttpsPort);
        ((string)status["deviceId"]!).ShouldBe("gateway");
        status["connected"]!.ToJsonString().ShouldBe("""["gateway/m"]""");
        ((string)status["routes"]![0]!["sink"]!).ShouldBe("$upstream");
        ((string)status["modules"]![0]!["runtimeStatus"]!).ShouldBe("running");
        status.ToJsonString().ShouldNotContain(hub.Server.Identities.Owner.Key);
    }

    private sealed class States : IModuleStates
    {
        public IReadOnlyList<ModuleState> List() => [new("m", "running", 1, null, 0, "")];
    }
}
