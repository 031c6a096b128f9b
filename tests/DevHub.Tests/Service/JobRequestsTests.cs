using System.Text.Json.Nodes;
using EdgeDm.Mqtt.IoTHub;
using EdgeDm.Testing;
using static EdgeDm.DevHub.Tests.Service.ServiceAnswers;

namespace EdgeDm.DevHub.Tests.Service;

// /jobs/v2: from the request to what became of it on each device.
public sealed class JobRequestsTests
{
    private const string Patch = """{"etag":"*","tags":{"t":1},"properties":{"desired":{"d":1}}}""";

    [Fact]
    public async Task TwinJob_WritesTheTwinsThatItsConditionMeansWhenItStarts()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var hub = await TestHub.StartAsync(time: time);
        foreach (var id in new[] { "a", "b" })
        {
            await hub.DoAsync(HttpMethod.Put, $"/devices/{id}", "{}");
        }
        var start = (time.GetUtcNow() + TimeSpan.FromMinutes(17)).UtcDateTime.ToString("O");
        var job = await CreateAsync(hub, "j", TwinJob("tags.wanted = true", start: start));
        ((string?)job["status"]).ShouldBe("scheduled");
        ((int?)job["deviceJobStatistics"]!["deviceCount"]).ShouldBe(0);
        await time.WaitForTimerAsync(TimeSpan.FromMinutes(17));
        await hub.DoAsync(HttpMethod.Patch, "/twins/b", """{"tags":{"wanted":true}}""");
        time.Advance(TimeSpan.FromMinutes(17));
        job = await EndAsync(hub, "j");
        ((string?)job["status"]).ShouldBe("completed");
        job["deviceJobStatistics"]!
            .ToJsonString()
            .ShouldBe("""{"deviceCount":1,"failedCount":0,"succeededCount":1,"runningCount":0,"pendingCount":0}""");
        var twin = await hub.DoAsync(HttpMethod.Get, "/twins/b");
        twin["tags"]!.ToJsonString().ShouldBe("""{"wanted":true,"t":1}""");
        ((int?)twin["properties"]!["desired"]!["d"]).ShouldBe(1);
        ((await hub.DoAsync(HttpMethod.Get, "/twins/a"))["tags"]!["t"]).ShouldBeNull();
    }

    [Fact]
    public async Task MethodJob_OverModules_TellsEachOnesAnswer()
    {
        await using var hub = await TestHub.StartAsync();
        await using var client = await MqttTestClient.SubscribedAsync(hub, "m");
        hub.Module("away");
        await CreateAsync(
            hub,
            "j",
            """
            {"type":"scheduleDeviceMethod","cloudToDeviceMethod":{"methodName":"go","payload":{"x":1},"responseTimeoutInSeconds":30},
             "queryCondition":"FROM devices.modules WHERE moduleId IN ['m','away']","maxExecutionTimeInSeconds":60}
            """
        );
        var call = await client.NextMessageAsync();
        call.Hub.Name.ShouldBe("go");
        call.Payload.ShouldBe("""{"x":1}""");
        var running = await RowsAsync(hub, "SELECT * FROM devices.jobs WHERE devices.jobs.moduleId = 'm'");
        ((string?)running[0]!["status"]).ShouldBe("running");
        await client.PublishAsync(HubTopics.MethodResponse(200, call.Hub.RequestId), """{"y":2}""");
        ((string?)(await EndAsync(hub, "j"))["status"]).ShouldBe("failed");
        var rows = await RowsAsync(hub, "SELECT * FROM devices.jobs WHERE devices.jobs.jobId = 'j'");
        rows.Select(row => $"{row!["moduleId"]} {row["jobType"]} {row["status"]} {row["error"]?["code"]}".Trim())
            .ShouldBe(
                ["away scheduleDeviceMethod failed DeviceNotOnline", "m scheduleDeviceMethod completed"],
                ignoreOrder: true
            );
        var done = rows.Single(row => (string?)row!["moduleId"] == "m")!;
        done["outcome"]!.ToJsonString().ShouldBe("""{"deviceMethodResponse":{"status":200,"payload":{"y":2}}}""");
        done["endTimeUtc"].ShouldNotBeNull();
        done["error"].ShouldBeNull();
    }

    [Fact]
    public async Task Cancel_RunningJob_LetsWhatIsUnderWayEndAndGivesUpTheRest()
    {
        await using var hub = await TestHub.StartAsync(o => o with { Jobs = new(Parallel: 1) });
        await using var first = await MqttTestClient.SubscribedAsync(hub, "m1");
        await using var second = await MqttTestClient.SubscribedAsync(hub, "m2");
        await CreateAsync(
            hub,
            "j",
            """
            {"type":"scheduleDeviceMethod","cloudToDeviceMethod":{"methodName":"go"},
             "queryCondition":"FROM devices.modules WHERE startswith(moduleId, 'm')"}
            """
        );
        var calls = new[] { first.NextMessageAsync(), second.NextMessageAsync() };
        var called = await Task.WhenAny(calls);
        var client = called == calls[0] ? first : second;
        ((string?)(await hub.DoAsync(HttpMethod.Post, "/jobs/v2/j/cancel"))["status"]).ShouldBe("cancelled");
        await client.PublishAsync(HubTopics.MethodResponse(200, (await called).Hub.RequestId), "");
        await HubWait.UntilAsync(async () =>
            (await RowsAsync(hub, "SELECT status FROM devices.jobs"))
                .Select(row => (string?)row!["status"])
                .Order(StringComparer.Ordinal)
                .SequenceEqual(["canceled", "completed"])
        );
        await ShouldFailAsync(await hub.SendAsync(HttpMethod.Post, "/jobs/v2/j/cancel"), 400, "InvalidOperation");
        ((string?)(await hub.DoAsync(HttpMethod.Get, "/jobs/v2/j"))["status"]).ShouldBe("cancelled");
    }

    [Fact]
    public async Task Job_LongerThanItsTime_Fails()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var hub = await TestHub.StartAsync(o => o with { Jobs = new(Parallel: 1) }, time: time);
        hub.Module("m1");
        hub.Module("m2");
        await CreateAsync(
            hub,
            "j",
            """
            {"type":"scheduleDeviceMethod","cloudToDeviceMethod":{"methodName":"go","connectTimeoutInSeconds":200},
             "queryCondition":"FROM devices.modules WHERE startswith(moduleId, 'm')","maxExecutionTimeInSeconds":100}
            """
        );
        await time.WaitForTimerAsync(TimeSpan.FromSeconds(200));
        time.Advance(TimeSpan.FromSeconds(200));
        var job = await EndAsync(hub, "j");
        ((string?)job["status"]).ShouldBe("failed");
        ((string?)job["failureReason"])!.ShouldContain("maxExecutionTimeInSeconds");
        ((int?)job["deviceJobStatistics"]!["failedCount"]).ShouldBe(2);
    }

    [Fact]
    public async Task Restart_JobsBeforeAndWithinTheirTime_GoOn()
    {
        using var folder = new TemporaryFolder();
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using (var hub = await TestHub.StartAsync(time: time, dataFolder: folder.Path))
        {
            await using var client = await MqttTestClient.SubscribedAsync(hub, "m");
            await CreateAsync(
                hub,
                "later",
                TwinJob("*", (time.GetUtcNow() + TimeSpan.FromHours(1)).UtcDateTime.ToString("O"))
            );
            await CreateAsync(
                hub,
                "under-way",
                """
                {"type":"scheduleDeviceMethod","cloudToDeviceMethod":{"methodName":"go"},
                 "queryCondition":"FROM devices.modules WHERE moduleId = 'm'"}
                """
            );
            await client.NextMessageAsync();
        }
        await using var again = await TestHub.StartAsync(time: time, dataFolder: folder.Path);
        // The method is not called a second time: nobody knows whether it ran.
        var job = await EndAsync(again, "under-way");
        ((string?)job["status"]).ShouldBe("failed");
        var rows = await RowsAsync(again, "SELECT * FROM devices.jobs WHERE devices.jobs.jobId = 'under-way'");
        ((string?)rows[0]!["error"]!["description"])!.ShouldContain("may have run");
        await time.WaitForTimerAsync(TimeSpan.FromHours(1));
        time.Advance(TimeSpan.FromHours(1));
        ((string?)(await EndAsync(again, "later"))["status"]).ShouldBe("completed");
        ((int?)(await again.DoAsync(HttpMethod.Get, "/twins/gateway"))["tags"]!["t"]).ShouldBe(1);
    }

    [Theory]
    [InlineData("""{"type":"scheduleUpdateTwin","queryCondition":"*"}""", "updateTwin")]
    [InlineData("""{"type":"scheduleUpdateTwin","updateTwin":{"tags":{}},"queryCondition":"*"}""", "etag")]
    [InlineData(
        """{"type":"scheduleUpdateTwin","updateTwin":{"etag":"*","tags":{"a.b":1}},"queryCondition":"*"}""",
        "a.b"
    )]
    [InlineData("""{"type":"scheduleDeviceMethod","queryCondition":"*"}""", "cloudToDeviceMethod")]
    [InlineData(
        """{"type":"scheduleDeviceMethod","cloudToDeviceMethod":{"methodName":"a/b"},"queryCondition":"*"}""",
        "methodName"
    )]
    [InlineData("""{"type":"export","queryCondition":"*"}""", "export")]
    [InlineData("""{"type":"scheduleDeviceMethod","cloudToDeviceMethod":{"methodName":"m"}}""", "queryCondition")]
    [InlineData(
        """{"type":"scheduleDeviceMethod","cloudToDeviceMethod":{"methodName":"m"},"queryCondition":"a ="}""",
        "character 4"
    )]
    [InlineData(
        """{"type":"scheduleDeviceMethod","cloudToDeviceMethod":{"methodName":"m"},"queryCondition":"FROM devices.jobs"}""",
        "devices.modules"
    )]
    [InlineData(
        """{"type":"scheduleDeviceMethod","cloudToDeviceMethod":{"methodName":"m"},"queryCondition":"*","startTime":"soon"}""",
        "soon"
    )]
    [InlineData(
        """{"type":"scheduleDeviceMethod","cloudToDeviceMethod":{"methodName":"m"},"queryCondition":"*","maxExecutionTimeInSeconds":0}""",
        "maxExecution"
    )]
    [InlineData(
        """{"type":"scheduleDeviceMethod","cloudToDeviceMethod":{"methodName":"m"},"queryCondition":"*","maxExecutionTimeInSeconds":172801}""",
        "172800"
    )]
    [InlineData(
        """{"jobId":"other","type":"scheduleDeviceMethod","cloudToDeviceMethod":{"methodName":"m"},"queryCondition":"*"}""",
        "other"
    )]
    public async Task Create_WrongJob_IsRefusedAndSaysWhy(string body, string why)
    {
        await using var hub = await TestHub.StartAsync();
        var answer = await hub.SendAsync(HttpMethod.Put, "/jobs/v2/j", body);
        await ShouldFailAsync(answer, 400, "ArgumentInvalid");
        ((string?)(await ReadAsync(answer))["Message"])!.ShouldContain(why);
        await ShouldFailAsync(await hub.Http.GetAsync("/jobs/v2/j"), 404, "JobNotFound");
    }

    [Fact]
    public async Task Create_KnownIdOrTooMany_IsRefused()
    {
        await using var hub = await TestHub.StartAsync(o => o with { Jobs = new(MostActive: 2) });
        const string Late = "2999-01-01T00:00:00Z";
        await CreateAsync(hub, "one", TwinJob("*", Late));
        await ShouldFailAsync(
            await hub.SendAsync(HttpMethod.Put, "/jobs/v2/one", TwinJob("*")),
            409,
            "JobAlreadyExists"
        );
        await CreateAsync(hub, "two", TwinJob("*", Late));
        await ShouldFailAsync(
            await hub.SendAsync(HttpMethod.Put, "/jobs/v2/three", TwinJob("*")),
            403,
            "JobQuotaExceeded"
        );
        await hub.DoAsync(HttpMethod.Post, "/jobs/v2/two/cancel");
        await CreateAsync(hub, "three", TwinJob("*"));
        await ShouldFailAsync(
            await hub.SendAsync(HttpMethod.Put, $"/jobs/v2/{new string('x', 65)}", TwinJob("*")),
            400,
            "ArgumentInvalid"
        );
    }

    [Fact]
    public async Task Create_BeyondWhatIsKept_ForgetsTheOldestThatIsOver()
    {
        using var folder = new TemporaryFolder();
        await using (
            var hub = await TestHub.StartAsync(o => o with { Jobs = new(MostKept: 2) }, dataFolder: folder.Path)
        )
        {
            foreach (var id in new[] { "one", "two", "three" })
            {
                await CreateAsync(hub, id, TwinJob("*"));
                await EndAsync(hub, id);
            }
            await ShouldFailAsync(await hub.Http.GetAsync("/jobs/v2/one"), 404, "JobNotFound");
        }
        await using var again = await TestHub.StartAsync(dataFolder: folder.Path);
        var query = await again.Http.GetAsync("/jobs/v2/query?jobType=scheduleUpdateTwin&jobStatus=completed");
        query.Headers.GetValues("x-ms-item-type").ShouldBe(["JobResponse"]);
        JsonNode
            .Parse(await query.Content.ReadAsStringAsync())!
            .AsArray()
            .Select(job => (string?)job!["jobId"])
            .ShouldBe(["two", "three"], ignoreOrder: true);
        (await again.Http.GetStringAsync("/jobs/v2/query?jobStatus=failed")).ShouldBe("[]");
    }

    private static string TwinJob(string condition, string? start = null) =>
        new JsonObject
        {
            ["type"] = "scheduleUpdateTwin",
            ["updateTwin"] = JsonNode.Parse(Patch),
            ["queryCondition"] = condition,
            ["startTime"] = start,
        }.ToJsonString();

    private static Task<JsonObject> CreateAsync(TestHub hub, string id, string body) =>
        hub.DoAsync(HttpMethod.Put, $"/jobs/v2/{id}?api-version=2021-04-12", body);

    private static async Task<JsonArray> RowsAsync(TestHub hub, string query)
    {
        var answer = await hub.SendAsync(
            HttpMethod.Post,
            "/devices/query",
            new JsonObject { ["query"] = query }.ToJsonString()
        );
        return JsonNode.Parse(await answer.Content.ReadAsStringAsync())!.AsArray();
    }

    private static async Task<JsonObject> EndAsync(TestHub hub, string id)
    {
        JsonObject job = [];
        await HubWait.UntilAsync(async () =>
        {
            job = await hub.DoAsync(HttpMethod.Get, $"/jobs/v2/{id}");
            return job["endTime"] is not null;
        });
        return job;
    }
}
