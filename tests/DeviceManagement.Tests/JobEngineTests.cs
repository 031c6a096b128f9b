using EdgeDm.Contracts;
using EdgeDm.ModuleHost;
using EdgeDm.Testing;

namespace EdgeDm.DeviceManagement.Tests;

public sealed class JobEngineTests
{
    private const string Reboot = """{"jobId":"j1","type":"rebootDevice","payload":{"reason":"test"}}""";

    [Fact]
    public async Task CreateJob_SameIdSameContent_ReturnsThatJob()
    {
        await using var bench = await ModuleBench.StartAsync();

        var first = await bench.CallAsync("createJob", Reboot, ContractsJson.Default.JobDocument);
        var again = await bench.CallAsync(
            "createJob",
            """{"type":"rebootDevice","payload":{ "reason" : "test" },"jobId":"j1"}""",
            ContractsJson.Default.JobDocument
        );

        again.CreatedTime.ShouldBe(first.CreatedTime);
        var jobs = await bench.CallAsync("queryJobs", "{}", ContractsJson.Default.JobList);
        jobs.Jobs.Length.ShouldBe(1);
    }

    [Fact]
    public async Task CreateJob_SameIdOtherContent_Is409()
    {
        await using var bench = await ModuleBench.StartAsync();
        await bench.CallAsync("createJob", Reboot, ContractsJson.Default.JobDocument);

        var (status, error) = await bench.RefusedAsync(
            "createJob",
            """{"jobId":"j1","type":"rebootDevice","payload":{"reason":"other"}}"""
        );

        status.ShouldBe(409);
        error.Name.ShouldBe("jobConflict");
    }

    [Fact]
    public async Task CreateJob_TwoCallersAtOnce_MakeOneJob()
    {
        await using var bench = await ModuleBench.StartAsync();

        await Task.WhenAll(
            Enumerable
                .Range(0, 8)
                .Select(_ => Task.Run(() => bench.CallAsync("createJob", Reboot, ContractsJson.Default.JobDocument)))
        );

        var request = await ModuleBench.NextAsync(bench.Host.RebootRequests);
        request.CommandId.ShouldBe("j1");
        request.Reason.ShouldBe("test");
        Directory.GetFiles(bench.JobsFolder, "*.json").Length.ShouldBe(1); // A temporary may be there, too.
    }

    [Theory]
    [InlineData("""{"jobId":"x","type":"brew"}""", "unknownJobType")]
    [InlineData("""{"jobId":"x","type":"factoryResetDevice"}""", "notSupportedOnHost")]
    [InlineData("""{"jobId":"../x","type":"rebootDevice"}""", "invalidValue")]
    [InlineData("""{"jobId":"","type":"rebootDevice"}""", "invalidValue")]
    [InlineData("""{"jobId":"x","type":"rebootDevice","timeoutSeconds":59}""", "invalidValue")]
    [InlineData("""{"jobId":"x","type":"rebootDevice","timeoutSeconds":86401}""", "invalidValue")]
    [InlineData("""{"jobId":"x","type":"rebootDevice","payload":[]}""", "invalidValue")]
    [InlineData("""{"jobId":"x","type":"rebootDevice","payload":{"reason":7}}""", "invalidValue")]
    [InlineData("""{"jobId":"x","type":"firmwareUpdate"}""", "missingProperty")]
    [InlineData("""{"type":"rebootDevice"}""", "invalidJson")]
    [InlineData("""{"jobId":""", "invalidJson")]
    [InlineData("""[]""", "invalidJson")]
    [InlineData("null", "invalidJson")]
    public async Task CreateJob_WrongRequest_IsRefusedWithItsNameAndLeavesNoJob(string payload, string name)
    {
        await using var bench = await ModuleBench.StartAsync();

        var (status, error) = await bench.RefusedAsync("createJob", payload);

        status.ShouldBe(400);
        error.Name.ShouldBe(name);
        error.Message.ShouldNotContain("EdgeDm.Contracts");
        Directory.GetFiles(bench.JobsFolder).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(60)]
    [InlineData(86_400)]
    public async Task CreateJob_TimeoutAtTheEdge_IsTaken(int seconds)
    {
        await using var bench = await ModuleBench.StartAsync();

        var job = await bench.CallAsync(
            "createJob",
            $$"""{"jobId":"x","type":"rebootDevice","timeoutSeconds":{{seconds}}}""",
            ContractsJson.Default.JobDocument
        );

        job.JobId.ShouldBe("x");
    }

