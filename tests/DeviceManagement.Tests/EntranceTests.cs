using System.Text.Json.Nodes;
using EdgeDm.Contracts;
using EdgeDm.Testing;

namespace EdgeDm.DeviceManagement.Tests;

/// <summary>Several entrances, and a cancellation, at the same time.</summary>
public sealed class EntranceTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task GroupAndMethod_SameContent_MakeOneJob(bool groupFirst)
    {
        await using var bench = await ModuleBench.StartAsync();
        var id = await IdOfAsync(Samples.Group());

        if (groupFirst)
        {
            await bench.DesireAsync(Samples.Group());
            await CreateAsync(bench, id, Samples.Group());
        }
        else
        {
            await CreateAsync(bench, id, Samples.Group());
            await bench.DesireAsync(Samples.Group());
        }
        await bench.CompleteDownloadAsync();
        bench.Host.Set((await ModuleBench.NextAsync(bench.Host.Submissions)).CommandId, HostUpdateState.Committed);
        await bench.WaitForStatusAsync("succeeded");

        (await bench.JobsAsync()).ShouldHaveSingleItem().JobId.ShouldBe(id);
        bench.Host.Submissions.ShouldBeEmpty();
    }

    [Fact]
    public async Task GroupAndMethods_AtOnce_MakeOneJob()
    {
        await using var bench = await ModuleBench.StartAsync();
        var id = await IdOfAsync(Samples.Group());

        await Task.WhenAll(
            Enumerable
                .Range(0, 8)
                .Select(i =>
                    Task.Run(() =>
                        i % 2 == 0 ? bench.DesireAsync(Samples.Group()) : CreateAsync(bench, id, Samples.Group())
                    )
                )
        );

        (await bench.JobsAsync()).ShouldHaveSingleItem().JobId.ShouldBe(id);
    }

    [Fact]
    public async Task CreateJob_IdOfTheGroupsJobAndOtherContent_Is409AndTheGroupGoesOn()
    {
        await using var bench = await ModuleBench.StartAsync();
        await bench.DesireAsync(Samples.Group());
        var id = await bench.JobIdAsync();

        var (status, error) = await bench.RefusedAsync("createJob", Request(id, Samples.Group("other")));

        status.ShouldBe(409);
        error.Name.ShouldBe("jobConflict");
        await bench.CompleteDownloadAsync();
        (await ModuleBench.NextAsync(bench.Host.Submissions)).CommandId.ShouldBe(id);
    }

    [Fact]
    public async Task Desired_WhoseJobIdHasOtherContent_FailsSayingSo()
    {
        await using var bench = await ModuleBench.StartAsync();
        var id = await IdOfAsync(Samples.Group());
        await CreateAsync(bench, id, Samples.Group("other"));

        await bench.DesireAsync(Samples.Group());
        var reported = await bench.WaitForStatusAsync("failed");
        await bench.RestartAsync();
        await bench.DesireAsync(Samples.Group());

        ErrorOf(reported).ShouldBe(ErrorRegistry.JobConflict.Code);
        ErrorOf(await bench.WaitForStatusAsync("failed")).ShouldBe(ErrorRegistry.JobConflict.Code);
    }

    [Fact]
    public async Task CreateJob_FreshAddresses_GoOnWithTheSameJob()
    {
        await using var bench = await ModuleBench.StartAsync();
        await CreateAsync(bench, "x", Samples.Group(url: "http://127.0.0.1:1/f?sig=old"));
        await bench.Hub.WaitForPostAsync(p => p.Json.Contains("sig=old"));

        await CreateAsync(bench, "x", Samples.Group(url: "http://127.0.0.1:1/f?sig=new"));

        await bench.Hub.WaitForPostAsync(p => p.Schema == Schemas.DownloadRequest && p.Json.Contains("sig=new"));
    }

    [Fact]
    public async Task Removed_GroupThatJoinedAMethodsJob_LeavesItToItsCaller()
    {
        await using var bench = await ModuleBench.StartAsync();
        await CreateAsync(bench, "x", Samples.Group());
        await bench.DesireAsync(Samples.Group());
        await bench.WaitForStatusAsync("pending");

        await bench.DesireAsync(null);

        bench.Hub.Reported.ContainsKey("firmwareUpdate").ShouldBeFalse();
        await bench.CompleteDownloadAsync();
        (await ModuleBench.NextAsync(bench.Host.Submissions)).CommandId.ShouldBe("x");
    }

    [Theory]
    [InlineData(false, JobStatuses.Cancelled)]
    [InlineData(true, JobStatuses.Completed)]
    public async Task Cancel_MeetsTheSubmissionOnItsWay_EndsAsTheHostSays(bool tooLate, string end)
    {
        await using var bench = await ModuleBench.StartAsync();
        bench.Host.RefusesCancel = tooLate;
        var arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        bench.Host.BeforeSubmission = () =>
        {
            arrived.TrySetResult();
            return goOn.Task;
        };
        await CreateAsync(bench, "x", Samples.Group());
        await bench.CompleteDownloadAsync();
        await arrived.Task.WaitAsync(ModuleBench.Patience);

        await bench.CallAsync("cancelJob", """{"jobId":"x"}""", ContractsJson.Default.JobDocument);
        goOn.SetResult();
        if (tooLate)
        {
            await ModuleBench.NextAsync(bench.Host.Submissions);
            bench.Host.Set("x", HostUpdateState.Verifying);
            await ModuleBench.NextAsync(bench.Host.Evidence);
            bench.Host.Set("x", HostUpdateState.Committed);
        }

        await bench.WaitForJobAsync("x", end);
    }

    [Fact]
    public async Task Restart_CancelledBeforeTheHostAnswered_AsksTheHostWhetherItHasTheUpdate()
    {
        await using var bench = await ModuleBench.StartAsync();
        var arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        bench.Host.BeforeSubmission = () =>
        {
            arrived.TrySetResult();
            return Task.Delay(Timeout.Infinite, CancellationToken.None);
        };
        await CreateAsync(bench, "x", Samples.Group());
        await bench.CompleteDownloadAsync();
        await arrived.Task.WaitAsync(ModuleBench.Patience);
        await bench.CallAsync("cancelJob", """{"jobId":"x"}""", ContractsJson.Default.JobDocument);

        await bench.RestartAsync();

        await bench.WaitForJobAsync("x", JobStatuses.Cancelled);
        bench.Host.Submissions.ShouldBeEmpty();
    }

    [Fact]
    public async Task Timeout_WhenTheHostHasBegun_LeavesTheHostItsTime()
    {
        var time = new FakeTimeProvider();
        await using var bench = await ModuleBench.StartAsync(new() { Time = time });
        await CreateAsync(bench, "x", Samples.Group());
        await bench.CompleteDownloadAsync();
        await ModuleBench.NextAsync(bench.Host.Submissions);

        time.Advance(TimeSpan.FromHours(1));
        bench.Host.Set("x", HostUpdateState.Verifying);
        await ModuleBench.NextAsync(bench.Host.Evidence);
        bench.Host.Set("x", HostUpdateState.Committed);

        await bench.WaitForJobAsync("x", JobStatuses.Completed);
    }

    [Fact]
    public async Task Commands_SameMessageAgain_ActsOnce()
    {
        await using var bench = await ModuleBench.StartAsync(new() { CommandSenders = ["Panel"] });
        const string Reboot = """{"jobId":"r","type":"rebootDevice"}""";

        for (var i = 0; i < 2; i++)
        {
            await bench.Hub.DeliverInputAsync(Routes.Commands, Schemas.JobRequest, Reboot, "m1", "gateway/Panel");
        }
        // The sender asks again under another id, having lost the answer.
        await bench.Hub.DeliverInputAsync(Routes.Commands, Schemas.JobRequest, Reboot, "m2", "gateway/Panel");

        (await ModuleBench.NextAsync(bench.Host.RebootRequests)).CommandId.ShouldBe("r");
        (await bench.JobsAsync()).ShouldHaveSingleItem();
        bench.Hub.Posts.Count(p => p.Schema == Schemas.JobResult).ShouldBe(2);
    }

    private static int? ErrorOf(JsonObject reported) =>
        (int?)reported["firmwareUpdate"]!["__errors"]!["firmwareUpdate"]!["code"];

    private static Task<JobDocument> CreateAsync(ModuleBench bench, string id, JsonObject group) =>
        bench.CallAsync("createJob", Request(id, group), ContractsJson.Default.JobDocument);

    private static string Request(string id, JsonObject group) =>
        new JsonObject
        {
            ["jobId"] = id,
            ["type"] = JobTypes.FirmwareUpdate,
            ["payload"] = group.DeepClone(),
        }.ToJsonString();

    /// <summary>The id of the job that a group makes.</summary>
    private static async Task<string> IdOfAsync(JsonObject group)
    {
        await using var bench = await ModuleBench.StartAsync();
        await bench.DesireAsync(group);
        return await bench.JobIdAsync();
    }
}
