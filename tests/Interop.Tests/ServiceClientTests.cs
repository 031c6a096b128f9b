using System.Text.Json.Nodes;
using EdgeDm.Testing;

namespace EdgeDm.Interop.Tests;

/// <summary>The official Node service client, unmodified, against the dev hub: registry, twins, queries, methods, jobs.</summary>
public sealed class ServiceClientTests : IClassFixture<EdgeAgentHub>, IAsyncLifetime
{
    private readonly InteropHub hub;
    private NodePeer service = null!; // Set before each test.

    public ServiceClientTests(EdgeAgentHub hub)
    {
        Assert.SkipWhen(NodePeer.Obstacle is not null, NodePeer.Obstacle ?? "");
        Assert.SkipUnless(
            hub.HasMethodPort,
            "This user may not bind port 443, the only one that the client knows: run as root, or "
                + "sysctl net.ipv4.ip_unprivileged_port_start=443."
        );
        this.hub = hub;
    }

    public async ValueTask InitializeAsync() => service = await hub.StartServiceAsync();

    public ValueTask DisposeAsync() => service.DisposeAsync();

    [Fact]
    public async Task Devices_AreMadeReadListedChangedAndDeleted()
    {
        var made = await RegistryAsync("create", new JsonObject { ["deviceId"] = "leaf+1" });
        ((string?)made["deviceId"]).ShouldBe("leaf+1");
        ((string?)made["authentication"]!["symmetricKey"]!["primaryKey"]).ShouldNotBeNullOrEmpty();
        (await RegistryAsync("get", "leaf+1"))["generationId"]!.ToString().ShouldBe(made["generationId"]!.ToString());
        (await RegistryAsync("list")).AsArray().Select(d => (string?)d!["deviceId"]).ShouldContain("leaf+1");
        var updated = await RegistryAsync(
            "update",
            new JsonObject { ["deviceId"] = "leaf+1", ["status"] = "disabled" }
        );
        ((string?)updated["status"]).ShouldBe("disabled");
        ((int)(await RegistryAsync("getRegistryStatistics"))["disabledDeviceCount"]!).ShouldBe(1);
        await ShouldThrowAsync("DeviceAlreadyExistsError", "create", new JsonObject { ["deviceId"] = "leaf+1" });
        await CallAsync("registry", "delete", "leaf+1");
        await ShouldThrowAsync("DeviceNotFoundError", "get", "leaf+1");
    }

    [Fact]
    public async Task Devices_InBulk_AreMadeChangedAndRemoved()
    {
        var devices = new JsonArray(new JsonObject { ["deviceId"] = "b1" }, new JsonObject { ["deviceId"] = "b2" });
        ((bool)(await RegistryAsync("addDevices", devices.DeepClone()))["isSuccessful"]!).ShouldBeTrue();
        var again = await RegistryAsync("addDevices", devices.DeepClone());
        ((string?)again["errors"]![0]!["errorCode"]).ShouldBe("DeviceAlreadyExists");
        ((bool)(await RegistryAsync("updateDevices", devices.DeepClone(), true))["isSuccessful"]!).ShouldBeTrue();
        ((bool)(await RegistryAsync("removeDevices", devices.DeepClone(), true))["isSuccessful"]!).ShouldBeTrue();
    }

    [Fact]
    public async Task Modules_AreMadeReadListedChangedAndDeleted()
    {
        var module = new JsonObject { ["deviceId"] = InteropHub.Device, ["moduleId"] = "extra" };
        var made = await RegistryAsync("addModule", module.DeepClone());
        ((string?)made["moduleId"]).ShouldBe("extra");
        var modules = (await RegistryAsync("getModulesOnDevice", InteropHub.Device)).AsArray();
        modules.Select(m => (string?)m!["moduleId"]).ShouldContain("extra");
        module["managedBy"] = "tests";
        await RegistryAsync("updateModule", module.DeepClone(), true);
        ((string?)(await RegistryAsync("getModule", InteropHub.Device, "extra"))["managedBy"]).ShouldBe("tests");
        await CallAsync("registry", "removeModule", InteropHub.Device, "extra");
        await ShouldThrowAsync("Error: Not found", "getModule", InteropHub.Device, "extra");
    }

