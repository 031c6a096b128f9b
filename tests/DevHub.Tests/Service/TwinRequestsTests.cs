using System.Net;
using System.Text.Json.Nodes;
using static EdgeDm.DevHub.Tests.Service.ServiceAnswers;

namespace EdgeDm.DevHub.Tests.Service;

// Who may ask, twins, identities and deployments, as IoT Hub's SDKs use them.
public sealed class TwinRequestsTests
{
    [Theory]
    [InlineData(null)]
    [InlineData("SharedAccessSignature sr=hub.example&sig=AAAA&se=99999999999&skn=iothubowner")]
    public async Task AnyRequest_WithoutTheServicesToken_IsUnauthorized(string? authorization)
    {
        await using var hub = await TestHub.StartAsync();
        using var http = hub.MakeHttp(authorization);
        foreach (var path in new[] { "/twins/gateway", "/devices", "/devices/gateway", "/devhub/upstream" })
        {
            await ShouldFailAsync(await http.GetAsync(path), 401, "IotHubUnauthorizedAccess");
        }
        await ShouldFailAsync(
            await http.PostAsync("/twins/gateway/methods", TestHub.Json("{}")),
            401,
            "IotHubUnauthorizedAccess"
        );
        await ShouldFailAsync(
            await http.PostAsync("/devhub/modules/$edgeHub/inputs/i", TestHub.Json("{}")),
            401,
            "IotHubUnauthorizedAccess"
        );
    }

    [Fact]
    public async Task Twin_OfAModule_IsPatchedReplacedAndRead()
    {
        await using var hub = await TestHub.StartAsync();
        hub.Module("m");
        const string Path = "/twins/gateway/modules/m?api-version=2021-04-12";
        var twin = await ReadAsync(await hub.Http.GetAsync(Path));
        ((int)twin["properties"]!["desired"]!["$version"]!).ShouldBe(1);
        twin = await ReadAsync(
            await hub.Http.PatchAsync(
                Path,
                TestHub.Json(
                    """{"tags":{"t":1},"properties":{"desired":{"a":{"b":1},"c":2},"reported":{"forged":true}}}"""
                )
            )
        );
        twin = await ReadAsync(
            await hub.Http.PatchAsync(Path, TestHub.Json("""{"properties":{"desired":{"a":{"b":null,"d":3}}}}"""))
        );
        var desired = twin["properties"]!["desired"]!;
        desired["a"]!.ToJsonString().ShouldBe("""{"d":3}""");
        ((int)desired["c"]!).ShouldBe(2);
        ((int)desired["$version"]!).ShouldBe(3);
        ((int)twin["tags"]!["t"]!).ShouldBe(1);
        twin["properties"]!["reported"]!["forged"].ShouldBeNull();
        ((string)twin["moduleId"]!).ShouldBe("m");
        // What was read can be sent back.
        var response = await hub.Http.PutAsync(
            Path,
            TestHub.Json("""{"properties":{"desired":{"e":1,"$version":3,"$metadata":{}}}}""")
        );
        response.Headers.ETag!.Tag.ShouldNotBeNull();
        twin = await ReadAsync(response);
        response.Headers.ETag.Tag.ShouldBe($"\"{twin["etag"]}\"");
        twin["properties"]!["desired"]!["c"].ShouldBeNull();
        ((int)twin["properties"]!["desired"]!["e"]!).ShouldBe(1);
    }

    [Theory]
    [InlineData("\"*\"", 200)]
    [InlineData("*", 200)]
    [InlineData("current", 200)]
    [InlineData("\"AAAAAAAAAAE=\"", 412)]
    public async Task Twin_IfMatch_DecidesAboutTheWrite(string ifMatch, int status)
    {
        await using var hub = await TestHub.StartAsync();
        hub.Module("m");
        const string Path = "/twins/gateway/modules/m";
        var patch = TestHub.Json("""{"properties":{"desired":{"a":1}}}""");
        var etag = (await hub.Http.PatchAsync(Path, patch)).Headers.ETag!.Tag;
        using var request = new HttpRequestMessage(HttpMethod.Patch, Path)
        {
            Content = TestHub.Json("""{"properties":{"desired":{"a":2}}}"""),
        };
        request.Headers.TryAddWithoutValidation("If-Match", ifMatch == "current" ? etag : ifMatch);
        var response = await hub.Http.SendAsync(request);
        ((int)response.StatusCode).ShouldBe(status);
        if (status == 412)
        {
            await ShouldFailAsync(response, 412, "PreconditionFailed");
        }
    }

    [Theory]
    [InlineData("/twins/nobody", 404, "DeviceNotFound")]
    [InlineData("/twins/gateway/modules/nobody", 404, "ModuleNotFound")]
    [InlineData("/devices/nobody/modules", 404, "DeviceNotFound")]
    [InlineData("/devices/gateway/modules/nobody", 404, "ModuleNotFound")]
    public async Task Get_Unknown_NotFound(string path, int status, string code)
    {
        await using var hub = await TestHub.StartAsync();
        await ShouldFailAsync(await hub.Http.GetAsync(path), status, code);
    }

