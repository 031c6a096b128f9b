using System.Net;
using System.Text.Json.Nodes;
using EdgeDm.DevHub.Identities;
using EdgeDm.Mqtt;
using static EdgeDm.DevHub.Tests.Service.ServiceAnswers;

namespace EdgeDm.DevHub.Tests.Service;

// Devices and modules by REST, and what becomes of their connections.
public sealed class RegistryTests
{
    private const string Key1 = "MDEyMzQ1Njc4OWFiY2RlZg=="; // 16 bytes
    private const string Key2 = "ZmVkY2JhOTg3NjU0MzIxMA==";

    [Fact]
    public async Task Create_Device_MakesKeysAndNoModules()
    {
        await using var hub = await TestHub.StartAsync();
        var made = await hub.DoAsync(
            HttpMethod.Put,
            "/devices/leaf?api-version=2021-04-12",
            """{"deviceId":"leaf","authentication":{"type":"sas","symmetricKey":{"primaryKey":"","secondaryKey":""}}}"""
        );
        Convert.FromBase64String((string)Keys(made)["primaryKey"]!).Length.ShouldBe(32);
        Keys(made)["secondaryKey"]!.ToString().ShouldNotBe(Keys(made)["primaryKey"]!.ToString());
        ((string?)made["status"]).ShouldBe("enabled");
        ((bool)made["capabilities"]!["iotEdge"]!).ShouldBeFalse();
        ((string?)made["connectionState"]).ShouldBe("Disconnected");
        ((string?)made["connectionStateUpdatedTime"]!).ShouldStartWith("0001-01-01T00:00:00");
        (await hub.Http.GetStringAsync("/devices/leaf/modules")).ShouldBe("[]");
        var (client, code) = await MqttTestClient.TryConnectAsync(hub, new("leaf"));
        await using var _ = client;
        code.ShouldBe(ConnackCode.Accepted);
        var connected = await hub.DoAsync(HttpMethod.Get, "/devices/leaf");
        ((string?)connected["connectionState"]).ShouldBe("Connected");
        ((string)connected["lastActivityTime"]!).ShouldNotStartWith("0001");
    }

    [Fact]
    public async Task Create_EdgeDevice_BringsItsSystemModules()
    {
        await using var hub = await TestHub.StartAsync();
        var made = await hub.DoAsync(
            HttpMethod.Put,
            "/devices/edge2",
            """{"deviceId":"edge2","capabilities":{"iotEdge":true}}"""
        );
        ((string?)made["deviceScope"]).ShouldBe($"ms-azure-iot-edge://edge2-{made["generationId"]}");
        var modules = JsonNode.Parse(await hub.Http.GetStringAsync("/devices/edge2/modules"))!.AsArray();
        modules.Select(m => (string?)m!["moduleId"]).ShouldBe(["$edgeAgent", "$edgeHub"]);
    }

    [Fact]
    public async Task Create_KeysGiven_AreKeptAndSoByAnUpdateWithoutKeys()
    {
        await using var hub = await TestHub.StartAsync();
        await hub.DoAsync(HttpMethod.Put, "/devices/d", WithKeys(Key1, Key2));
        var updated = await hub.DoAsync(HttpMethod.Put, "/devices/d", """{"statusReason":"because"}""", "\"*\"");
        ((string?)Keys(updated)["primaryKey"]).ShouldBe(Key1);
        ((string?)Keys(updated)["secondaryKey"]).ShouldBe(Key2);
        ((string?)updated["statusReason"]).ShouldBe("because");
    }