    [Fact]
    public async Task Twins_ChangedByTheirEtag_AreRefusedByAnOldOne()
    {
        var patch = new JsonObject
        {
            ["tags"] = new JsonObject { ["place"] = "here" },
            ["properties"] = new JsonObject { ["desired"] = new JsonObject { ["node"] = 1 } },
        };
        var twin = await UpdateAsync(patch, etag: null);
        ((string?)twin["tags"]!["place"]).ShouldBe("here");
        ((int?)twin["properties"]!["desired"]!["node"]).ShouldBe(1);
        await UpdateAsync(patch, etag: "*");
        var error = await Should.ThrowAsync<NodePeerException>(() => UpdateAsync(patch, (string?)twin["etag"]));
        error.Message.ShouldStartWith("InvalidEtagError");

        async Task<JsonNode> UpdateAsync(JsonObject patch, string? etag) =>
            (
                await service.CallAsync(
                    "updateTwin",
                    new()
                    {
                        ["device"] = InteropHub.Device,
                        ["module"] = InteropHub.Beta,
                        ["patch"] = patch.DeepClone(),
                        ["etag"] = etag,
                    }
                )
            )!;
    }

    [Fact]
    public async Task Configurations_AreMadeReadListedChangedAndDeleted()
    {
        var configuration = JsonNode.Parse(
            """{"id":"node","content":{"moduleContent":{"properties.desired.node":1}},"targetCondition":"FROM devices.modules WHERE moduleId = 'Beta'","priority":1}"""
        )!;
        var made = await RegistryAsync("addConfiguration", configuration.DeepClone());
        await HubService.WaitAsync(async () =>
            (await hub.Service.TwinAsync(InteropHub.Beta))["configurations"]?["node"]
        );
        ((int?)(await hub.Service.TwinAsync(InteropHub.Beta))["properties"]!["desired"]!["node"]).ShouldBe(1);
        (await RegistryAsync("getConfigurations")).AsArray().Select(c => (string?)c!["id"]).ShouldContain("node");
        made["priority"] = 2;
        await RegistryAsync("updateConfiguration", made.DeepClone());
        var read = await RegistryAsync("getConfiguration", "node");
        ((int?)read["priority"]).ShouldBe(2);
        ((int?)read["systemMetrics"]!["results"]!["appliedCount"]).ShouldBe(1);
        await ShouldThrowAsync("InvalidEtagError", "updateConfiguration", made.DeepClone());
        await ShouldThrowAsync("DeviceAlreadyExistsError", "addConfiguration", configuration.DeepClone()); // Node's name of any 409.
        await CallAsync("registry", "removeConfiguration", "node");
        await ShouldThrowAsync("Error: Not found", "getConfiguration", "node");
    }

    [Fact]
    public async Task Deployment_AppliedToOneDevice_SetsModulesAndMakesThem()
    {
        var content = JsonNode.Parse("""{"modulesContent":{"applied":{"properties.desired":{"a":1}}}}""");
        await CallAsync("registry", "applyConfigurationContentOnDevice", InteropHub.Device, content);
        ((int?)(await hub.Service.TwinAsync("applied"))["properties"]!["desired"]!["a"]).ShouldBe(1);
    }

    [Fact]
    public async Task Deployment_Applied_ReachesConnectedModulesAndTakesOptionsInChunks()
    {
        await using var alpha = hub.Start(InteropHub.Alpha);
        await alpha.CallAsync("connect");
        await alpha.CallAsync("getTwin");
        await alpha.CallAsync("watchDesired");
        alpha.Drain("desired");
        var agent = (await hub.Service.TwinAsync("$edgeAgent"))["properties"]!["desired"]!;
        var modules = agent["modules"]!.DeepClone();
        modules[InteropHub.Alpha]!["settings"]!["createOptions"] = """{"HostConfig":""";
        modules[InteropHub.Alpha]!["settings"]!["createOptions01"] = """{"Memory":1}}""";
        var content = new JsonObject
        {
            ["modulesContent"] = new JsonObject
            {
                ["$edgeAgent"] = Desired(new() { ["schemaVersion"] = "1.1", ["modules"] = modules }),
                [InteropHub.Alpha] = Desired(new() { ["applied"] = new JsonObject { ["deep"] = 1 } }),
            },
        };

        await CallAsync("registry", "applyConfigurationContentOnDevice", InteropHub.Device, content);

        var told = await alpha.NextAsync("desired");
        ((int?)told["applied"]!["deep"]).ShouldBe(1);
        var alphas = (await hub.Service.TwinAsync(InteropHub.Alpha))["properties"]!["desired"]!;
        ((int?)told["$version"]).ShouldBe((int?)alphas["$version"]);
        var version = (int)agent["$version"]! + 1;
        var status = await HubService.WaitAsync(async () =>
            await hub.Service.ReportedAsync("$edgeAgent") is var reported
            && (int?)reported["lastDesiredVersion"] == version
                ? reported["lastDesiredStatus"]
                : null
        );
        ((int?)status["code"]).ShouldBe(200, $"{status}");

        static JsonObject Desired(JsonObject properties) => new() { ["properties.desired"] = properties };
    }

