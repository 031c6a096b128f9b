using System.Net;
using System.Text.Json.Nodes;
using EdgeDm.DevHub.Nested;
using static EdgeDm.DevHub.Tests.Service.ServiceAnswers;

namespace EdgeDm.DevHub.Tests.Nested;

// What an edgeHub asks about its clients over HTTPS.
public sealed class ScopeRequestsTests
{
    private static readonly string[] GatewaysOwn = ["gateway", "gateway/$edgeAgent", "gateway/$edgeHub"];

    [Fact]
    public async Task Scope_HasTheDeviceItsModulesAndWhoIsRightBelow()
    {
        await using var hub = await SurroundedAsync();
        using var edgeHub = new EdgeHubPeer(hub);
        (await edgeHub.NamesAsync()).ShouldBe([.. GatewaysOwn, "gateway/m", "leaf", "lower"], ignoreOrder: true);
        (await edgeHub.NamesAsync("lower;gateway")).ShouldBe(
            ["lower", "lower/$edgeAgent", "lower/$edgeHub", "lower/m", "deep"],
            ignoreOrder: true
        );
    }

    [Fact]
    public async Task Scope_TellsWhatEdgeHubBuildsItsTreeOf()
    {
        await using var hub = await SurroundedAsync();
        using var edgeHub = new EdgeHubPeer(hub);
        var scope = await EdgeHubPeer.ReadAsync(await edgeHub.ScopeAsync("gateway"));
        var devices = scope["devices"]!.AsArray().ToDictionary(d => $"{d!["deviceId"]}", d => d!);
        var gateway = hub.ScopeOf("gateway");
        ((string?)devices["gateway"]["deviceScope"]).ShouldBe(gateway);
        devices["gateway"]["parentScopes"].ShouldBeNull();
        ((bool)devices["gateway"]["capabilities"]!["iotEdge"]!).ShouldBeTrue();
        ((string?)devices["leaf"]["deviceScope"]).ShouldBe(gateway);
        devices["leaf"]["parentScopes"]!.ToJsonString().ShouldBe(new JsonArray(gateway).ToJsonString());
        ((bool)devices["leaf"]["capabilities"]!["iotEdge"]!).ShouldBeFalse();
        ((string?)devices["leaf"]["status"]).ShouldBe("enabled");
        ((string?)devices["lower"]["deviceScope"]).ShouldBe(hub.ScopeOf("lower"));
        devices["lower"]["parentScopes"]!.ToJsonString().ShouldBe(new JsonArray(gateway).ToJsonString());
        var keys = devices["leaf"]["authentication"]!["symmetricKey"]!;
        ((string?)keys["primaryKey"]).ShouldBe(hub.Server.Identities.Find(new("leaf"))!.PrimaryKey);
    }

    [Fact]
    public async Task Scope_DisabledDevice_IsToldAsSuch()
    {
        await using var hub = await SurroundedAsync();
        await hub.Http.PutIfMatchAsync("/devices/leaf", """{"status":"disabled"}""");
        using var edgeHub = new EdgeHubPeer(hub);
        var scope = await EdgeHubPeer.ReadAsync(await edgeHub.ScopeAsync("gateway"));
        var leaf = scope["devices"]!.AsArray().Single(d => (string?)d!["deviceId"] == "leaf");
        ((string?)leaf!["status"]).ShouldBe("disabled");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(6)] // exactly all
    public async Task Scope_InPages_TellsEachOnce(int pageSize)
    {
        await using var hub = await SurroundedAsync();
        using var edgeHub = new EdgeHubPeer(hub);
        var first = await EdgeHubPeer.ReadAsync(await edgeHub.ScopeAsync("gateway", pageSize));
        EdgeHubPeer.NamesIn(first).Count().ShouldBe(pageSize);
        (await edgeHub.NamesAsync(pageSize: pageSize)).ShouldBe(
            [.. GatewaysOwn, "gateway/m", "leaf", "lower"],
            ignoreOrder: true
        );
    }

    [Fact]
    public async Task Scope_ChangedBetweenPages_TellsTheOthersOnce()
    {
        await using var hub = await SurroundedAsync();
        using var edgeHub = new EdgeHubPeer(hub);
        var first = await EdgeHubPeer.ReadAsync(await edgeHub.ScopeAsync("gateway", 4));
        hub.Server.Identities.Delete(new("gateway", "m"), ifMatch: null); // The page's last.
        var rest = await EdgeHubPeer.ReadAsync(
            await edgeHub.ScopeAsync("gateway", 4, (string?)first["continuationLink"])
        );
        EdgeHubPeer.NamesIn(rest).ShouldBe(["leaf", "lower"]);
        rest["continuationLink"].ShouldBeNull();
        rest.ContainsKey("continuationLink").ShouldBeTrue(); // edgeHub's reader requires it.
    }

