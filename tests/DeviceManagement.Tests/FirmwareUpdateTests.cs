using System.Text.Json.Nodes;
using EdgeDm.Contracts;

namespace EdgeDm.DeviceManagement.Tests;

public sealed class FirmwareUpdateTests
{
    [Fact]
    public async Task Desired_SignedUpdate_IsCheckedDownloadedInstalledVerifiedAndReported()
    {
        await using var bench = await ModuleBench.StartAsync();

        await bench.DesireAsync(Samples.Group());
        var request = await bench.CompleteDownloadAsync();
        var submission = await ModuleBench.NextAsync(bench.Host.Submissions);
        bench.Host.Set(submission.CommandId, HostUpdateState.Verifying);
        var evidence = await ModuleBench.NextAsync(bench.Host.Evidence);
        bench.Host.Installed = [Samples.UpdateId("2.0.0")];
        bench.Host.Set(submission.CommandId, HostUpdateState.Committed);
        var reported = await bench.WaitForStatusAsync("succeeded");

        request.Files.ShouldHaveSingleItem().Urls.ShouldBe(["http://127.0.0.1:1/firmware.bin"]);
        submission.CommandId.ShouldBe(request.JobId);
        evidence.EdgeHubSession.ShouldBeTrue();
        var group = reported["firmwareUpdate"]!;
        ((string?)group["installedUpdateId"]).ShouldBe(Samples.UpdateId("2.0.0"));
        ((string?)group["state"]).ShouldBe(FirmwareStates.Idle);
        ((int?)group["lastInstallResult"]!["resultCode"]).ShouldBe(700);
        ((int?)reported["__summary"]!["failedCount"]).ShouldBe(0);
        ((int?)reported["__summary"]!["pendingCount"]).ShouldBe(0);
        var job = await bench.CallAsync(
            "getJob",
            $$"""{"jobId":"{{request.JobId}}"}""",
            ContractsJson.Default.JobDocument
        );
        job.Steps.Select(s => s.Name).ShouldBe(["check", "download", "install", "verify"]);
        job.Steps.ShouldAllBe(s => s.EndedAt != null && s.Attempts == 1);
    }

    [Fact]
    public async Task Desired_WhileUpdateRuns_StatesFollowTheWork()
    {
        await using var bench = await ModuleBench.StartAsync();

        await bench.DesireAsync(Samples.Group());
        await bench.Hub.WaitForPostAsync(Schemas.DownloadRequest);
        var job = await bench.JobIdAsync();
        await bench.DeliverAsync(
            Schemas.DownloadProgress,
            new(job, new(500, 0, 1000)),
            ContractsJson.Default.DownloadProgress
        );
        var document = await bench.CallAsync("getJob", $$"""{"jobId":"{{job}}"}""", ContractsJson.Default.JobDocument);

        document.Step.ShouldBe("download");
        document.Percent.ShouldBe(50);
        document.Bytes.ShouldBe(new(500, 0, 1000));
        await bench.Hub.WaitForReportedAsync(r => (string?)r["firmwareUpdate"]?["state"] == FirmwareStates.Downloading);
    }

    [Fact]
    public async Task Desired_SameContentAfterItsEnd_StartsNothingAgain()
    {
        await using var bench = await ModuleBench.StartAsync();
        await RunToEndAsync(bench, Samples.Group());

        await bench.DesireAsync(Samples.Group());
        await bench.RestartAsync();
        await bench.DesireAsync(Samples.Group());

        bench.Host.Submissions.ShouldBeEmpty();
        var jobs = await bench.CallAsync("queryJobs", "{}", ContractsJson.Default.JobList);
        jobs.Jobs.ShouldHaveSingleItem().Status.ShouldBe(JobStatuses.Completed);
        bench.Hub.Posts.ShouldNotContain(p => p.Schema == Schemas.DownloadRequest);
    }