    [Fact]
    public async Task CreateJob_MoreThanTheLimitOfLiveJobs_IsRefused()
    {
        await using var bench = await ModuleBench.StartAsync();
        for (var i = 0; i < 20; i++)
        {
            await bench.CallAsync(
                "createJob",
                $$"""{"jobId":"j{{i}}","type":"rebootDevice"}""",
                ContractsJson.Default.JobDocument
            );
        }

        var (status, error) = await bench.RefusedAsync("createJob", """{"jobId":"j20","type":"rebootDevice"}""");

        status.ShouldBe(429);
        error.Parameters["limit"].ShouldBe("20");
    }

    [Fact]
    public async Task Jobs_RunOneAtATimeInOrderOfCreation()
    {
        await using var bench = await ModuleBench.StartAsync();
        await bench.CallAsync(
            "createJob",
            """{"jobId":"a","type":"rebootDevice"}""",
            ContractsJson.Default.JobDocument
        );
        await bench.CallAsync(
            "createJob",
            """{"jobId":"b","type":"rebootDevice"}""",
            ContractsJson.Default.JobDocument
        );

        var first = await ModuleBench.NextAsync(bench.Host.RebootRequests);
        var waiting = await bench.CallAsync("getJob", """{"jobId":"b"}""", ContractsJson.Default.JobDocument);
        bench.Host.Reboot();
        var second = await ModuleBench.NextAsync(bench.Host.RebootRequests);

        first.CommandId.ShouldBe("a");
        waiting.Status.ShouldBe(JobStatuses.Enqueued);
        second.CommandId.ShouldBe("b");
    }

    [Fact]
    public async Task Reboot_NewHostInstance_ProvesItAndCompletes()
    {
        await using var bench = await ModuleBench.StartAsync();
        await bench.CallAsync("createJob", Reboot, ContractsJson.Default.JobDocument);
        await ModuleBench.NextAsync(bench.Host.RebootRequests);

        await bench.RestartAsync();
        bench.Host.Reboot();

        await bench.Hub.WaitForPostAsync(p => p.Schema == Schemas.JobEvent && p.MessageId == "j1-completed");
        bench.Host.RebootRequests.ShouldAllBe(r => r.CommandId == "j1");
    }

    [Theory]
    [InlineData("running", true)] // Killed after the job's end was on disk and before the event was.
    [InlineData("completed", false)]
    [InlineData(null, false)] // Kept by version 0.1, which made no note.
    public async Task Restart_EndedJob_IsToldOfAgainOnlyIfItWasNot(string? told, bool again)
    {
        await using var bench = await ModuleBench.StartAsync();
        await bench.CallAsync("createJob", Reboot, ContractsJson.Default.JobDocument);
        await ModuleBench.NextAsync(bench.Host.RebootRequests);
        bench.Host.Reboot();
        var first = await bench.Hub.WaitForPostAsync(p => p.MessageId == "j1-completed");

        await bench.RestartAsync(() => bench.RewriteTold(told));

        var events = bench.Hub.Posts.Where(p => p.Schema == Schemas.JobEvent).ToList();
        events.Select(e => e.MessageId).ShouldBe(again ? ["j1-completed"] : []);
        events.ShouldAllBe(e => e.Body.ToJsonString() == first.Body.ToJsonString());
    }

    [Fact]
    public async Task Reboot_HostDoesNotComeBack_FailsAfterItsTime()
    {
        var time = new FakeTimeProvider();
        await using var bench = await ModuleBench.StartAsync(new() { Time = time });
        await bench.CallAsync("createJob", Reboot, ContractsJson.Default.JobDocument);
        await ModuleBench.NextAsync(bench.Host.RebootRequests);
        await time.WaitForTimerAsync(TimeSpan.FromSeconds(1));

        time.Advance(TimeSpan.FromMinutes(10));

        var post = await bench.Hub.WaitForPostAsync(p => p.MessageId == "j1-failed");
        ((int?)post.Body["error"]!["code"]).ShouldBe(ErrorRegistry.JobTimedOut.Code);
    }

    [Theory]
    [InlineData(10)]
    [InlineData(-10)]
    public async Task Running_ClockIsSetByYears_ExpiresNothing(int years)
    {
        var time = new FakeTimeProvider();
        await using var bench = await ModuleBench.StartAsync(new() { Time = time });
        await bench.CallAsync("createJob", Reboot, ContractsJson.Default.JobDocument);
        await ModuleBench.NextAsync(bench.Host.RebootRequests);
        await time.WaitForTimerAsync(TimeSpan.FromSeconds(1));

        time.StepClock(TimeSpan.FromDays(365.25 * years));
        await bench.RestartAsync();
        await time.WaitForTimerAsync(TimeSpan.FromSeconds(1));
        bench.Host.Reboot();
        time.Advance(TimeSpan.FromSeconds(1));

        await bench.Hub.WaitForPostAsync(p => p.MessageId == "j1-completed");
    }