    [Theory]
    [InlineData("*", 200)]
    [InlineData("\"*\"", 200)]
    [InlineData("current", 200)]
    [InlineData("\"AAAA\"", 412)]
    public async Task Update_IfMatch_Decides(string ifMatch, int status)
    {
        await using var hub = await TestHub.StartAsync();
        foreach (var path in new[] { "/devices/d", "/devices/d/modules/m" })
        {
            var made = await hub.SendAsync(HttpMethod.Put, path, "{}");
            var etag = made.Headers.ETag!.Tag;
            etag.ShouldBe($"\"{(await ReadAsync(made))["etag"]}\"");
            var answer = await hub.SendAsync(HttpMethod.Put, path, "{}", ifMatch == "current" ? etag : ifMatch);
            ((int)answer.StatusCode).ShouldBe(status);
            if (status == 412)
            {
                await ShouldFailAsync(answer, 412, "PreconditionFailed");
            }
            else
            {
                answer.Headers.ETag!.Tag.ShouldNotBe(etag);
                await ShouldFailAsync(await hub.SendAsync(HttpMethod.Put, path, "{}", etag), 412, "PreconditionFailed");
                await ShouldFailAsync(
                    await hub.SendAsync(HttpMethod.Delete, path, ifMatch: etag),
                    412,
                    "PreconditionFailed"
                );
            }
        }
    }

    [Fact]
    public async Task Create_WhatExists_AndUpdateOfWhatDoesNot_AreToldApart()
    {
        await using var hub = await TestHub.StartAsync();
        await hub.DoAsync(HttpMethod.Put, "/devices/d", "{}");
        await hub.DoAsync(HttpMethod.Put, "/devices/d/modules/m", """{"managedBy":"me"}""");
        await ShouldFailAsync(await hub.SendAsync(HttpMethod.Put, "/devices/d", "{}"), 409, "DeviceAlreadyExists");
        await ShouldFailAsync(
            await hub.SendAsync(HttpMethod.Put, "/devices/d/modules/m", "{}"),
            409,
            "ModuleAlreadyExistsOnDevice"
        );
        await ShouldFailAsync(await hub.SendAsync(HttpMethod.Put, "/devices/no", "{}", "*"), 404, "DeviceNotFound");
        await ShouldFailAsync(
            await hub.SendAsync(HttpMethod.Put, "/devices/d/modules/no", "{}", "*"),
            404,
            "ModuleNotFound"
        );
        await ShouldFailAsync(
            await hub.SendAsync(HttpMethod.Put, "/devices/no/modules/m", "{}"),
            404,
            "DeviceNotFound"
        );
        await ShouldFailAsync(await hub.SendAsync(HttpMethod.Delete, "/devices/no"), 404, "DeviceNotFound");
    }

    [Theory]
    [InlineData("/devices/d", """{"deviceId":"other"}""")]
    [InlineData("/devices/a%20b", "{}")]
    [InlineData("/devices/d", """{"status":"asleep"}""")]
    [InlineData("/devices/d", """{"authentication":{"type":"selfSigned"}}""")]
    [InlineData(
        "/devices/d",
        """{"authentication":{"symmetricKey":{"primaryKey":"MDEyMzQ1Njc4OWFiY2RlZg==","secondaryKey":""}}}"""
    )]
    [InlineData(
        "/devices/d",
        """{"authentication":{"symmetricKey":{"primaryKey":"c2hvcnQ=","secondaryKey":"c2hvcnQ="}}}"""
    )]
    public async Task Create_WrongDevice_IsRefusedAndNotMade(string path, string body)
    {
        await using var hub = await TestHub.StartAsync();
        var answer = await hub.SendAsync(HttpMethod.Put, path, body);
        await ShouldFailAsync(answer, 400, "ArgumentInvalid");
        (await answer.Content.ReadAsStringAsync()).ShouldNotContain("c2hvcnQ=");
        hub.Server.Identities.Devices().Count.ShouldBe(1);
    }

    [Fact]
    public async Task Create_BeyondTheLimits_IsRefused()
    {
        await using var hub = await TestHub.StartAsync(o =>
            o with
            {
                Identities = new(MostDevices: 2, MostModules: 4),
            }
        );
        await hub.DoAsync(HttpMethod.Put, "/devices/second", "{}");
        await ShouldFailAsync(await hub.SendAsync(HttpMethod.Put, "/devices/third", "{}"), 413, "TooManyDevices");
        // The gateway has its two system modules.
        await hub.DoAsync(HttpMethod.Put, "/devices/gateway/modules/a", "{}");
        await hub.DoAsync(HttpMethod.Put, "/devices/gateway/modules/b", "{}");
        await ShouldFailAsync(
            await hub.SendAsync(HttpMethod.Put, "/devices/gateway/modules/c", "{}"),
            413,
            "TooManyModulesOnDevice"
        );
        ((int)HubError.TooManyModulesOnDevice).ShouldBe(413003);
        await ShouldFailAsync(
            await hub.SendAsync(
                HttpMethod.Post,
                "/devices/gateway/applyConfigurationContent",
                """{"modulesContent":{"c":{"properties.desired":{}}}}"""
            ),
            413,
            "TooManyModulesOnDevice"
        );
        hub.Server.Identities.Find(new("gateway", "c")).ShouldBeNull();
    }