    [Fact]
    public async Task Restart_EndIsToldFirst_EveryReportStillNamesTheJob()
    {
        await using var bench = await ModuleBench.StartAsync();
        await RunToEndAsync(bench, Samples.Group());
        var job = await bench.JobIdAsync();

        // Killed after the job's end was on disk and before its event was: the event comes ahead of the desired document.
        await bench.RestartAsync(() => bench.RewriteTold("running"));

        await bench.WaitForJobAsync(job, JobStatuses.Completed);
        await bench.WaitForStatusAsync("succeeded");
        bench
            .Hub.Reports.Select(r => r.GetValueOrDefault("firmwareUpdate"))
            .OfType<JsonObject>()
            .ShouldAllBe(group => (string?)group["jobId"] == job);
    }

    [Fact]
    public async Task Desired_NewWorkflowId_RetriesAFailedUpdate()
    {
        await using var bench = await ModuleBench.StartAsync();
        bench.Host.Verify = _ => throw Refusal();
        await bench.DesireAsync(Samples.Group("first"));
        await bench.WaitForStatusAsync("failed");

        bench.Host.Verify = _ => new(Samples.UpdateId("2.0.0"), false, [Samples.File], true);
        await RunToEndAsync(bench, Samples.Group("second"));

        var jobs = await bench.CallAsync("queryJobs", "{}", ContractsJson.Default.JobList);
        jobs.Jobs.Select(j => j.Status).ShouldBe([JobStatuses.Completed, JobStatuses.Failed]);
    }

    [Fact]
    public async Task Desired_HostRefusesTheManifest_ReportsTheHostsOwnErrorAndFetchesNothing()
    {
        await using var bench = await ModuleBench.StartAsync();
        bench.Host.Verify = _ => throw Refusal();

        await bench.DesireAsync(Samples.Group());
        var reported = await bench.WaitForStatusAsync("failed");

        var error = reported["firmwareUpdate"]!["__errors"]!["check"]!;
        ((int?)error["code"]).ShouldBe(ErrorRegistry.UnknownRoot.Code);
        ((string?)error["subsystem"]).ShouldBe(Subsystems.HostAccess);
        ((string?)reported["__summary"]!["failedGroups"]).ShouldBe("firmwareUpdate");
        bench.Hub.Posts.ShouldNotContain(p => p.Schema == Schemas.DownloadRequest);
    }

    [Fact]
    public async Task Desired_AlreadyInstalled_SucceedsWithoutFetching()
    {
        await using var bench = await ModuleBench.StartAsync();
        bench.Host.Verify = _ => new(Samples.UpdateId("1.0.0"), true, [Samples.File], true);

        await bench.DesireAsync(Samples.Group());
        var reported = await bench.WaitForStatusAsync("succeeded");

        ((int?)reported["firmwareUpdate"]!["lastInstallResult"]!["resultCode"]).ShouldBe(603);
        bench.Host.Submissions.ShouldBeEmpty();
    }

    [Fact]
    public async Task Desired_DetachedManifest_IsFetchedFirstAndJudgedAgain()
    {
        await using var bench = await ModuleBench.StartAsync();
        var detached = new VerifiedFile("m", "manifest.json", 5000, new string('b', 64));
        var isHere = false;
        bench.Host.Verify = _ =>
            new(Samples.UpdateId("2.0.0"), false, isHere ? [detached, Samples.File] : [detached], isHere);
        var group = Samples.Group();
        group["fileUrls"]!["m"] = "http://127.0.0.1:1/manifest.json";

        await bench.DesireAsync(group);
        var first = await bench.Hub.WaitForPostAsync(p =>
            p.Schema == Schemas.DownloadRequest && p.Json.Contains("-manifest\"")
        );
        isHere = true;
        var id = (string)first.Body["jobId"]!;
        await bench.DeliverAsync(
            Schemas.DownloadCompleted,
            new(id, new(5000, 0, 5000), [new("m", detached.Sha256, 5000)]),
            ContractsJson.Default.DownloadCompleted
        );
        var second = await bench.Hub.WaitForPostAsync(p =>
            p.Schema == Schemas.DownloadRequest && !p.Json.Contains("-manifest\"")
        );

        second.Body["files"]!.AsArray().Count.ShouldBe(2);
    }

