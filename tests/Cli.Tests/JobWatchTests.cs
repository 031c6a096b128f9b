using System.Runtime.Versioning;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace EdgeDm.Cli.Tests;

public sealed partial class JobWatchTests : IAsyncLifetime
{
    private FakeHub hub = null!;

    public async ValueTask InitializeAsync() => hub = await FakeHub.StartAsync();

    public ValueTask DisposeAsync() => hub.DisposeAsync();

    [Fact]
    public async Task Watch_ThroughARestart_WritesOneLinePerChange()
    {
        hub.OnMethod("getJob", 200, Documents.Job("enqueued"))
            .OnMethod("getJob", 200, Documents.Job("running", "download", 40))
            .OnMethod("getJob", 200, Documents.Job("running", "download", 41))
            .OnMethod("getJob", 200, Documents.Job("running", "download", 50))
            .OnMethod("getJob", 200, Documents.Job("running", "install"))
            .OnMethodAway("getJob")
            .OnMethodAway("getJob")
            .OnMethod("getJob", 200, Documents.Job("running", "verify", 90))
            .OnMethod("getJob", 200, Documents.CompletedJob);

        var result = await WatchAsync("fw-1");

        result.ShouldExitWith(0).Error.ShouldBeEmpty();
        ClockTime()
            .Replace(result.Output, "hh:mm:ssZ")
            .ReplaceLineEndings("\n")
            .ShouldBe(
                """
                hh:mm:ssZ  fw-1  enqueued
                hh:mm:ssZ  fw-1  running  download  40 %  (32.0 MiB of 64.0 MiB)
                hh:mm:ssZ  fw-1  running  download  50 %  (32.0 MiB of 64.0 MiB)
                hh:mm:ssZ  fw-1  running  install  0 %
                hh:mm:ssZ  away: The module is not connected to the hub. Wait until the gateway is up, or check its link and its modules.
                hh:mm:ssZ  back
                hh:mm:ssZ  fw-1  running  verify  90 %
                hh:mm:ssZ  fw-1  completed
                job       fw-1  firmwareUpdate  completed
                source    twin:firmwareUpdate
                update    {"provider":"Contoso","name":"Gateway","version":"2.0.0"}
                created   2026-01-31T12:00:00Z
                ended     2026-01-31T12:00:41Z
                bytes     67108864 fetched, 0 reused, 67108864 in total
                step      check     2026-01-31T12:00:01Z  2026-01-31T12:00:01Z  0.5 s
                step      install   2026-01-31T12:00:10Z  2026-01-31T12:00:40Z  30.0 s  (begun 2 times)

                """
            );
    }

    [Fact]
    public async Task Watch_Json_WritesOneDocumentPerChange()
    {
        hub.OnMethod("getJob", 200, Documents.Job("running", "download", 40))
            .On("getJob()", 503, "busy")
            .OnMethod("getJob", 200, Documents.CompletedJob);

        var result = await WatchAsync("fw-1", "--json");

        var lines = result
            .ShouldExitWith(0)
            .Output.TrimEnd()
            .Split('\n')
            .Select(line => JsonNode.Parse(line)!)
            .ToList();
        lines.ShouldAllBe(line => line["time"] != null);
        lines[0]["percent"]!.GetValue<int>().ShouldBe(40);
        lines[1]["away"]!.GetValue<string>().ShouldContain("503");
        lines[2]["back"]!.GetValue<bool>().ShouldBeTrue();
        lines[3]["status"]!.GetValue<string>().ShouldBe("completed");
        lines[3]["job"]!["steps"]!.AsArray().Count.ShouldBe(2);
        lines.Count.ShouldBe(4);
    }

    [Theory]
    [InlineData("failed", 5)]
    [InlineData("cancelled", 6)]
    public async Task Watch_JobThatDoesNotComplete_ExitsByItsOutcome(string status, int exitCode)
    {
        hub.OnMethod("getJob", 200, Documents.Job(status, "check", more: $",\"error\":{Documents.Error}"));
        var result = await WatchAsync("fw-1");
        result
            .ShouldExitWith(exitCode)
            .Output.ShouldContain("error     4004 unknownRoot (HostAccess, updateManifest): Unknown root.");
    }

    [Fact]
    public async Task Watch_NotEndedInTime_ExitsWith4()
    {
        hub.OnMethod("getJob", 200, Documents.Job("running", "install"));
        (await WatchAsync("fw-1", "--timeout", "1")).ShouldExitWith(4).Error.ShouldContain("job watch");
    }

    [Fact]
    public async Task Watch_AwayForTooLong_ExitsWith3()
    {
        hub.OnMethodAway("getJob");
        (await WatchAsync("fw-1", "--away", "0")).ShouldExitWith(3).Error.ShouldContain("Away for more than 0 s");
    }

    [Fact]
    public async Task Watch_UnknownJob_IsRefused()
    {
        hub.OnMethod(
            "getJob",
            404,
            """{"subsystem":"DeviceManagement","context":"jobId","code":2000,"message":"No such job.","parameters":{"name":"jobNotFound"}}"""
        );
        (await WatchAsync("fw-9")).ShouldExitWith(1).Error.ShouldContain("No such job. [2000 jobNotFound, jobId]");
    }

