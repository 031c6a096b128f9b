using System.Text.Json.Nodes;

namespace EdgeDm.Interop.Tests;

/// <summary>
/// The official Node module client, unmodified, against the dev hub. What holds here holds of edgeHub: the client is written
/// for that.
/// </summary>
public abstract class ModuleClientTests<THub> : IClassFixture<THub>
    where THub : InteropHub
{
    private const string NoMethodPort =
        "This user may not bind port 443, the only one at which the client calls methods: run as root, or "
        + "sysctl net.ipv4.ip_unprivileged_port_start=443.";

    private readonly InteropHub hub;

    protected ModuleClientTests(THub hub)
    {
        Assert.SkipWhen(NodePeer.Obstacle is not null, NodePeer.Obstacle ?? "");
        this.hub = hub;
    }

    /// <summary>Which variables make the client.</summary>
    protected abstract IReadOnlyList<string> Variables { get; }

    [Fact]
    public async Task Environment_OfAModule_IsAllThatItsClientNeeds()
    {
        hub.VariablesOf(InteropHub.Alpha).ShouldBe(Variables, ignoreOrder: true);

        await using var alpha = await ConnectAsync(InteropHub.Alpha);
    }

    [Fact]
    public async Task Output_Routed_ArrivesAtTheOtherModulesInput()
    {
        await using var beta = await ConnectAsync(InteropHub.Beta, listens: true);
        await using var alpha = await ConnectAsync(InteropHub.Alpha);
        var properties = new JsonObject { ["key"] = "a b&c=d/e%f+ü", ["x y"] = "1" };
        var message = new JsonObject
        {
            ["output"] = "out",
            ["body"] = """{"answer":42}""",
            ["properties"] = properties,
            ["messageId"] = "m1",
            ["correlationId"] = "c1",
            ["contentType"] = "application/json",
            ["contentEncoding"] = "utf-8",
        };

        await alpha.CallAsync("send", message);
        var received = await beta.NextAsync("inputMessage");

        ((string?)received["input"]).ShouldBe("in");
        ((string?)received["body"]).ShouldBe("""{"answer":42}""");
        ((string?)received["messageId"]).ShouldBe("m1");
        ((string?)received["correlationId"]).ShouldBe("c1");
        ((string?)received["contentType"]).ShouldBe("application/json");
        ((string?)received["contentEncoding"]).ShouldBe("utf-8");
        // The client knows no name for the sender's stamp, so it is among the user's properties.
        properties["$.cdid"] = InteropHub.Device;
        properties["$.cmid"] = InteropHub.Alpha;
        JsonNode.DeepEquals(received["properties"], properties).ShouldBeTrue($"{received}");
    }

    [Fact]
    public async Task Outputs_OfAModuleThatIsAway_ArriveInOrderOnceItListens()
    {
        await using var alpha = await ConnectAsync(InteropHub.Alpha);
        for (var i = 0; i < 20; i++)
        {
            await alpha.CallAsync("send", new() { ["output"] = "out", ["body"] = $"{i}" });
        }

        await using var beta = await ConnectAsync(InteropHub.Beta, listens: true);

        for (var i = 0; i < 20; i++)
        {
            ((string?)(await beta.NextAsync("inputMessage"))["body"]).ShouldBe($"{i}");
        }
    }

    [Fact]
    public async Task Twin_Got_HasDesiredAndReportedWithTheirVersions()
    {
        await hub.Service.DesireAsync(new() { ["got"] = new JsonObject { ["deep"] = 1 } }, InteropHub.Alpha);
        await using var alpha = await ConnectAsync(InteropHub.Alpha);

        var twin = (await alpha.CallAsync("getTwin"))!;

        ((int?)twin["desired"]!["got"]!["deep"]).ShouldBe(1);
        ((int?)twin["desired"]!["$version"]).ShouldBe(await VersionAsync("desired"));
        ((int?)twin["reported"]!["$version"]).ShouldBe(await VersionAsync("reported"));
    }

    [Fact]
    public async Task Desired_Patched_ArrivesOnceWithWhatChangedAndItsVersion()
    {
        await using var alpha = await ConnectAsync(InteropHub.Alpha);
        await alpha.CallAsync("getTwin");
        await alpha.CallAsync("watchDesired");
        alpha.Drain("desired");

        await hub.Service.DesireAsync(
            new()
            {
                ["first"] = new JsonObject { ["a"] = 1, ["b"] = 2 },
            },
            InteropHub.Alpha
        );
        var first = await alpha.NextAsync("desired");
        var version = await VersionAsync("desired");
        await hub.Service.DesireAsync(new() { ["first"] = new JsonObject { ["a"] = null } }, InteropHub.Alpha);
        var second = await alpha.NextAsync("desired");

        first["first"]!.ToJsonString().ShouldBe("""{"a":1,"b":2}""");
        ((int?)first["$version"]).ShouldBe(version);
        second["first"]!.ToJsonString().ShouldBe("""{"a":null}""");
        ((int?)second["$version"]).ShouldBe(version + 1);
        second.AsObject().Count.ShouldBe(2);
    }

    [Fact]
    public async Task Reported_Patched_IsInTheTwinAndNullsAreGone()
    {
        await using var alpha = await ConnectAsync(InteropHub.Alpha);
        await alpha.CallAsync("getTwin");

        await alpha.CallAsync("report", Patch("""{"r":{"kept":[1,2],"gone":true}}"""));
        await alpha.CallAsync("report", Patch("""{"r":{"gone":null}}"""));

        var reported = await hub.Service.ReportedAsync(InteropHub.Alpha);
        reported["r"]!.ToJsonString().ShouldBe("""{"kept":[1,2]}""");
    }

    [Fact]
    public async Task Reported_RefusedPatch_IsAnErrorThatNamesTheRule()
    {
        await using var alpha = await ConnectAsync(InteropHub.Alpha);
        await alpha.CallAsync("getTwin");

        var error = await Should.ThrowAsync<NodePeerException>(() => alpha.CallAsync("report", Patch("""{"a.b":1}""")));

        error.Message.ShouldContain("a.b");
    }

    [Theory]
    [InlineData("""{"x":[1,"ü"]}""")]
    [InlineData("null")]
    [InlineData("\"text\"")]
    public async Task Method_Called_IsAnsweredWithStatusAndPayload(string payload)
    {
        await using var alpha = await ConnectAsync(InteropHub.Alpha);
        var answer = JsonNode.Parse("""{"y":true}""");
        await alpha.CallAsync(
            "onMethod",
            new()
            {
                ["name"] = "turn",
                ["status"] = 207,
                ["payload"] = answer,
            }
        );

        var (status, returned) = await hub.Service.CallAsync("turn", JsonNode.Parse(payload), InteropHub.Alpha);
        var call = await alpha.NextAsync("method");

        status.ShouldBe(207);
        returned!.ToJsonString().ShouldBe("""{"y":true}""");
        (call["payload"]?.ToJsonString() ?? "null").ShouldBe(JsonNode.Parse(payload)?.ToJsonString() ?? "null");
    }

    [Fact]
    public async Task Method_CalledByAnotherModule_IsAnswered()
    {
        Assert.SkipUnless(hub.HasMethodPort, NoMethodPort);
        await using var alpha = await ConnectAsync(InteropHub.Alpha);
        await using var beta = await ConnectAsync(InteropHub.Beta);
        await alpha.CallAsync(
            "onMethod",
            new()
            {
                ["name"] = "turn",
                ["status"] = 200,
                ["payload"] = "done",
            }
        );

        var result = await beta.CallAsync(
            "invokeMethod",
            new()
            {
                ["device"] = InteropHub.Device,
                ["module"] = InteropHub.Alpha,
                ["name"] = "turn",
                ["payload"] = new JsonObject { ["x"] = 1 },
            }
        );

        result!.ToJsonString().ShouldBe("""{"status":200,"payload":"done"}""");
        ((int?)(await alpha.NextAsync("method"))["payload"]!["x"]).ShouldBe(1);
    }

    [Fact]
    public async Task Method_CalledByAnotherModule_WaitsUntilItIsTakenOrFails()
    {
        Assert.SkipUnless(hub.HasMethodPort, NoMethodPort);
        await using var alpha = await ConnectAsync(InteropHub.Alpha);
        var call = new JsonObject
        {
            ["device"] = InteropHub.Device,
            // It takes no methods in any other test: the hub would remember, and call before the client listens.
            ["module"] = InteropHub.Beta,
            ["name"] = "late",
            ["payload"] = 1, // Of none the client says that it is no JSON.
            ["connectTimeout"] = 0,
        };
        var error = await Should.ThrowAsync<NodePeerException>(() =>
            alpha.CallAsync("invokeMethod", call.DeepClone().AsObject())
        );
        error.Message.ShouldContain("Not found");

        call["connectTimeout"] = 60;
        var waiting = alpha.CallAsync("invokeMethod", call);
        await using var beta = await ConnectAsync(InteropHub.Beta);
        await beta.CallAsync("onMethod", new() { ["name"] = "late", ["status"] = 201 });

        ((int?)(await waiting)!["status"]).ShouldBe(201);
    }

    [Fact]
    public async Task Client_WhoseHubIsKilled_ComesBackToTheNextOne()
    {
        await using var beta = await ConnectAsync(InteropHub.Beta, listens: true);
        await using var alpha = await ConnectAsync(InteropHub.Alpha);
        await alpha.CallAsync(
            "onMethod",
            new()
            {
                ["name"] = "turn",
                ["status"] = 200,
                ["payload"] = 1,
            }
        );

        await hub.RestartAsync();
        await alpha.CallAsync("send", new() { ["output"] = "out", ["body"] = "after" });

        ((string?)(await beta.NextAsync("inputMessage"))["body"]).ShouldBe("after");
        (await hub.Service.CallAsync("turn", null, InteropHub.Alpha)).Status.ShouldBe(200);
    }

    [Fact]
    public async Task Connect_WithTheIdentityOfAConnectedClient_TakesItsPlace()
    {
        await using var first = await ConnectAsync(InteropHub.Alpha);
        await using var second = await ConnectAsync(InteropHub.Alpha);

        await second.CallAsync("send", new() { ["output"] = "up", ["body"] = "1" });
        await second.CallAsync("close");
    }

    private async Task<NodePeer> ConnectAsync(string module, bool listens = false)
    {
        var peer = hub.Start(module);
        await peer.CallAsync("connect", new() { ["listen"] = listens });
        return peer;
    }

    private async Task<int?> VersionAsync(string part) =>
        (int?)(await hub.Service.TwinAsync(InteropHub.Alpha))["properties"]![part]!["$version"];

    private static JsonObject Patch(string json) => new() { ["patch"] = JsonNode.Parse(json) };
}

/// <summary>As under edgeAgent.</summary>
public sealed class EdgeAgentModuleTests(EdgeAgentHub hub) : ModuleClientTests<EdgeAgentHub>(hub)
{
    protected override IReadOnlyList<string> Variables =>
        [
            "IOTEDGE_APIVERSION",
            "IOTEDGE_AUTHSCHEME",
            "IOTEDGE_DEVICEID",
            "IOTEDGE_GATEWAYHOSTNAME",
            "IOTEDGE_IOTHUBHOSTNAME",
            "IOTEDGE_MODULEGENERATIONID",
            "IOTEDGE_MODULEID",
            "IOTEDGE_WORKLOADURI",
            "RuntimeLogLevel",
        ];
}

/// <summary>As under iotedgehubdev.</summary>
public sealed class IotEdgeHubDevModuleTests(IotEdgeHubDevHub hub) : ModuleClientTests<IotEdgeHubDevHub>(hub)
{
    protected override IReadOnlyList<string> Variables => ["EdgeHubConnectionString", "EdgeModuleCACertificateFile"];
}