    [Theory]
    [InlineData(null, 3)] // the default
    [InlineData(0, 3)]
    [InlineData(5, 5)] // the limit
    [InlineData(6, 400)]
    [InlineData(-1, 400)]
    public async Task Scope_PageSize_HasLimits(int? asked, int found)
    {
        await using var hub = await SurroundedAsync(new ScopeLimits(DefaultPage: 3, LargestPage: 5));
        using var edgeHub = new EdgeHubPeer(hub);
        var answer = await edgeHub.ScopeAsync("gateway", asked);
        if (found == 400)
        {
            await ShouldFailAsync(answer, 400, "ArgumentInvalid");
            return;
        }
        EdgeHubPeer.NamesIn(await EdgeHubPeer.ReadAsync(answer)).Count().ShouldBe(found);
    }

    [Theory]
    [InlineData("", 400, "ArgumentInvalid")]
    [InlineData(";", 400, "ArgumentInvalid")]
    [InlineData("gateway/m;gateway", 400, "ArgumentInvalid")] // no device
    [InlineData("nobody;gateway", 404, "DeviceNotFound")]
    [InlineData("leaf;gateway", 401, "IotHubUnauthorizedAccess")] // no Edge device
    [InlineData("edge2;gateway", 401, "IotHubUnauthorizedAccess")] // not below it
    [InlineData("edge2", 401, "IotHubUnauthorizedAccess")] // not its own
    [InlineData("lower", 401, "IotHubUnauthorizedAccess")]
    public async Task Scope_WrongChain_IsRefused(string chain, int status, string code)
    {
        await using var hub = await SurroundedAsync();
        hub.Edge("edge2");
        using var edgeHub = new EdgeHubPeer(hub);
        await ShouldFailAsync(await edgeHub.ScopeAsync(chain), status, code);
        await ShouldFailAsync(await edgeHub.OnBehalfAsync(chain, "gateway", "m"), status, code);
    }

    [Fact]
    public async Task Scope_WrongContinuation_IsRefused()
    {
        await using var hub = await SurroundedAsync();
        using var edgeHub = new EdgeHubPeer(hub);
        await ShouldFailAsync(
            await edgeHub.ScopeAsync("gateway", continuationLink: "no such !"),
            400,
            "ArgumentInvalid"
        );
    }

    [Fact]
    public async Task Scope_AnotherDevicesEdgeHub_IsRefused()
    {
        await using var hub = await SurroundedAsync();
        hub.Edge("edge2");
        using var edgeHub = new EdgeHubPeer(hub, "edge2");
        var body = new JsonObject { ["pageSize"] = 10, ["authChain"] = "gateway" };
        await ShouldFailAsync(
            await edgeHub.PostAsync("devicesAndModulesInTargetDeviceScope", body, actor: "gateway"),
            401,
            "IotHubUnauthorizedAccess"
        );
    }

    [Theory]
    [InlineData("service")] // A service has its own requests.
    [InlineData(null)]
    public async Task Scope_WithoutEdgeHubsToken_IsRefused(string? authorization)
    {
        await using var hub = await SurroundedAsync();
        using var http = hub.MakeHttp(authorization);
        foreach (var call in new[] { "devicesAndModulesInTargetDeviceScope", "getDeviceAndModuleOnBehalfOf" })
        {
            var answer = await http.PostAsync(
                $"/devices/gateway/modules/$edgeHub/{call}",
                TestHub.Json("""{"authChain":"gateway","targetDeviceId":"gateway"}""")
            );
            await ShouldFailAsync(answer, 401, "IotHubUnauthorizedAccess");
        }
    }

    [Theory]
    [InlineData("$edgeHub", 200)]
    [InlineData("%24edgeHub", 200)]
    [InlineData("m", 401)] // Only an edgeHub speaks for others.
    public async Task Scope_TokenOfTheDevice_IsGoodForItsEdgeHub(string module, int status)
    {
        await using var hub = await SurroundedAsync();
        using var http = hub.MakeHttp(hub.Token(new("gateway")));
        var answer = await http.PostAsync(
            $"/devices/gateway/modules/{module}/devicesAndModulesInTargetDeviceScope",
            TestHub.Json("""{"authChain":"gateway"}""")
        );
        ((int)answer.StatusCode).ShouldBe(status);
    }

    [Theory]
    [InlineData("gateway", "gateway", "m", "gateway gateway/m")] // with its device, as IoT Hub does
    [InlineData("gateway", "gateway", null, "gateway")]
    [InlineData("gateway", "leaf", null, "leaf")]
    [InlineData("lower;gateway", "deep", null, "deep")]
    [InlineData("lower;gateway", "lower", "m", "lower lower/m")]
    [InlineData("gateway", "deep", null, "deep")] // however deep
    public async Task OnBehalf_SomeoneInScope_IsTold(string chain, string device, string? module, string names)
    {
        await using var hub = await SurroundedAsync();
        using var edgeHub = new EdgeHubPeer(hub);
        var answer = await EdgeHubPeer.ReadAsync(await edgeHub.OnBehalfAsync(chain, device, module));
        string.Join(' ', EdgeHubPeer.NamesIn(answer)).ShouldBe(names);
        answer["continuationLink"].ShouldBeNull();
    }