    [Fact]
    public async Task Query_InPages_TellsAllRowsAndEnds()
    {
        const string Modules = "SELECT moduleId FROM devices.modules WHERE startswith(moduleId, '$')";
        var pages = await QueryAsync(Modules, pageSize: 1);
        pages
            .Select(page => (string?)page!.AsArray().ShouldHaveSingleItem()!["moduleId"])
            .ShouldBe(["$edgeAgent", "$edgeHub"]);
        var twins = await QueryAsync($"SELECT * FROM devices WHERE deviceId = '{InteropHub.Device}'", twins: true);
        ((bool)twins[0]![0]!["capabilities"]!["iotEdge"]!).ShouldBeTrue();
        var error = await Should.ThrowAsync<NodePeerException>(() => QueryAsync("SELECT"));
        error.Message.ShouldStartWith("ArgumentError");
        error.Message.ShouldContain("at character 7");
    }

    [Fact]
    public async Task Method_OfAModule_IsAnsweredAndFailsWhenItIsAway()
    {
        await using (var alpha = hub.Start(InteropHub.Alpha))
        {
            await alpha.CallAsync("connect");
            await alpha.CallAsync(
                "onMethod",
                new()
                {
                    ["name"] = "turn",
                    ["status"] = 207,
                    ["payload"] = "turned",
                }
            );
            (await InvokeAsync())!.ToJsonString().ShouldBe("""{"status":207,"payload":"turned"}""");
        }
        await HubService.WaitAsync(async () =>
            (await hub.Service.StatusAsync())["connected"]!
                .AsArray()
                .Any(c => $"{c}" == $"{InteropHub.Device}/{InteropHub.Alpha}")
                ? null
                : "gone"
        );
        var error = await Should.ThrowAsync<NodePeerException>(InvokeAsync);
        error.Message.ShouldContain("Not found");

        Task<JsonNode?> InvokeAsync() =>
            service.CallAsync(
                "invokeMethod",
                new()
                {
                    ["device"] = InteropHub.Device,
                    ["module"] = InteropHub.Alpha,
                    ["methodName"] = "turn",
                    ["payload"] = 1,
                    ["responseTimeoutInSeconds"] = 20,
                }
            );
    }

    [Fact]
    public async Task Method_NobodyAnswers_FailsAsTimedOut()
    {
        await using var alpha = hub.Start(InteropHub.Alpha);
        await alpha.CallAsync("connect");
        await alpha.CallAsync("onMethod", new() { ["name"] = "silent" });
        var error = await Should.ThrowAsync<NodePeerException>(() =>
            service.CallAsync(
                "invokeMethod",
                new()
                {
                    ["device"] = InteropHub.Device,
                    ["module"] = InteropHub.Alpha,
                    ["methodName"] = "silent",
                    ["responseTimeoutInSeconds"] = 5, // IoT Hub's least.
                }
            )
        );
        error.Message.ShouldStartWith("GatewayTimeoutError");
    }

    [Fact]
    public async Task Job_OfAMethodOfADevice_TellsItsAnswer()
    {
        await using var device = await hub.StartDeviceAsync("worker");
        await device.CallAsync("connect");
        await device.CallAsync(
            "onMethod",
            new()
            {
                ["name"] = "work",
                ["status"] = 202,
                ["payload"] = "worked",
            }
        );
        await ScheduleAsync(
            "scheduleDeviceMethod",
            "work",
            new JsonObject { ["methodName"] = "work", ["responseTimeoutInSeconds"] = 20 },
            device: "worker"
        );
        var job = await WaitForEndAsync("work");
        ((string?)job["status"]).ShouldBe("completed", $"{job}");
        var devices = await QueryAsync("SELECT * FROM devices.jobs WHERE devices.jobs.jobId = 'work'");
        devices[0]![0]!["outcome"]!["deviceMethodResponse"]!
            .ToJsonString()
            .ShouldBe("""{"status":202,"payload":"worked"}""");
    }