    [Fact]
    public async Task Desired_Bundle_TakesManifestAndSignatureFromTheDownload()
    {
        await using var bench = await ModuleBench.StartAsync();
        var group = new JsonObject { ["packageUri"] = "https://example.com/update.tar?sig=secret" };

        await bench.DesireAsync(group);
        var post = await bench.Hub.WaitForPostAsync(Schemas.DownloadRequest);
        ((string?)post.Body["bundleUrl"]).ShouldBe("https://example.com/update.tar?sig=secret");
        await bench.DeliverAsync(
            Schemas.DownloadCompleted,
            new((string)post.Body["jobId"]!, new(9, 0, 9), [], "manifest", "jws"),
            ContractsJson.Default.DownloadCompleted
        );
        var submission = await ModuleBench.NextAsync(bench.Host.Submissions);

        submission.UpdateManifest.ShouldBe("manifest");
        submission.UpdateManifestSignature.ShouldBe("jws");
        bench.Hub.Reported.ToJsonString().ShouldNotContain("secret");
    }

    [Fact]
    public async Task Desired_FileWithoutAddress_FailsWithItsName()
    {
        await using var bench = await ModuleBench.StartAsync();
        var group = Samples.Group();
        group["fileUrls"] = new JsonObject();

        await bench.DesireAsync(group);
        var reported = await bench.WaitForStatusAsync("failed");

        var error = reported["firmwareUpdate"]!["__errors"]!["download"]!;
        ((int?)error["code"]).ShouldBe(ErrorRegistry.MissingUrl.Code);
        ((string?)error["context"]).ShouldBe("fileUrls/f1");
    }

    [Fact]
    public async Task DownloadFailed_Gone_FailsTheJobWithTheDownloadersError()
    {
        await using var bench = await ModuleBench.StartAsync();
        await bench.DesireAsync(Samples.Group());
        await FailDownloadAsync(bench, "404");

        var reported = await bench.WaitForStatusAsync("failed");

        ((int?)reported["firmwareUpdate"]!["__errors"]!["download"]!["code"]).ShouldBe(ErrorRegistry.HttpStatus.Code);
    }

    [Theory]
    [InlineData("401")]
    [InlineData("403")]
    public async Task DownloadFailed_ExpiredAddress_WaitsForFreshOnesAndGoesOn(string status)
    {
        await using var bench = await ModuleBench.StartAsync();
        await bench.DesireAsync(Samples.Group(url: "http://127.0.0.1:1/f?sig=old"));
        await FailDownloadAsync(bench, status);
        var job = await bench.JobIdAsync();
        var waiting = await bench.CallAsync("getJob", $$"""{"jobId":"{{job}}"}""", ContractsJson.Default.JobDocument);
        var explained = await bench.Hub.WaitForReportedAsync(r => r["firmwareUpdate"]?["__errors"] is not null);

        await bench.DesireAsync(Samples.Group(url: "http://127.0.0.1:1/f?sig=new"));
        await bench.Hub.WaitForReportedAsync(r => r["firmwareUpdate"]!["__errors"] is null);
        await bench.Hub.WaitForPostAsync(p => p.Schema == Schemas.DownloadRequest && p.Json.Contains("sig=new"));
        await bench.CompleteDownloadAsync();
        var submission = await ModuleBench.NextAsync(bench.Host.Submissions);

        waiting.Status.ShouldBe(JobStatuses.Running);
        waiting.Error!.Code.ShouldBe(ErrorRegistry.UrlRefused.Code);
        ((string?)explained["firmwareUpdate"]!["__meta"]!["deploymentStatus"]).ShouldBe("pending");
        ((int?)explained["firmwareUpdate"]!["__errors"]!["download"]!["code"]).ShouldBe(ErrorRegistry.UrlRefused.Code);
        submission.CommandId.ShouldBe(job);
        bench.Hub.Reported.ToJsonString().ShouldNotContain("sig=");
    }