    [Fact]
    public async Task Disable_ConnectedDevice_DropsItAndItsModulesUntilEnabled()
    {
        await using var hub = await TestHub.StartAsync();
        await hub.DoAsync(HttpMethod.Put, "/devices/d", "{}");
        await hub.DoAsync(HttpMethod.Put, "/devices/d/modules/m", "{}");
        var (device, _) = await MqttTestClient.TryConnectAsync(hub, new("d"));
        var (module, _) = await MqttTestClient.TryConnectAsync(hub, new("d", "m"));
        var answer = await hub.DoAsync(HttpMethod.Put, "/devices/d", """{"status":"disabled"}""", "*");
        ((string?)answer["status"]).ShouldBe("disabled");
        ((string)answer["statusUpdatedTime"]!).ShouldNotStartWith("0001");
        await device.Closed.WaitAsync(TestHub.Patience);
        await module.Closed.WaitAsync(TestHub.Patience);
        foreach (var id in new HubIdentity[] { new("d"), new("d", "m") })
        {
            (await MqttTestClient.TryConnectAsync(hub, id)).Code.ShouldBe(ConnackCode.NotAuthorized);
        }
        ((string?)(await hub.DoAsync(HttpMethod.Get, "/twins/d/modules/m"))["status"]).ShouldBe("disabled");
        (await hub.DoAsync(HttpMethod.Get, "/statistics/devices"))
            .ToJsonString()
            .ShouldBe("""{"totalDeviceCount":2,"enabledDeviceCount":1,"disabledDeviceCount":1}""");
        await hub.DoAsync(HttpMethod.Put, "/devices/d", """{"status":"enabled"}""", "*");
        (await MqttTestClient.TryConnectAsync(hub, new("d"))).Code.ShouldBe(ConnackCode.Accepted);
        (await hub.DoAsync(HttpMethod.Get, "/statistics/service"))
            .ToJsonString()
            .ShouldBe("""{"connectedDeviceCount":1}""");
    }

    [Fact]
    public async Task Update_OtherKeys_DropsWhoIsConnectedByTheOldOnes()
    {
        await using var hub = await TestHub.StartAsync();
        await hub.DoAsync(HttpMethod.Put, "/devices/d", WithKeys(Key1, Key1));
        var (client, _) = await MqttTestClient.TryConnectAsync(hub, new("d"));
        await hub.DoAsync(HttpMethod.Put, "/devices/d", WithKeys(Key2, Key2), "*");
        await client.Closed.WaitAsync(TestHub.Patience);
    }

    [Fact]
    public async Task Delete_Device_LeavesNothingOfItOrItsModules()
    {
        await using var hub = await TestHub.StartAsync();
        await hub.DoAsync(HttpMethod.Put, "/devices/d", """{"capabilities":{"iotEdge":true}}""");
        await hub.DoAsync(HttpMethod.Patch, "/twins/d", """{"tags":{"a":1}}""");
        await hub.DoAsync(HttpMethod.Patch, "/twins/d/modules/$edgeAgent", """{"properties":{"desired":{"a":1}}}""");
        var (client, _) = await MqttTestClient.TryConnectAsync(hub, new("d", "$edgeAgent"));
        var gone = await hub.SendAsync(HttpMethod.Delete, "/devices/d", ifMatch: "\"*\"");
        gone.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        await client.Closed.WaitAsync(TestHub.Patience);
        await ShouldFailAsync(await hub.Http.GetAsync("/twins/d"), 404, "DeviceNotFound");
        await ShouldFailAsync(await hub.Http.GetAsync("/devices/d/modules/$edgeAgent"), 404, "DeviceNotFound");
        await hub.DoAsync(HttpMethod.Put, "/devices/d", """{"capabilities":{"iotEdge":true}}""");
        var twin = await hub.DoAsync(HttpMethod.Get, "/twins/d");
        twin["tags"]!.ToJsonString().ShouldBe("{}");
        twin = await hub.DoAsync(HttpMethod.Get, "/twins/d/modules/$edgeAgent");
        ((int)twin["properties"]!["desired"]!["$version"]!).ShouldBe(1);
    }