    [Fact]
    public async Task Update_TimeIsOverWhileTheHostInstalls_GoesOnAlsoAfterARestart()
    {
        var time = new FakeTimeProvider();
        await using var bench = await ModuleBench.StartAsync(new() { Time = time });
        await bench.DesireAsync(Samples.Group());
        var request = await bench.CompleteDownloadAsync();
        await ModuleBench.NextAsync(bench.Host.Submissions);

        time.Advance(TimeSpan.FromHours(1));
        await bench.RestartAsync();
        await ModuleBench.NextAsync(bench.Host.Submissions);
        bench.Host.Set(request.JobId, HostUpdateState.Committed);

        await bench.Hub.WaitForPostAsync(p => p.MessageId == $"{request.JobId}-completed");
    }

    [Theory]
    [InlineData(10)]
    [InlineData(-10)]
    public async Task Query_ClockIsSetByYearsBetweenTwoJobs_TheLaterOneIsTheNewestAndRunsLast(int years)
    {
        var time = new FakeTimeProvider();
        await using var bench = await ModuleBench.StartAsync(new() { Time = time });
        await bench.CallAsync("createJob", Reboot, ContractsJson.Default.JobDocument);
        await ModuleBench.NextAsync(bench.Host.RebootRequests);

        foreach (var id in (string[])["j2", "j3"])
        {
            time.StepClock(TimeSpan.FromDays(365.25 * years));
            await bench.CallAsync(
                "createJob",
                Reboot.Replace("j1", id, StringComparison.Ordinal),
                ContractsJson.Default.JobDocument
            );
        }

        var list = await bench.CallAsync("queryJobs", "{}", ContractsJson.Default.JobList);
        list.Jobs.Select(j => j.JobId).ShouldBe(["j3", "j2", "j1"]);
        await time.WaitForTimerAsync(TimeSpan.FromSeconds(1));
        bench.Host.Reboot();
        time.Advance(TimeSpan.FromSeconds(1));
        await bench.Hub.WaitForPostAsync(p => p.MessageId == "j1-completed");
        (await ModuleBench.NextAsync(bench.Host.RebootRequests)).CommandId.ShouldBe("j2");
    }