    [Fact]
    public async Task DownloadFailed_ExpiredAddressInTheWordsOfAnOlderDownloader_Waits()
    {
        await using var bench = await ModuleBench.StartAsync();
        await bench.DesireAsync(Samples.Group());

        await FailDownloadAsync(bench, "403", ErrorRegistry.HttpStatus);

        var reported = await bench.Hub.WaitForReportedAsync(r => r["firmwareUpdate"]?["__errors"] is not null);
        ((string?)reported["firmwareUpdate"]!["__meta"]!["deploymentStatus"]).ShouldBe("pending");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task DesiredChanged_JobWaitsForFreshAddresses_IsCancelledAndMakesRoom(bool removed)
    {
        await using var bench = await ModuleBench.StartAsync();
        await bench.DesireAsync(Samples.Group());
        await FailDownloadAsync(bench, "403");
        await bench.Hub.WaitForReportedAsync(r => r["firmwareUpdate"]?["__errors"] is not null);
        var job = await bench.JobIdAsync();

        await bench.DesireAsync(removed ? null : Samples.Group(workflow: "next"));
        await bench.Hub.WaitForPostAsync(Schemas.DownloadCancel);

        var ended = await bench.CallAsync("getJob", $$"""{"jobId":"{{job}}"}""", ContractsJson.Default.JobDocument);
        ended.Status.ShouldBeOneOf(JobStatuses.Cancelled, JobStatuses.Running); // The step may end a moment later.
        ended.Error.ShouldNotBeNull();
    }

    [Fact]
    public async Task Restart_InTheMiddleOfTheDownload_AsksAgainForTheSameJob()
    {
        await using var bench = await ModuleBench.StartAsync();
        await bench.DesireAsync(Samples.Group());
        var before = await bench.Hub.WaitForPostAsync(Schemas.DownloadRequest);

        await bench.RestartAsync();
        var after = await bench.Hub.WaitForPostAsync(Schemas.DownloadRequest);

        after.Json.ShouldBe(before.Json);
        var job = await bench.CallAsync(
            "getJob",
            $$"""{"jobId":"{{(string)after.Body["jobId"]!}}"}""",
            ContractsJson.Default.JobDocument
        );
        job.Steps.Single(s => s.Name == "check").Attempts.ShouldBe(1);
        job.Steps.Single(s => s.Name == "download").Attempts.ShouldBe(2);
    }

    [Fact]
    public async Task Restart_WhileTheHostInstalls_GoesOnWithTheSameCommand()
    {
        await using var bench = await ModuleBench.StartAsync();
        await bench.DesireAsync(Samples.Group());
        await bench.CompleteDownloadAsync();
        var before = await ModuleBench.NextAsync(bench.Host.Submissions);

        await bench.RestartAsync();
        var after = await ModuleBench.NextAsync(bench.Host.Submissions);
        bench.Host.Set(after.CommandId, HostUpdateState.Committed);

        after.ShouldBe(before);
        await bench.WaitForStatusAsync("succeeded");
    }

    [Fact]
    public async Task Install_HostRollsBack_FailsWithTheHostsError()
    {
        await using var bench = await ModuleBench.StartAsync();
        await bench.DesireAsync(Samples.Group());
        await bench.CompleteDownloadAsync();
        var submission = await ModuleBench.NextAsync(bench.Host.Submissions);

        bench.Host.Set(
            submission.CommandId,
            HostUpdateState.RolledBack,
            ErrorRegistry.HealthTimedOut.Error(Subsystems.HostAccess, "health", "No evidence.")
        );
        var reported = await bench.WaitForStatusAsync("failed");

        ((int?)reported["firmwareUpdate"]!["__errors"]!["install"]!["code"]).ShouldBe(
            ErrorRegistry.HealthTimedOut.Code
        );
        ((int?)reported["firmwareUpdate"]!["lastInstallResult"]!["resultCode"]).ShouldBe(0);
    }

    [Fact]
    public async Task Install_HostAccessAway_WaitsAndGoesOn()
    {
        await using var bench = await ModuleBench.StartAsync();
        await bench.DesireAsync(Samples.Group());
        await bench.Hub.WaitForPostAsync(Schemas.DownloadRequest);
        await bench.Host.StopAsync();
        await bench.CompleteDownloadAsync();

        await bench.Host.StartAsync();
        var submission = await ModuleBench.NextAsync(bench.Host.Submissions);
        bench.Host.Set(submission.CommandId, HostUpdateState.Committed);

        await bench.WaitForStatusAsync("succeeded");
    }

    [Fact]
    public async Task Evidence_NamesModulesThatAnsweredThisProcessOnTheirRoute()
    {
        await using var bench = await ModuleBench.StartAsync();
        await bench.DesireAsync(Samples.Group());
        await bench.CompleteDownloadAsync();
        var submission = await ModuleBench.NextAsync(bench.Host.Submissions);
        bench.Host.Set(submission.CommandId, HostUpdateState.Verifying);
        var ping = await bench.Hub.WaitForPostAsync(p => p.Schema == Schemas.Ping && p.Output == Routes.Downloads);
        var id = (string)ping.Body["pingId"]!;

        await PongAsync(bench, "other-process", "gateway/Telemetry");
        await PongAsync(bench, id, "");
        await PongAsync(bench, id, "gateway/FirmwareDownload");
        HealthEvidence evidence;
        do
        {
            evidence = await ModuleBench.NextAsync(bench.Host.Evidence);
        } while (evidence.Modules.IsEmpty);

        evidence.Modules.ShouldBe(["FirmwareDownload"]);
        evidence.HostInstanceId.ShouldBe(bench.Host.InstanceId);
        bench.Hub.Posts.ShouldContain(p => p.Schema == Schemas.Ping && p.Output == Routes.Observations);
    }

    [Fact]
    public async Task Evidence_HostRestartsInBetween_SpeaksOfTheNewInstance()
    {
        await using var bench = await ModuleBench.StartAsync();
        await bench.DesireAsync(Samples.Group());
        await bench.CompleteDownloadAsync();
        var submission = await ModuleBench.NextAsync(bench.Host.Submissions);
        bench.Host.Set(submission.CommandId, HostUpdateState.Verifying);
        await ModuleBench.NextAsync(bench.Host.Evidence);

        bench.Host.Reboot();
        HealthEvidence evidence;
        do
        {
            evidence = await ModuleBench.NextAsync(bench.Host.Evidence);
        } while (evidence.HostInstanceId != bench.Host.InstanceId);
        bench.Host.Set(submission.CommandId, HostUpdateState.Committed);

        await bench.WaitForStatusAsync("succeeded");
    }

    [Fact]
    public async Task Removed_WhileEnqueued_CancelsTheJobAndTheGroupIsGone()
    {
        await using var bench = await ModuleBench.StartAsync();
        var first = """{"jobId":"first","type":"rebootDevice"}""";
        await bench.CallAsync("createJob", first, ContractsJson.Default.JobDocument);
        await ModuleBench.NextAsync(bench.Host.RebootRequests);
        await bench.DesireAsync(Samples.Group());
        var job = await bench.JobIdAsync();

        await bench.DesireAsync(null);

        bench.Hub.Reported.ContainsKey("firmwareUpdate").ShouldBeFalse();
        var document = await bench.CallAsync("getJob", $$"""{"jobId":"{{job}}"}""", ContractsJson.Default.JobDocument);
        document.Status.ShouldBe(JobStatuses.Cancelled);
    }

    [Fact]
    public async Task Cancel_WhileDownloading_TellsTheDownloaderAndEndsCancelled()
    {
        await using var bench = await ModuleBench.StartAsync();
        await bench.DesireAsync(Samples.Group());
        await bench.Hub.WaitForPostAsync(Schemas.DownloadRequest);
        var job = await bench.JobIdAsync();

        await bench.CallAsync("cancelJob", $$"""{"jobId":"{{job}}"}""", ContractsJson.Default.JobDocument);
        await bench.WaitForStatusAsync("failed");

        (await bench.Hub.WaitForPostAsync(Schemas.DownloadCancel)).Json.ShouldContain(job);
        var document = await bench.CallAsync("getJob", $$"""{"jobId":"{{job}}"}""", ContractsJson.Default.JobDocument);
        document.Status.ShouldBe(JobStatuses.Cancelled);
        document.Error!.Code.ShouldBe(ErrorRegistry.JobCancelled.Code);
    }

    [Fact]
    public async Task Cancel_HostHasBegunToChangeItself_IsRefusedAndTheJobGoesOn()
    {
        await using var bench = await ModuleBench.StartAsync();
        bench.Host.RefusesCancel = true;
        await bench.DesireAsync(Samples.Group());
        await bench.CompleteDownloadAsync();
        var submission = await ModuleBench.NextAsync(bench.Host.Submissions);

        var (status, error) = await bench.RefusedAsync("cancelJob", $$"""{"jobId":"{{submission.CommandId}}"}""");
        bench.Host.Set(submission.CommandId, HostUpdateState.Committed);

        status.ShouldBe(409);
        error.Code.ShouldBe(ErrorRegistry.JobNotCancellable.Code);
        await bench.WaitForStatusAsync("succeeded");
    }

    [Fact]
    public async Task Reported_OfAFinishedUpdate_ShowsExactlyOneChangeToATerminalStatus()
    {
        await using var bench = await ModuleBench.StartAsync();
        await RunToEndAsync(bench, Samples.Group());
        await bench.DesireAsync(Samples.Group());

        var statuses = bench
            .Hub.Reports.Where(r => r.ContainsKey("firmwareUpdate"))
            .Select(r => (string?)r["firmwareUpdate"]!["__meta"]!["deploymentStatus"])
            .ToList();

        var changes = statuses.Where((s, i) => s is "succeeded" or "failed" && (i == 0 || statuses[i - 1] != s));
        changes.ShouldHaveSingleItem().ShouldBe("succeeded");
    }

    private static async Task RunToEndAsync(ModuleBench bench, JsonObject group)
    {
        await bench.DesireAsync(group);
        await bench.CompleteDownloadAsync();
        var submission = await ModuleBench.NextAsync(bench.Host.Submissions);
        bench.Host.Set(submission.CommandId, HostUpdateState.Committed);
        await bench.WaitForStatusAsync("succeeded");
    }

    private static async Task FailDownloadAsync(ModuleBench bench, string status, ErrorCode? code = null)
    {
        var post = await bench.Hub.WaitForPostAsync(Schemas.DownloadRequest);
        code ??= status is "401" or "403" ? ErrorRegistry.UrlRefused : ErrorRegistry.HttpStatus;
        var error = code.Error(Subsystems.FirmwareDownload, "f1", $"The server answered {status}.", ("status", status));
        await bench.DeliverAsync(
            Schemas.DownloadFailed,
            new((string)post.Body["jobId"]!, error, new(0, 0, 1000)),
            ContractsJson.Default.DownloadFailed
        );
    }

    private static Task<bool> PongAsync(ModuleBench bench, string pingId, string sender) =>
        bench.DeliverAsync(Schemas.Pong, new(pingId, "x", "1"), ContractsJson.Default.Pong, sender);

    private static EdgeDmException Refusal() =>
        ErrorRegistry.UnknownRoot.Exception(Subsystems.HostAccess, "updateManifestSignature", "Root 'x' is not known.");
}