    [Fact]
    public async Task Delete_GatewayOrSystemModule_IsRefused()
    {
        await using var hub = await TestHub.StartAsync();
        await ShouldFailAsync(await hub.SendAsync(HttpMethod.Delete, "/devices/gateway"), 400, "InvalidOperation");
        await ShouldFailAsync(
            await hub.SendAsync(HttpMethod.Delete, "/devices/gateway/modules/$edgeHub"),
            401,
            "SystemModuleModifyUnauthorizedAccess"
        );
    }

    [Fact]
    public async Task List_Top_IsAtMostThatMany()
    {
        await using var hub = await TestHub.StartAsync();
        await hub.DoAsync(HttpMethod.Put, "/devices/a", "{}");
        JsonNode.Parse(await hub.Http.GetStringAsync("/devices/?top=1"))!.AsArray().Count.ShouldBe(1);
        JsonNode.Parse(await hub.Http.GetStringAsync("/devices/?top=1000"))!.AsArray().Count.ShouldBe(2);
        await ShouldFailAsync(await hub.Http.GetAsync("/devices?top=0"), 400, "ArgumentInvalid");
        await ShouldFailAsync(await hub.Http.GetAsync("/devices?top=1001"), 400, "ArgumentInvalid");
    }

    [Fact]
    public async Task Modules_TokenOfTheirDevice_ManagesThemAndNoOthers()
    {
        await using var hub = await TestHub.StartAsync();
        await hub.DoAsync(HttpMethod.Put, "/devices/d", "{}");
        using var http = hub.MakeHttp(hub.Token(new("d")));
        (await http.PutAsync("/devices/d/modules/m", TestHub.Json("{}"))).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await http.GetAsync("/devices/d/modules")).StatusCode.ShouldBe(HttpStatusCode.OK);
        await ShouldFailAsync(
            await http.PutAsync("/devices/gateway/modules/m", TestHub.Json("{}")),
            401,
            "IotHubUnauthorizedAccess"
        );
        await ShouldFailAsync(await http.PutAsync("/devices/e", TestHub.Json("{}")), 401, "IotHubUnauthorizedAccess");
    }

    [Fact]
    public async Task Message_OfAnotherEdgesModule_GoesUpstreamPastTheGatewaysRoutes()
    {
        await using var hub = await TestHub.StartAsync();
        hub.Route("FROM /messages/* INTO BrokeredEndpoint(\"/modules/m/inputs/i\")");
        await hub.DoAsync(HttpMethod.Put, "/devices/edge2", """{"capabilities":{"iotEdge":true}}""");
        await hub.DoAsync(HttpMethod.Put, "/devices/edge2/modules/m", "{}");
        var (other, _) = await MqttTestClient.TryConnectAsync(hub, new("edge2", "m"));
        await other.SubscribeAsync("devices/edge2/modules/m/inputs/#");
        await using var own = await MqttTestClient.ConnectAsync(hub, "own");
        await own.OutputAsync("o", "mine");
        await other.OutputAsync("o", "theirs");
        await other.ShouldHaveNothingAsync();
        hub.Server.Upstream.After(0).Single().Message.Body.ToArray().ShouldBe("theirs"u8.ToArray());
    }

    private static JsonNode Keys(JsonObject identity) => identity["authentication"]!["symmetricKey"]!;

    private static string WithKeys(string primary, string secondary) =>
        new JsonObject
        {
            ["authentication"] = new JsonObject
            {
                ["symmetricKey"] = new JsonObject { ["primaryKey"] = primary, ["secondaryKey"] = secondary },
            },
        }.ToJsonString();
}