    [Fact]
    public async Task Update_HubAwayFor30Days_EndsMeanwhileAndItsEndIsToldOnceAsAResult()
    {
        var time = new FakeTimeProvider();
        await using var bench = await ModuleBench.StartAsync(new() { Time = time });
        await bench.DesireAsync(Samples.Group());
        var request = await bench.CompleteDownloadAsync();
        await ModuleBench.NextAsync(bench.Host.Submissions);
        bench.Hub.IsConnected = false;

        for (var day = 0; day < 30; day++)
        {
            time.Advance(TimeSpan.FromDays(1));
        }
        bench.Host.Set(request.JobId, HostUpdateState.Committed);
        await bench.WaitForStatusAsync(DeploymentStatuses.Succeeded);
        var end = await bench.Hub.WaitForPostAsync(p => p.MessageId == $"{request.JobId}-completed");
        end.Kind.ShouldBe(PostKind.Terminal);
        await bench.RestartAsync();
        await bench.DesireAsync(Samples.Group());

        // What was posted before the restart waits in the outbox; nothing is posted again.
        bench.Hub.Posts.ShouldNotContain(p => p.Schema == Schemas.JobEvent);
        bench.Host.Submissions.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{}")]
    public async Task StartRebootCmd_RepeatedByARetry_RebootsOnce(string payload)
    {
        await using var bench = await ModuleBench.StartAsync();

        var first = await bench.CallAsync("StartRebootCmd", payload, ContractsJson.Default.JobDocument);
        var again = await bench.CallAsync(
            "StartRebootCmd",
            """{"__meta":{"serviceInterfaceVersion":"1.0.0"}}""",
            ContractsJson.Default.JobDocument
        );

        again.JobId.ShouldBe(first.JobId);
    }

    [Fact]
    public async Task StartRebootCmd_SameCommandIdAfterTheReboot_DoesNotRebootAgain()
    {
        await using var bench = await ModuleBench.StartAsync();
        await bench.CallAsync("StartRebootCmd", """{"commandId":"c1"}""", ContractsJson.Default.JobDocument);
        await ModuleBench.NextAsync(bench.Host.RebootRequests);
        bench.Host.Reboot();
        await bench.Hub.WaitForPostAsync(p => p.MessageId == "c1-completed");

        var again = await bench.CallAsync(
            "StartRebootCmd",
            """{"commandId":"c1"}""",
            ContractsJson.Default.JobDocument
        );

        again.Status.ShouldBe(JobStatuses.Completed);
        bench.Host.RebootRequests.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("""{"__meta":{"serviceInterfaceVersion":"2.0.0"}}""", "interfaceVersion")]
    [InlineData("""{"when":"now"}""", "unknownProperty")]
    [InlineData("""{"reason":5}""", "invalidValue")]
    [InlineData("""7""", "invalidValue")]
    public async Task StartRebootCmd_WrongPayload_IsRefused(string payload, string name)
    {
        await using var bench = await ModuleBench.StartAsync();

        var (status, error) = await bench.RefusedAsync("StartRebootCmd", payload);

        status.ShouldBe(400);
        error.Name.ShouldBe(name);
    }

    [Fact]
    public async Task GetJob_Unknown_Is404()
    {
        await using var bench = await ModuleBench.StartAsync();

        var (status, error) = await bench.RefusedAsync("getJob", """{"jobId":"nothing"}""");

        status.ShouldBe(404);
        error.Name.ShouldBe("jobNotFound");
    }

    [Fact]
    public async Task QueryJobs_ByStatusAndCount_Narrows()
    {
        await using var bench = await ModuleBench.StartAsync();
        foreach (var id in new[] { "a", "b", "c" })
        {
            await bench.CallAsync(
                "createJob",
                $$"""{"jobId":"{{id}}","type":"rebootDevice"}""",
                ContractsJson.Default.JobDocument
            );
        }
        await ModuleBench.NextAsync(bench.Host.RebootRequests);

        var enqueued = await bench.CallAsync(
            "queryJobs",
            """{"status":"enqueued","maxCount":1}""",
            ContractsJson.Default.JobList
        );
        var (_, error) = await bench.RefusedAsync("queryJobs", """{"maxCount":101}""");

        enqueued.Jobs.ShouldHaveSingleItem().JobId.ShouldBe("c");
        error.Name.ShouldBe("invalidValue");
    }

    [Fact]
    public async Task Method_Unknown_ListsTheKnownOnes()
    {
        await using var bench = await ModuleBench.StartAsync();

        var (status, error) = await bench.RefusedAsync("FlyToTheMoon", "{}");

        status.ShouldBe(400);
        error.Name.ShouldBe("unknownMethod");
        error.Parameters["methods"].ShouldContain("createJob");
    }

    [Fact]
    public async Task Start_OneRecordDamaged_SetsItAsideAndGoesOnWithTheRest()
    {
        await using var bench = await ModuleBench.StartAsync();
        await bench.CallAsync("createJob", Reboot, ContractsJson.Default.JobDocument);
        await ModuleBench.NextAsync(bench.Host.RebootRequests);

        await bench.RestartAsync(() =>
            File.WriteAllText(Path.Combine(bench.JobsFolder, "broken.json"), "{\"format\":1,")
        );
        bench.Host.Reboot();

        await bench.Hub.WaitForPostAsync(p => p.MessageId == "j1-completed");
        Directory.GetFiles(bench.JobsFolder, "broken.json.damaged-*").Length.ShouldBe(1);
    }

    [Fact]
    public async Task Commands_ListedSender_GetsItsJobAndAnAnswer()
    {
        await using var bench = await ModuleBench.StartAsync(new() { CommandSenders = ["Panel"] });

        await bench.Hub.DeliverInputAsync(Routes.Commands, Schemas.JobRequest, Reboot, "m1", "gateway/Panel");

        var answer = await bench.Hub.WaitForPostAsync(Schemas.JobResult);
        ((string?)answer.Body["requestId"]).ShouldBe("m1");
        ((string?)answer.Body["to"]).ShouldBe("gateway/Panel");
        ((string?)answer.Body["job"]!["source"]).ShouldBe("route:Panel");
    }

    [Fact]
    public async Task Commands_UnlistedSender_IsDenied()
    {
        await using var bench = await ModuleBench.StartAsync(new() { CommandSenders = ["Panel"] });

        await bench.Hub.DeliverInputAsync(Routes.Commands, Schemas.JobRequest, Reboot, "m1", "gateway/Other");

        var answer = await bench.Hub.WaitForPostAsync(Schemas.JobResult);
        ((int?)answer.Body["error"]!["code"]).ShouldBe(ErrorRegistry.DeniedByPolicy.Code);
        Directory.GetFiles(bench.JobsFolder).ShouldBeEmpty();
    }
}
