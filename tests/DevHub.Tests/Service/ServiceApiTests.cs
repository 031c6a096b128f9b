using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using EdgeDm.Hosting;
using EdgeDm.Mqtt.IoTHub;
using EdgeDm.Testing;

namespace EdgeDm.DevHub.Tests.Service;

// The service REST API as IoT Hub's SDKs use it, edgeHub's method calls between modules, and the hub's own requests.
public sealed class ServiceApiTests
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
            await PostFromModuleAsync(http, "elsewhere/caller", "callee", """{"methodName":"go"}"""),
            400,
            """{"message":"Invalid header value for x-ms-edge-moduleId"}"""
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

    [Fact]
    public async Task Start_ConnectionString_IsWrittenForTheOwnerOnly()
    {
        await using var hub = await TestHub.StartAsync();
        var text = (await File.ReadAllTextAsync(hub.Options.ConnectionStringFile)).TrimEnd('\n');
        text.ShouldBe(
            $"HostName=hub.example:{hub.Server.HttpsPort};SharedAccessKeyName=iothubowner;SharedAccessKey={hub.Server.Identities.Owner.Key}"
        );
        if (!OperatingSystem.IsWindows())
        {
            File.GetUnixFileMode(hub.Options.ConnectionStringFile)
                .ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
    }

    [Fact]
    public async Task Start_PortAskedForIsTaken_IsMisconfigured()
    {
        await using var hub = await TestHub.StartAsync();
        var error = await Should.ThrowAsync<MisconfiguredException>(
            TestHub.StartAsync(o => o with { MqttPort = hub.Server.MqttPort })
        );
        error.Message.ShouldContain($"127.0.0.1:{hub.Server.MqttPort}");
    }

    [Fact]
    public async Task Start_UsualAndFallbackPortsTaken_TakesAnyOther()
    {
        // An address of this test's own, with the usual ports and the fallbacks occupied as far as this user may.
        var address = IPAddress.Parse("127.0.0.77");
        using var mqtt = Occupy(address, DevHubOptions.DefaultMqttPort);
        using var fallback = Occupy(address, 28883);
        await using var hub = await TestHub.StartAsync(o =>
            o with
            {
                Address = address,
                MqttPort = null,
                MqttFallbackPort = 28883,
            }
        );
        hub.Server.MqttPort.ShouldNotBeOneOf(DevHubOptions.DefaultMqttPort, 28883, 0);
    }

    private static Socket Occupy(IPAddress address, int port)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(address, port));
        socket.Listen();
        return socket;
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

    private static async Task<JsonObject> ReadAsync(HttpResponseMessage response)
    {
        response.Content.Headers.ContentType!.ToString().ShouldBe("application/json; charset=utf-8");
        response.Content.Headers.ContentLength.ShouldNotBeNull();
        return JsonNode.Parse(await response.Content.ReadAsStringAsync())!.AsObject();
    }

    // The header and the code in Message must be the same: C# compares them.
    private static async Task ShouldFailAsync(HttpResponseMessage response, int status, string code)
    {
        ((int)response.StatusCode).ShouldBe(status);
        response.Headers.GetValues("iothub-errorcode").ShouldBe([code]);
        var body = await ReadAsync(response);
        ((string)body["Message"]!).Split(';')[0].ShouldBe($"ErrorCode:{code}");
        ((string)body["ExceptionMessage"]!).ShouldStartWith("Tracking ID:");
    }

    private static async Task ShouldSayAsync(HttpResponseMessage response, int status, string body)
    {
        ((int)response.StatusCode).ShouldBe(status);
        (await response.Content.ReadAsStringAsync()).ShouldBe(body);
    }

    private sealed class States : IModuleStates
    {
        public IReadOnlyList<ModuleState> List() => [new("m", "running", 1, null, 0, "")];
    }
}