    [Fact]
    public async Task Watch_NoId_FollowsTheDesiredUpdateByTwinAndJob()
    {
        // The gateway first reports the label with the job of the deployment before, still pending.
        var twin = $"GET {FakeHub.Twin}";
        hub.On(twin, 200, Documents.FirmwareTwin("new", "old", "succeeded", "fw-0"))
            .On(twin, 200, Documents.FirmwareTwin("new", "old", "succeeded", "fw-0"))
            .On(twin, 200, Documents.FirmwareTwin("new", "new", "pending", "fw-0"))
            .On(twin, 200, Documents.FirmwareTwin("new", "new", "pending", "fw-1"))
            .On(twin, 200, Documents.FirmwareTwin("new", "new", "pending", "fw-1"))
            .On(twin, 200, Documents.FirmwareTwin("new", "new", "succeeded", "fw-1"));
        hub.OnMethod("getJob", 200, Documents.Job("completed", "verify", 100, "fw-0"))
            .OnMethod("getJob", 200, Documents.Job("running", "download", 40))
            .OnMethodAway("getJob")
            .OnMethod("getJob", 200, Documents.CompletedJob);

        var result = await WatchAsync();

        ClockTime()
            .Replace(result.ShouldExitWith(0).Output, "hh:mm:ssZ")
            .ReplaceLineEndings("\n")
            .ShouldStartWith(
                """
                hh:mm:ssZ  waiting for the gateway to take up the deployment
                hh:mm:ssZ  fw-1  running  download  40 %  (32.0 MiB of 64.0 MiB)
                hh:mm:ssZ  away: The module is not connected to the hub. Wait until the gateway is up, or check its link and its modules.
                hh:mm:ssZ  fw-1  running  install  40 %
                hh:mm:ssZ  back
                hh:mm:ssZ  fw-1  completed
                job       fw-1
                """
            );
    }

    [Fact]
    public async Task Watch_NoId_GatewayGoneAfterItsReport_BelievesTheTwin()
    {
        hub.On(
            $"GET {FakeHub.Twin}",
            200,
            Documents.FirmwareTwin("a", "a", "failed", "fw-1", $",\"__errors\":{{\"check\":{Documents.Error}}}")
        );
        hub.OnMethodAway("getJob");
        (await WatchAsync()).ShouldExitWith(5).Output.ShouldContain("4004 unknownRoot");
    }

    [Fact]
    public async Task Watch_NoId_RefusedBeforeThereWasAJob_Fails()
    {
        hub.On(
            $"GET {FakeHub.Twin}",
            200,
            Documents.FirmwareTwin("a", "a", "failed", null, $",\"__errors\":{{\"check\":{Documents.Error}}}")
        );
        (await WatchAsync()).ShouldExitWith(5).Output.ShouldContain("firmwareUpdate  failed");
    }

    [Fact]
    public async Task Watch_NoIdAndNoUpdate_FollowsTheNewestJob()
    {
        hub.On($"GET {FakeHub.Twin}", 200, Documents.Twin())
            .OnMethod("queryJobs", 200, $$"""{"jobs":[{{Documents.Job("running", id: "reboot-1")}}]}""")
            .OnMethod("getJob", 200, Documents.CompletedJob);
        (await WatchAsync()).ShouldExitWith(0);
        hub.Requests.Last().Json["payload"]!["jobId"]!.GetValue<string>().ShouldBe("reboot-1");
    }

    [Fact]
    public async Task Watch_NothingThere_SaysSo()
    {
        hub.On($"GET {FakeHub.Twin}", 200, Documents.Twin()).OnMethod("queryJobs", 200, """{"jobs":[]}""");
        (await WatchAsync()).ShouldExitWith(1).Error.ShouldContain("nothing to watch");
    }

    [Theory]
    [InlineData("--interval", "0")]
    [InlineData("--timeout", "90000")]
    [InlineData("--away", "-1")]
    public async Task Watch_LimitOutOfRange_IsWrongUsage(string option, string value) =>
        (await hub.RunAsync("job", "watch", option, value)).ShouldExitWith(2).Error.ShouldContain(option);

    [Fact]
    [UnsupportedOSPlatform("windows")]
    public async Task Watch_Interrupted_ExitsWith130()
    {
        hub.OnMethod("getJob", 200, Documents.Job("running", "install"));
        var result = await EdgeDmProcess.InterruptAsync(
            hub.Environment,
            () => Task.CompletedTask,
            "job",
            "watch",
            "fw-1"
        );
        result.ShouldExitWith(130).Error.ShouldBeEmpty();
    }

    private Task<EdgeDmResult> WatchAsync(params string[] args) =>
        hub.RunAsync(["job", "watch", "--interval", "0.1", .. args]);

    [GeneratedRegex(@"^\d\d:\d\d:\d\dZ(?=  )", RegexOptions.Multiline, 1000)]
    private static partial Regex ClockTime();
}
