using System.Net;
using System.Text.Json.Nodes;
using EdgeDm.Mqtt.IoTHub;
using EdgeDm.Testing;
using static EdgeDm.DevHub.Tests.Service.ServiceAnswers;

namespace EdgeDm.DevHub.Tests.Service;

// Direct methods, called by a service and by a module of the same gateway.
public sealed class MethodRequestsTests
{
    [Fact]
    public async Task Method_Answered_GivesStatusAndPayload()
    {
        await using var hub = await TestHub.StartAsync();
        await using var client = await MqttTestClient.SubscribedAsync(hub, "m");
        var call = hub.Http.PostAsync(
            "/twins/gateway/modules/m/methods?api-version=2021-04-12",
            TestHub.Json("""{"methodName":"go","responseTimeoutInSeconds":30,"payload":{"a":[1]}}""")
        );
        var request = await client.NextMessageAsync();
        request.Hub.Name.ShouldBe("go");
        request.Payload.ShouldBe("""{"a":[1]}""");
        await client.PublishAsync(HubTopics.MethodResponse(201, request.Hub.RequestId), """{"b":2}""");
        (await ReadAsync(await call)).ToJsonString().ShouldBe("""{"status":201,"payload":{"b":2}}""");
    }

    [Fact]
    public async Task Method_ClientAway_IsDeviceNotOnline()
    {
        await using var hub = await TestHub.StartAsync();
        hub.Module("m");
        var response = await hub.Http.PostAsync(
            "/twins/gateway/modules/m/methods",
            TestHub.Json("""{"methodName":"go"}""")
        );
        response.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        response.Headers.GetValues("iothub-errorcode").ShouldBe(["DeviceNotOnline"]);
        var message = JsonNode.Parse((string)(await ReadAsync(response))["Message"]!)!;
        ((int)message["errorCode"]!).ShouldBe(404103);
    }

    [Theory]
    [InlineData("""{"methodName":""}""")]
    [InlineData("""{"methodName":"a/b"}""")]
    [InlineData("""{"methodName":"go","responseTimeoutInSeconds":4}""")]
    [InlineData("""{"methodName":"go","responseTimeoutInSeconds":301}""")]
    [InlineData("""{"methodName":"go","connectTimeoutInSeconds":-1}""")]
    [InlineData("""{"methodName":"go","connectTimeoutInSeconds":301}""")]
    public async Task Method_OutOfBounds_IsRefused(string body)
    {
        await using var hub = await TestHub.StartAsync();
        await ShouldFailAsync(
            await hub.Http.PostAsync("/twins/gateway/methods", TestHub.Json(body)),
            400,
            "ArgumentInvalid"
        );
    }

    [Fact]
    public async Task Method_FromModuleToModule_AsEdgeHubAnswers()
    {
        await using var hub = await TestHub.StartAsync();
        await using var callee = await MqttTestClient.SubscribedAsync(hub, "callee");
        var caller = hub.Module("caller");
        using var http = hub.MakeHttp(hub.Token(caller));
        var call = PostFromModuleAsync(http, "gateway/caller", "callee", """{"methodName":"go"}""");
        var request = await callee.NextMessageAsync();
        await callee.PublishAsync(HubTopics.MethodResponse(200, request.Hub.RequestId), "");
        (await ReadAsync(await call)).ToJsonString().ShouldBe("""{"status":200,"payload":null}""");

        await ShouldSayAsync(
            await PostFromModuleAsync(http, "caller", "callee", """{"methodName":"go"}"""),
            400,
            """{"message":"Invalid header value for x-ms-edge-moduleId"}"""
        );
        await ShouldSayAsync(
            await PostFromModuleAsync(http, "elsewhere/caller", "callee", """{"methodName":"go"}"""),
            401,
            """{"message":"Only modules on the same device can invoke DirectMethods"}"""
        );
        await ShouldSayAsync(
            await PostFromModuleAsync(http, "gateway/caller", "$edgeHub", """{"methodName":"go"}"""),
            404,
            """{"message":"Client gateway/$edgeHub not found"}"""
        );
        (await PostFromModuleAsync(http, "gateway/callee", "callee", """{"methodName":"go"}""")).StatusCode.ShouldBe(
            HttpStatusCode.Unauthorized
        );
        var argument = await PostFromModuleAsync(http, "gateway/caller", "callee", """{"methodName":""}""");
        argument.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        JsonNode
            .Parse(await argument.Content.ReadAsStringAsync())!
            .GetValueKind()
            .ShouldBe(System.Text.Json.JsonValueKind.String);
    }

    [Fact]
    public async Task Method_FromModule_NobodyAnswersInTime_TimesOut()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var hub = await TestHub.StartAsync(time: time);
        await using var callee = await MqttTestClient.SubscribedAsync(hub, "callee");
        using var http = hub.MakeHttp(hub.Token(hub.Module("caller")));
        var call = PostFromModuleAsync(http, "gateway/caller", "callee", """{"methodName":"go"}""");
        await callee.NextMessageAsync();
        await time.WaitForTimerAsync(TimeSpan.FromSeconds(30));
        time.Advance(TimeSpan.FromSeconds(30));
        var answer = await call;
        answer.StatusCode.ShouldBe(HttpStatusCode.GatewayTimeout);
        ((string)(await ReadAsync(answer))["message"]!).ShouldStartWith("Timed out waiting for device to respond");
    }

    private static async Task<HttpResponseMessage> PostFromModuleAsync(
        HttpClient http,
        string caller,
        string callee,
        string body
    )
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/twins/gateway/modules/{callee}/methods")
        {
            Content = TestHub.Json(body),
        };
        request.Headers.Add("x-ms-edge-moduleId", caller);
        return await http.SendAsync(request);
    }
}