    [Fact]
    public async Task Job_OfATwin_IsDoneAndToldDeviceByDevice()
    {
        var patch = JsonNode.Parse("""{"etag":"*","tags":{"job":"done"}}""");
        var job = await ScheduleAsync("scheduleTwinUpdate", "twins", patch);
        ((string?)job["type"]).ShouldBe("scheduleUpdateTwin");
        job = await WaitForEndAsync("twins");
        ((string?)job["status"]).ShouldBe("completed", $"{job}");
        ((int)job["deviceJobStatistics"]!["succeededCount"]!).ShouldBe(1);
        var devices = await QueryAsync("SELECT * FROM devices.jobs WHERE devices.jobs.jobId = 'twins'");
        ((string?)devices[0]![0]!["status"]).ShouldBe("completed");
        ((string?)(await RegistryAsync("getTwin", InteropHub.Device))["tags"]!["job"]).ShouldBe("done");
        var listed = await service.CallAsync(
            "jobs",
            new() { ["type"] = "scheduleUpdateTwin", ["status"] = "completed" }
        );
        listed![0]!.AsArray().Select(j => (string?)j!["jobId"]).ShouldContain("twins");
    }

    [Fact]
    public async Task Job_OfAMethodOfWhoIsAway_FailsAndSaysWhy()
    {
        await ScheduleAsync("scheduleDeviceMethod", "method", new JsonObject { ["methodName"] = "turn" });
        ((string?)(await WaitForEndAsync("method"))["status"]).ShouldBe("failed");
        var devices = await QueryAsync("SELECT * FROM devices.jobs WHERE devices.jobs.jobId = 'method'");
        ((string?)devices[0]![0]!["error"]!["code"]).ShouldBe("DeviceNotOnline");
    }

    [Fact]
    public async Task Job_BeforeItsTime_CanBeCancelled()
    {
        var patch = JsonNode.Parse("""{"etag":"*","tags":{"late":1}}""");
        var job = await ScheduleAsync("scheduleTwinUpdate", "later", patch, seconds: 3600);
        ((string?)job["status"]).ShouldBe("scheduled");
        job = (await service.CallAsync("job", new() { ["name"] = "cancelJob", ["id"] = "later" }))!;
        ((string?)job["status"]).ShouldBe("cancelled");
        var error = await Should.ThrowAsync<NodePeerException>(() =>
            service.CallAsync("job", new() { ["name"] = "getJob", ["id"] = "nobody" })
        );
        error.Message.ShouldContain("Not found");
    }

    private async Task<JsonNode> ScheduleAsync(
        string kind,
        string id,
        JsonNode? action,
        int seconds = 0,
        string device = InteropHub.Device
    ) =>
        (
            await service.CallAsync(
                "scheduleJob",
                new()
                {
                    ["kind"] = kind,
                    ["id"] = id,
                    ["condition"] = $"deviceId = '{device}'",
                    ["action"] = action,
                    ["seconds"] = seconds,
                }
            )
        )!;

    private Task<JsonNode> WaitForEndAsync(string id) =>
        HubService.WaitAsync(async () =>
            await service.CallAsync("job", new() { ["name"] = "getJob", ["id"] = id }) is { } job
            && (string?)job["status"] is "completed" or "failed"
                ? job
                : null
        );

    private async Task<JsonArray> QueryAsync(string sql, int? pageSize = null, bool twins = false) =>
        (
            await service.CallAsync(
                "query",
                new()
                {
                    ["sql"] = sql,
                    ["pageSize"] = pageSize,
                    ["twins"] = twins,
                }
            )
        )!.AsArray();

    private async Task<JsonNode> RegistryAsync(string name, params JsonNode?[] args) =>
        (await CallAsync("registry", name, args))!["body"]!;

    private Task<JsonNode?> CallAsync(string kind, string name, params JsonNode?[] args) =>
        service.CallAsync(kind, new() { ["name"] = name, ["args"] = new JsonArray(args) });

    private async Task ShouldThrowAsync(string error, string name, params JsonNode?[] args)
    {
        var thrown = await Should.ThrowAsync<NodePeerException>(() => CallAsync("registry", name, args));
        thrown.Message.ShouldStartWith(error);
    }
}
