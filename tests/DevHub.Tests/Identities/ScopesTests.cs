using System.Text.Json.Nodes;
using EdgeDm.DevHub.Tests.Nested;
using EdgeDm.DevHub.Tests.Service;
using static EdgeDm.DevHub.Tests.Service.ServiceAnswers;

namespace EdgeDm.DevHub.Tests.Identities;

// Which device is below which, as a service says it.
public sealed class ScopesTests
{
    [Theory]
    [InlineData("deviceScope")]
    [InlineData("parentScopes")] // The other is copied over.
    public async Task Leaf_BelowTheGateway_TellsBothScopes(string property)
    {
        await using var hub = await TestHub.StartAsync();
        var scope = hub.ScopeOf("gateway");
        JsonNode value = property == "deviceScope" ? scope : new JsonArray(scope);
        foreach (var path in new[] { "/devices/leaf", "/twins/leaf" })
        {
            var told =
                path == "/devices/leaf"
                    ? await hub.DoAsync(
                        HttpMethod.Put,
                        path,
                        new JsonObject { [property] = value.DeepClone() }.ToJsonString()
                    )
                    : await hub.DoAsync(HttpMethod.Get, path);
            ((string?)told["deviceScope"]).ShouldBe(scope);
            told["parentScopes"]!.ToJsonString().ShouldBe(new JsonArray(scope).ToJsonString());
        }
    }

    [Fact]
    public async Task Leaf_AsTheCSharpClientWritesIt_KeepsItsPlaceUntilToldOtherwise()
    {
        await using var hub = await TestHub.StartAsync();
        var leaf = hub.Leaf("leaf").DeviceId;
        // It writes an empty list where it has nothing to say.
        await hub.DoAsync(HttpMethod.Put, "/devices/leaf", """{"parentScopes":[]}""", "*");
        hub.Server.Identities.Find(new(leaf))!.ScopeAbove.ShouldBe(hub.ScopeOf("gateway"));
        var told = await hub.DoAsync(HttpMethod.Put, "/devices/leaf", """{"deviceScope":""}""", "*");
        told.ContainsKey("deviceScope").ShouldBeFalse();
        told.ContainsKey("parentScopes").ShouldBeFalse();
    }

    [Fact]
    public async Task Edge_BelowAnother_KeepsItsOwnScope()
    {
        await using var hub = await TestHub.StartAsync();
        hub.Edge("lower");
        var own = hub.ScopeOf("lower");
        var above = hub.ScopeOf("gateway");
        var body = new JsonObject { ["parentScopes"] = new JsonArray(above), ["deviceScope"] = "not heard" };
        var told = await hub.DoAsync(HttpMethod.Put, "/devices/lower", body.ToJsonString(), "*");
        ((string?)told["deviceScope"]).ShouldBe(own);
        told["parentScopes"]!.ToJsonString().ShouldBe(new JsonArray(above).ToJsonString());
        told = await hub.DoAsync(HttpMethod.Put, "/devices/lower", "{}", "*");
        told.ContainsKey("parentScopes").ShouldBeTrue();
        told = await hub.DoAsync(HttpMethod.Put, "/devices/lower", """{"parentScopes":[]}""", "*");
        told.ContainsKey("parentScopes").ShouldBeFalse();
        ((string?)told["deviceScope"]).ShouldBe(own);
    }

    [Fact]
    public async Task Leaf_ThatBecomesAnEdgeDevice_GetsAScopeOfItsOwnAndStaysWhereItIs()
    {
        await using var hub = await TestHub.StartAsync();
        hub.Leaf("leaf");
        var told = await hub.DoAsync(HttpMethod.Put, "/devices/leaf", """{"capabilities":{"iotEdge":true}}""", "*");
        ((string?)told["deviceScope"]).ShouldBe($"ms-azure-iot-edge://leaf-{told["generationId"]}");
        told["parentScopes"]!.ToJsonString().ShouldBe(new JsonArray(hub.ScopeOf("gateway")).ToJsonString());
    }

    [Theory]
    [InlineData("""{"deviceScope":"ms-azure-iot-edge://nobody-1"}""")]
    [InlineData("""{"deviceScope":"ms-azure-iot-edge://gateway-1"}""")] // an earlier one of that name
    [InlineData("""{"deviceScope":"gateway"}""")]
    [InlineData("""{"deviceScope":"ms-azure-iot-edge://"}""")]
    [InlineData("""{"parentScopes":["ms-azure-iot-edge://nobody-1"],"capabilities":{"iotEdge":true}}""")]
    [InlineData("""{"parentScopes":["a","b"]}""")]
    [InlineData("""{"parentScopes":"a"}""")]
    [InlineData("""{"parentScopes":[null]}""")]
    public async Task Place_ThatIsNone_IsRefused(string body)
    {
        await using var hub = await TestHub.StartAsync();
        await ShouldFailAsync(await hub.SendAsync(HttpMethod.Put, "/devices/d", body), 400, "ArgumentInvalid");
        hub.Server.Identities.Find(new("d")).ShouldBeNull();
    }

    [Fact]
    public async Task Edge_BelowItself_IsRefused()
    {
        await using var hub = await TestHub.StartAsync();
        hub.Edge("lower", above: "gateway");
        foreach (var above in new[] { "gateway", "lower" })
        {
            var body = new JsonObject { ["parentScopes"] = new JsonArray(hub.ScopeOf(above)) }.ToJsonString();
            await ShouldFailAsync(
                await hub.SendAsync(HttpMethod.Put, "/devices/gateway", body, "*"),
                400,
                "ArgumentInvalid"
            );
        }
    }

    [Fact]
    public async Task Edges_OneBelowTheOther_HaveALimit()
    {
        await using var hub = await TestHub.StartAsync(o => o with { Identities = new(MostNested: 3) });
        hub.Edge("second", above: "gateway");
        hub.Edge("third", above: "second");
        Should.Throw<HubException>(() => hub.Edge("fourth", above: "third")).Error.ShouldBe(HubError.ArgumentInvalid);
        hub.Leaf("leaf", above: "third").DeviceId.ShouldBe("leaf");
    }

    [Fact]
    public async Task Restart_KeepsThePlaces()
    {
        using var folder = new TemporaryFolder();
        await using (var hub = await TestHub.StartAsync(dataFolder: folder.Path))
        {
            hub.Edge("lower", above: "gateway");
        }
        await using var again = await TestHub.StartAsync(dataFolder: folder.Path);
        again.Server.Identities.Find(new("lower"))!.ScopeAbove.ShouldBe(again.ScopeOf("gateway"));
    }
}