    [Theory]
    [InlineData("gateway", "gateway", "nobody", 404, "ModuleNotFound")]
    [InlineData("gateway", "nobody", null, 404, "DeviceNotFound")]
    [InlineData("gateway", "edge2", "m", 401, "IotHubUnauthorizedAccess")]
    [InlineData("gateway", "edge2", null, 401, "IotHubUnauthorizedAccess")]
    [InlineData("lower;gateway", "leaf", null, 401, "IotHubUnauthorizedAccess")] // above, not below
    [InlineData("lower;gateway", "gateway", "m", 401, "IotHubUnauthorizedAccess")]
    public async Task OnBehalf_SomeoneElse_IsRefused(
        string chain,
        string device,
        string? module,
        int status,
        string code
    )
    {
        await using var hub = await SurroundedAsync();
        hub.Edge("edge2");
        using var edgeHub = new EdgeHubPeer(hub);
        await ShouldFailAsync(await edgeHub.OnBehalfAsync(chain, device, module), status, code);
    }

    [Fact]
    public async Task OnBehalf_UnknownModule_AppearsOnceItWasAdded()
    {
        await using var hub = await SurroundedAsync();
        using var edgeHub = new EdgeHubPeer(hub);
        // A module that edgeHub does not know connects to it, so it asks; and is refused, as the hub does not know it, either.
        await ShouldFailAsync(await edgeHub.OnBehalfAsync("gateway", "gateway", "late"), 404, "ModuleNotFound");
        var (refused, _) = await edgeHub.TryConnectAsync(new("gateway", "late"), "gateway/late;gateway");
        await refused.DisposeAsync();

        hub.Module("late");

        var answer = await EdgeHubPeer.ReadAsync(await edgeHub.OnBehalfAsync("gateway", "gateway", "late"));
        EdgeHubPeer.NamesIn(answer).ShouldContain("gateway/late");
        await using var client = await edgeHub.ModuleAsync("late");
    }

    [Fact]
    public async Task OldScope_InPages_GoesOnAtTheAddressOfTheLink()
    {
        await using var hub = await SurroundedAsync();
        using var edgeHub = new EdgeHubPeer(hub);
        var names = new List<string>();
        var answer = await EdgeHubPeer.ReadAsync(
            await edgeHub.GetAsync("devicesAndModulesInDeviceScope", "deviceCount=4&continuationToken=")
        );
        names.AddRange(EdgeHubPeer.NamesIn(answer));
        // edgeHub takes it as an address below the hub's.
        var link = (string)answer["continuationLink"]!;
        link.ShouldStartWith("/devices/gateway/modules/$edgeHub/devicesAndModulesInDeviceScope?");
        link.ShouldEndWith("api-version=2018-08-30-preview");
        using var http = hub.MakeHttp(hub.Token(edgeHub.Identity));
        answer = await EdgeHubPeer.ReadAsync(await http.GetAsync(link));
        names.AddRange(EdgeHubPeer.NamesIn(answer));
        answer["continuationLink"].ShouldBeNull();
        names.ShouldBe([.. GatewaysOwn, "gateway/m", "leaf", "lower"], ignoreOrder: true);
    }

    [Fact]
    public async Task OldScope_OneOfIt_IsFoundOrRefused()
    {
        await using var hub = await SurroundedAsync();
        hub.Edge("edge2");
        using var edgeHub = new EdgeHubPeer(hub);
        const string Call = "deviceAndModuleInDeviceScope";
        EdgeHubPeer
            .NamesIn(await EdgeHubPeer.ReadAsync(await edgeHub.GetAsync(Call, "targetDeviceId=leaf&targetModuleId=")))
            .ShouldBe(["leaf"]);
        EdgeHubPeer
            .NamesIn(
                await EdgeHubPeer.ReadAsync(await edgeHub.GetAsync(Call, "targetDeviceId=gateway&targetModuleId=m"))
            )
            .ShouldBe(["gateway", "gateway/m"]);
        await ShouldFailAsync(
            await edgeHub.GetAsync(Call, "targetDeviceId=nobody&targetModuleId="),
            404,
            "DeviceNotFound"
        );
        await ShouldFailAsync(
            await edgeHub.GetAsync(Call, "targetDeviceId=edge2&targetModuleId=m"),
            401,
            "IotHubUnauthorizedAccess"
        );
        using var http = hub.MakeHttp(authorization: null);
        (await http.GetAsync($"/devices/gateway/modules/$edgeHub/{Call}?targetDeviceId=leaf")).StatusCode.ShouldBe(
            HttpStatusCode.Unauthorized
        );
    }

    /// <summary>The gateway with a module, a leaf and an Edge device below it, and a leaf below that.</summary>
    private static async Task<TestHub> SurroundedAsync(ScopeLimits? limits = null)
    {
        var hub = await EdgeHubPeer.StartHubAsync(o => o with { Scopes = limits ?? o.Scopes });
        hub.Module("m");
        hub.Leaf("leaf");
        hub.Edge("lower", above: "gateway");
        hub.Leaf("deep", above: "lower");
        hub.Leaf("stranger", above: null);
        return hub;
    }
}
