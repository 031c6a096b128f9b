namespace EdgeDm.Cli.Tests;

public sealed class JobTests : IAsyncLifetime
{
    private FakeHub hub = null!;

    public async ValueTask InitializeAsync() => hub = await FakeHub.StartAsync();

    public ValueTask DisposeAsync() => hub.DisposeAsync();

    [Fact]
    public async Task List_Jobs_WritesAlignedColumns()
    {
        hub.OnMethod(
            "queryJobs",
            200,
            $$"""{"jobs":[{{Documents.Job("running", "download", 40)}},{{Documents.Job("failed", id: "a-longer-id", more: $",\"error\":{Documents.Error}")}}]}"""
        );
        var result = await hub.RunAsync("job", "list", "--type", "firmwareUpdate", "--max", "5");

        result
            .ShouldExitWith(0)
            .Output.ReplaceLineEndings("\n")
            .ShouldBe(
                """
                JOB          TYPE            STATUS   STEP      PERCENT  CREATED               ERROR
                fw-1         firmwareUpdate  running  download  40       2026-01-31T12:00:00Z  -
                a-longer-id  firmwareUpdate  failed   -         0        2026-01-31T12:00:00Z  unknownRoot

                """
            );
        hub.Requests.Single().Json["payload"]!.ToJsonString().ShouldBe("""{"type":"firmwareUpdate","maxCount":5}""");
    }

    [Fact]
    public async Task List_Json_IsTheGatewaysDocument()
    {
        hub.OnMethod("queryJobs", 200, $$"""{"jobs":[{{Documents.CompletedJob}}]}""");
        var result = await hub.RunAsync("job", "list", "--json");
        result.ShouldExitWith(0).Json["jobs"]![0]!["jobId"]!.GetValue<string>().ShouldBe("fw-1");
    }

    [Fact]
    public async Task Show_Job_TellsStepsAndTimes()
    {
        hub.OnMethod("getJob", 200, Documents.CompletedJob);
        var result = await hub.RunAsync("job", "show", "fw-1");
        result.ShouldExitWith(0).Output.ShouldContain("install   2026-01-31T12:00:10Z");
        hub.Requests.Single().Json["payload"]!.ToJsonString().ShouldBe("""{"jobId":"fw-1"}""");
    }

    [Fact]
    public async Task Cancel_TooLate_TellsTheGatewaysError()
    {
        hub.OnMethod(
            "cancelJob",
            409,
            """{"subsystem":"HostAccess","context":"fw-1","code":2002,"message":"The step runs.","parameters":{"name":"jobNotCancellable"}}"""
        );
        var words = await hub.RunAsync("job", "cancel", "fw-1");
        words
            .ShouldExitWith(1)
            .Error.ShouldBe("edgedm: The step runs. [2002 jobNotCancellable, fw-1]" + Environment.NewLine);
        var json = await hub.RunAsync("job", "cancel", "fw-1", "--json");
        json.ShouldExitWith(1).Output.ShouldBeEmpty();
        System.Text.Json.Nodes.JsonNode.Parse(json.Error)!["error"]!["code"]!.GetValue<int>().ShouldBe(2002);
    }

    [Fact]
    public async Task Create_WithIdAndPayload_SendsThem()
    {
        hub.OnMethod("createJob", 200, Documents.Job("enqueued", id: "r-1"));
        var result = await hub.RunAsync(
            "job",
            "create",
            "rebootDevice",
            """{"reason":"test"}""",
            "--id",
            "r-1",
            "--job-timeout",
            "60"
        );
        result.ShouldExitWith(0).Output.ShouldContain("r-1");
        hub.Requests.Single().Json["payload"]!
            .ToJsonString()
            .ShouldBe("""{"jobId":"r-1","type":"rebootDevice","payload":{"reason":"test"},"timeoutSeconds":60}""");
    }

    [Fact]
    public async Task Create_WithoutId_MakesNewOnesAndWatches()
    {
        hub.OnMethod("createJob", 200, Documents.Job("enqueued", id: "cli-1"))
            .OnMethod("getJob", 200, Documents.CompletedJob);
        (await hub.RunAsync("job", "create", "rebootDevice", "--watch"))
            .ShouldExitWith(0)
            .Output.ShouldContain("completed");
        hub.Requests.First().Json["payload"]!["jobId"]!.GetValue<string>().ShouldMatch("^cli-[0-9]{14}-[0-9a-f]{8}$");
    }

    [Fact]
    public async Task Create_UnknownType_IsWrongUsage() =>
        (await hub.RunAsync("job", "create", "dance")).ShouldExitWith(2).Error.ShouldContain("rebootDevice");

    [Fact]
    public async Task Show_AnswerOfAnotherForm_SaysSo()
    {
        hub.OnMethod("getJob", 200, """{"id":1}""");
        (await hub.RunAsync("job", "show", "fw-1")).ShouldExitWith(1).Error.ShouldContain("cannot be read");
    }
}
