using System.Text.Json.Nodes;

namespace EdgeDm.EndToEnd.Tests;

/// <summary>What comes again, acts once.</summary>
public sealed class ReplayTests
{
    [Fact]
    public async Task Desired_AgainAfterReconnectKillAndHubReset_StartsNothing()
    {
        await using var gateway = await Gateway.StartAsync();
        var group = await gateway.DeployAsync("2.0.0", "w1");
        var first = await gateway.Service.WaitForEndAsync("w1");

        await gateway.StopHubAsync(kill: true); // The hub and all modules; a new connection each.
        await gateway.StartHubAsync();
        await gateway.KillModulesAsync();
        var afterKill = await gateway.Service.WaitForEndAsync("w1");
        var jobsAfterKill = await JobsAsync(gateway);
        await gateway.StopHubAsync();
        gateway.ForgetHub();
        await gateway.StartHubAsync();
        await gateway.Service.DesireAsync(new() { ["firmwareUpdate"] = group.DeepClone() });
        var afterReset = await gateway.Service.WaitForEndAsync("w1");
        var jobs = await JobsAsync(gateway);

        ((string?)first["__meta"]!["deploymentStatus"]).ShouldBe("succeeded", gateway.Output);
        JsonNode.DeepEquals(afterKill, first).ShouldBeTrue(afterKill.ToJsonString());
        // The hub that knew nothing took the group away first, so its status has a new time.
        afterReset["__meta"]!["time"] = first["__meta"]!["time"]!.DeepClone();
        JsonNode.DeepEquals(afterReset, first).ShouldBeTrue(afterReset.ToJsonString());
        jobsAfterKill.Count.ShouldBe(1);
        JsonNode.DeepEquals(jobs, jobsAfterKill).ShouldBeTrue(jobs.ToJsonString());
        File.ReadAllLines(Path.Combine(gateway.SimulatedHost, "root", "count")).ShouldBe(["installed"]);
        gateway.Files.Requests.Count(r => r == "/firmware.bin").ShouldBe(1);
    }

    [Fact]
    public async Task CreateJob_WhileTheGroupsJobRuns_FindsItOrConflicts()
    {
        await using var gateway = await Gateway.StartAsync();
        gateway.Files.BreakAfter("/firmware.bin", 1_000_000);
        var group = await gateway.DeployAsync("2.0.0", "w1");
        var reported = await gateway.Service.WaitForReportedAsync(r => r["firmwareUpdate"]?["jobId"] is not null);
        var id = (string)reported["firmwareUpdate"]!["jobId"]!;

        var same = await Task.WhenAll(CreateAsync(gateway, id, group), CreateAsync(gateway, id, group));
        var other = group.DeepClone().AsObject();
        other["workflow"] = new JsonObject { ["id"] = "w2" };
        var (conflict, error) = await CreateAsync(gateway, id, other);
        gateway.Files.Mend("/firmware.bin");
        var end = await gateway.Service.WaitForEndAsync("w1");

        same.ShouldAllBe(answer => answer.Status == 200);
        conflict.ShouldBe(409);
        ((string?)error!["parameters"]!["name"]).ShouldBe("jobConflict");
        ((string?)end["__meta"]!["deploymentStatus"]).ShouldBe("succeeded", gateway.Output);
        (await JobsAsync(gateway)).Count.ShouldBe(1);
        File.ReadAllLines(Path.Combine(gateway.SimulatedHost, "root", "count")).ShouldBe(["installed"]);
    }

    [Fact]
    public async Task Desired_RemovedAndChangedWhileDownloading_TheLatestIsInstalled()
    {
        await using var gateway = await Gateway.StartAsync();
        gateway.Files.BreakAfter("/firmware.bin", 1_000_000);
        var group = await gateway.DeployAsync("2.0.0", "w1");
        await gateway.Service.WaitForReportedAsync(r => (string?)r["firmwareUpdate"]?["state"] == "downloading");

        await gateway.Service.DesireAsync(new() { ["firmwareUpdate"] = null });
        await gateway.Service.WaitForReportedAsync(r => r["firmwareUpdate"] is null);
        await gateway.Service.DesireAsync(new() { ["firmwareUpdate"] = group.DeepClone() });
        await gateway.Service.WaitForReportedAsync(r => (string?)r["firmwareUpdate"]?["state"] == "downloading");
        var last = group.DeepClone().AsObject();
        last["workflow"] = new JsonObject { ["id"] = "w2" };
        last["__meta"] = new JsonObject { ["deploymentId"] = "w2" };
        await gateway.Service.DesireAsync(new() { ["firmwareUpdate"] = last });
        gateway.Files.Mend("/firmware.bin");
        var end = await gateway.Service.WaitForEndAsync("w2");

        ((string?)end["__meta"]!["deploymentStatus"]).ShouldBe("succeeded", gateway.Output);
        (await JobsAsync(gateway))
            .Select(job => (string?)job!["status"])
            .ShouldBe(["completed", "cancelled", "cancelled"], gateway.Output);
        File.ReadAllLines(Path.Combine(gateway.SimulatedHost, "root", "count")).ShouldBe(["installed"]);
    }

    [Fact]
    public async Task StartRebootCmd_RepeatedWithItsCommandId_RebootsOnce()
    {
        await using var gateway = await Gateway.StartAsync();
        var command = new JsonObject { ["commandId"] = "r1" };

        var answers = await Task.WhenAll(
            Enumerable.Range(0, 3).Select(_ => gateway.Service.CallAsync("StartRebootCmd", command))
        );
        await gateway.Service.WaitForJobEndAsync("r1");
        var (_, again) = await gateway.Service.CallAsync("StartRebootCmd", command);

        answers.ShouldAllBe(answer => answer.Status == 200);
        ((string?)again!["status"]).ShouldBe("completed", gateway.Output);
        gateway
            .Output.Split('\n')
            .Count(line => line.Contains("The host is up again", StringComparison.Ordinal))
            .ShouldBe(1, gateway.Output);
    }

    private static Task<(int Status, JsonNode? Payload)> CreateAsync(Gateway gateway, string id, JsonObject group)
    {
        var payload = group.DeepClone().AsObject();
        payload.Remove("__meta");
        return gateway.Service.CallAsync(
            "createJob",
            new JsonObject
            {
                ["jobId"] = id,
                ["type"] = "firmwareUpdate",
                ["payload"] = payload,
            }
        );
    }

    private static async Task<JsonArray> JobsAsync(Gateway gateway)
    {
        var (_, jobs) = await gateway.Service.CallAsync("queryJobs", new JsonObject());
        return jobs!["jobs"]!.AsArray();
    }
}