    [Theory]
    [InlineData("{", "IotHubFormatError")]
    [InlineData("[]", "IotHubFormatError")]
    [InlineData("""{"properties":{"desired":[]}}""", "IotHubFormatError")]
    [InlineData("""{"properties":{"desired":{"a.b":1}}}""", "ArgumentInvalid")]
    public async Task Twin_BadPatch_IsRefused(string body, string code)
    {
        await using var hub = await TestHub.StartAsync();
        await ShouldFailAsync(await hub.Http.PatchAsync("/twins/gateway", TestHub.Json(body)), 400, code);
    }

    [Fact]
    public async Task Post_BodyTooLarge_IsRefused()
    {
        await using var hub = await TestHub.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Patch, "/twins/gateway")
        {
            Content = TestHub.Json($$"""{"x":"{{new string('x', 512 * 1024)}}"}"""),
        };
        // The hub answers and hangs up without reading on; a client that is still sending may miss the answer.
        request.Headers.ExpectContinue = true;
        await ShouldFailAsync(await hub.Http.SendAsync(request), 413, "MessageTooLarge");
    }

    [Fact]
    public async Task Identities_AreListedAndModulesMade()
    {
        await using var hub = await TestHub.StartAsync();
        var made = await ReadAsync(
            await hub.Http.PutAsync(
                "/devices/gateway/modules/new.one",
                TestHub.Json("""{"deviceId":"gateway","moduleId":"new.one","managedBy":"me"}""")
            )
        );
        ((string)made["authentication"]!["symmetricKey"]!["primaryKey"]!).ShouldBe(
            hub.Server.Identities.Find(new("gateway", "new.one"))!.PrimaryKey
        );
        ((string)made["connectionState"]!).ShouldBe("Disconnected");
        await using var client = await MqttTestClient.ConnectAsync(hub, "new.one");
        var one = await ReadAsync(await hub.Http.GetAsync("/devices/gateway/modules/new.one"));
        ((string)one["connectionState"]!).ShouldBe("Connected");
        await ShouldFailAsync(
            await hub.Http.PutAsync("/devices/gateway/modules/new.one", TestHub.Json("{}")),
            409,
            "ModuleAlreadyExistsOnDevice"
        );
        var modules = JsonNode.Parse(await hub.Http.GetStringAsync("/devices/gateway/modules"))!.AsArray();
        modules.Select(m => (string)m!["moduleId"]!).ShouldBe(["$edgeAgent", "$edgeHub", "new.one"]);
        var devices = JsonNode.Parse(await hub.Http.GetStringAsync("/devices"))!.AsArray();
        ((bool)devices.Single()!["capabilities"]!["iotEdge"]!).ShouldBeTrue();
    }

    [Fact]
    public async Task Apply_Configuration_MakesModulesSetsTwinsAndRoutes()
    {
        await using var hub = await TestHub.StartAsync();
        await using var client = await MqttTestClient.SubscribedAsync(hub, "known");
        var response = await hub.Http.PostAsync(
            "/devices/gateway/applyConfigurationContent",
            TestHub.Json(
                """
                {"modulesContent":{
                  "$edgeAgent":{"properties.desired":{"schemaVersion":"1.1","modules":{"fresh":{"settings":{"image":"x","createOptions":"{","createOptions01":"}"}}}}},
                  "$edgeHub":{"properties.desired":{"schemaVersion":"1.1","routes":{"r":"FROM /messages/* INTO $upstream"}}},
                  "known":{"properties.desired":{"a":1}}}}
                """
            )
        );
        response.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        hub.Server.Identities.Find(new("gateway", "fresh")).ShouldNotBeNull();
        hub.Server.Router.Routes.Routes.Single().Name.ShouldBe("r");
        (await client.NextMessageAsync()).Payload.ShouldBe("""{"a":1,"$version":2}""");
    }

    [Theory]
    [InlineData("""{"modulesContent":{"known":{"properties.desired":{"a":1}},"bad":{"properties.desired.x":{}}}}""")]
    [InlineData("""{"modulesContent":{"known":{"properties.desired":{"a":1}},"bad id":{}}}""")]
    [InlineData(
        """{"modulesContent":{"known":{"properties.desired":{"a":1}},"bad":{"properties.desired":{"a":[null]}}}}"""
    )]
    [InlineData("""{"deviceContent":{}}""")]
    [InlineData("{}")]
    public async Task Apply_BadConfiguration_ChangesNothing(string body)
    {
        await using var hub = await TestHub.StartAsync();
        var known = hub.Module("known");
        var response = await hub.Http.PostAsync("/devices/gateway/applyConfigurationContent", TestHub.Json(body));
        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        hub.Server.Twins.Get(known).Desired.Version.ShouldBe(1);
        hub.Server.Identities.Find(new("gateway", "bad")).ShouldBeNull();
    }
}
