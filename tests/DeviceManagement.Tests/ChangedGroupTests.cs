using EdgeDm.Contracts;

namespace EdgeDm.DeviceManagement.Tests;

/// <summary>A desired group that is removed or changed while its job is on its way: the latest wins, and each job ends clearly.</summary>
public sealed class ChangedGroupTests
{
    [Fact]
    public async Task Removed_WhileDownloading_WithdrawsTheJobAndTheGroupIsGone()
    {
        await using var bench = await ModuleBench.StartAsync();
        await bench.DesireAsync(Samples.Group());
        await bench.Hub.WaitForPostAsync(Schemas.DownloadRequest);
        var job = await bench.JobIdAsync();

        await bench.DesireAsync(null);

        await bench.Hub.WaitForReportedAsync(r => !r.ContainsKey("firmwareUpdate"));
        (await bench.Hub.WaitForPostAsync(Schemas.DownloadCancel)).Json.ShouldContain(job);
        var document = await bench.JobAsync(job);
        document.Status.ShouldBe(JobStatuses.Cancelled);
        document.Error!.Code.ShouldBe(ErrorRegistry.JobWithdrawn.Code);
        bench.Hub.Reported["__summary"]!["failedCount"]!.GetValue<int>().ShouldBe(0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Removed_WhenTheHostHasBegun_IsToldOfUntilTheHostHasEnded(bool restart)
    {
        await using var bench = await ModuleBench.StartAsync();
        bench.Host.RefusesCancel = true;
        await bench.DesireAsync(Samples.Group());
        await bench.CompleteDownloadAsync();
        var job = (await ModuleBench.NextAsync(bench.Host.Submissions)).CommandId;

        await bench.DesireAsync(null);
        if (restart)
        {
            await bench.RestartAsync();
            await bench.DesireAsync(null);
        }
        var meanwhile = await bench.Hub.WaitForReportedAsync(r =>
            (string?)r["firmwareUpdate"]?["state"] == FirmwareStates.Updating
        );
        bench.Host.Set(job, HostUpdateState.Committed);

        ((string?)meanwhile["firmwareUpdate"]!["jobId"]).ShouldBe(job);
        await bench.WaitForJobAsync(job, JobStatuses.Completed);
        await bench.Hub.WaitForReportedAsync(r => !r.ContainsKey("firmwareUpdate"));
    }

    [Fact]
    public async Task Removed_WhenTheHostHasItAndCanStillGiveItBack_WithdrawsTheJob()
    {
        await using var bench = await ModuleBench.StartAsync();
        await bench.DesireAsync(Samples.Group());
        await bench.CompleteDownloadAsync();
        var job = (await ModuleBench.NextAsync(bench.Host.Submissions)).CommandId;

        await bench.DesireAsync(null);

        await bench.Hub.WaitForReportedAsync(r => !r.ContainsKey("firmwareUpdate"));
        (await bench.JobAsync(job)).Error!.Code.ShouldBe(ErrorRegistry.JobWithdrawn.Code);
    }

    [Fact]
    public async Task Changed_WhileEnqueued_OnlyTheLatestRuns()
    {
        await using var bench = await ModuleBench.StartAsync();
        await bench.CallAsync(
            "createJob",
            """{"jobId":"before","type":"rebootDevice"}""",
            ContractsJson.Default.JobDocument
        );
        await ModuleBench.NextAsync(bench.Host.RebootRequests);

        foreach (var workflow in new[] { "a", "b", "c" })
        {
            await bench.DesireAsync(Samples.Group(workflow));
        }
        bench.Host.Reboot();
        await RunToEndAsync(bench, await LatestJobAsync(bench));

        var jobs = await bench.JobsAsync();
        jobs.Skip(1)
            .Select(j => j.Status)
            .ShouldBe([JobStatuses.Cancelled, JobStatuses.Cancelled, JobStatuses.Completed]);
    }

    [Fact]
    public async Task Changed_WhileDownloading_TheFirstIsWithdrawnAndTheLatestRuns()
    {
        await using var bench = await ModuleBench.StartAsync();
        await bench.DesireAsync(Samples.Group("a"));
        await bench.Hub.WaitForPostAsync(Schemas.DownloadRequest);
        var first = await bench.JobIdAsync();

        await bench.DesireAsync(Samples.Group("b"));
        var second = await LatestJobAsync(bench);
        await RunToEndAsync(bench, second);

        (await bench.JobAsync(first)).Error!.Code.ShouldBe(ErrorRegistry.JobWithdrawn.Code);
        await bench.WaitForStatusAsync("succeeded");
    }

    [Fact]
    public async Task Changed_WhenTheHostHasBegun_TheLatestWaitsForItsEnd()
    {
        await using var bench = await ModuleBench.StartAsync();
        bench.Host.RefusesCancel = true;
        await bench.DesireAsync(Samples.Group("a"));
        await bench.CompleteDownloadAsync();
        var first = (await ModuleBench.NextAsync(bench.Host.Submissions)).CommandId;

        await bench.DesireAsync(Samples.Group("b"));
        var second = await LatestJobAsync(bench);
        var waiting = await bench.JobAsync(second);
        var meanwhile = await bench.Hub.WaitForReportedAsync(r => (string?)r["firmwareUpdate"]!["jobId"] == second);
        bench.Host.Set(first, HostUpdateState.Committed);
        await RunToEndAsync(bench, second);

        waiting.Status.ShouldBe(JobStatuses.Enqueued);
        ((string?)meanwhile["firmwareUpdate"]!["state"]).ShouldBe(FirmwareStates.Updating);
        (await bench.JobAsync(first)).Status.ShouldBe(JobStatuses.Completed);
        await bench.WaitForStatusAsync("succeeded");
    }

    [Fact]
    public async Task Changed_WhileTheModuleWasDown_TheFirstIsWithdrawn()
    {
        await using var bench = await ModuleBench.StartAsync();
        await bench.DesireAsync(Samples.Group("a"));
        await bench.Hub.WaitForPostAsync(Schemas.DownloadRequest);
        var first = await bench.JobIdAsync();

        // Killed when the new document was on disk and nothing had followed from it.
        await bench.RestartAsync(() => bench.RewriteDesired(Samples.Group("b")));
        await RunToEndAsync(bench, await LatestJobAsync(bench));

        (await bench.JobAsync(first)).Error!.Code.ShouldBe(ErrorRegistry.JobWithdrawn.Code);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Withdrawn_AndDesiredAgain_RunsUnderANewId(bool removed)
    {
        await using var bench = await ModuleBench.StartAsync();
        await bench.DesireAsync(Samples.Group("a"));
        await bench.Hub.WaitForPostAsync(Schemas.DownloadRequest);
        var first = await bench.JobIdAsync();
        await bench.DesireAsync(removed ? null : Samples.Group("b"));

        await bench.DesireAsync(Samples.Group("a"));
        await RunToEndAsync(bench, first + "-2");
        await bench.WaitForStatusAsync("succeeded");
        await bench.RestartAsync();
        await bench.DesireAsync(Samples.Group("a"));

        (await bench.JobsAsync()).Count(j => j.Status == JobStatuses.Completed).ShouldBe(1);
        (await bench.JobsAsync()).ShouldAllBe(j => JobStatuses.IsTerminal(j.Status));
    }

    [Fact]
    public async Task Cancelled_ByMethodAndDesiredStill_StaysCancelledUntilTheContentIsNew()
    {
        await using var bench = await ModuleBench.StartAsync();
        await bench.DesireAsync(Samples.Group("a"));
        await bench.Hub.WaitForPostAsync(Schemas.DownloadRequest);
        var job = await bench.JobIdAsync();
        await bench.CallAsync("cancelJob", $$"""{"jobId":"{{job}}"}""", ContractsJson.Default.JobDocument);
        await bench.WaitForStatusAsync("failed");

        await bench.DesireAsync(null);
        await bench.DesireAsync(Samples.Group("a"));

        (await bench.JobsAsync()).ShouldHaveSingleItem().Error!.Code.ShouldBe(ErrorRegistry.JobCancelled.Code);
        await bench.WaitForStatusAsync("failed");
    }

    [Fact]
    public async Task HubReset_SameGroupUnderOtherVersions_StartsNothing()
    {
        await using var bench = await ModuleBench.StartAsync();
        await bench.Hub.DeliverDesiredAsync(Samples.Desired(Samples.Group()), version: 40);
        await RunToEndAsync(bench, await bench.JobIdAsync());
        await bench.WaitForStatusAsync("succeeded");

        bench.Hub.IsConnected = false;
        bench.Hub.IsConnected = true;
        await bench.Hub.DeliverDesiredAsync("{}", version: 1);
        await bench.Hub.DeliverDesiredAsync(Samples.Desired(Samples.Group()), version: 2);

        (await bench.JobsAsync()).ShouldHaveSingleItem().Status.ShouldBe(JobStatuses.Completed);
        await bench.WaitForStatusAsync("succeeded");
    }

    private static async Task<string> LatestJobAsync(ModuleBench bench) => (await bench.JobsAsync())[^1].JobId;

    private static async Task RunToEndAsync(ModuleBench bench, string jobId)
    {
        await bench.CompleteDownloadAsync(jobId);
        string submitted;
        do
        {
            submitted = (await ModuleBench.NextAsync(bench.Host.Submissions)).CommandId;
        } while (submitted != jobId);
        bench.Host.Set(jobId, HostUpdateState.Committed);
        await bench.WaitForJobAsync(jobId, JobStatuses.Completed);
    }
}
