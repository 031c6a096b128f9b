using System.Globalization;
using System.Text.Json.Nodes;
using EdgeDm.EndToEnd.Tests.Kills;
using EdgeDm.Testing;

namespace EdgeDm.EndToEnd.Tests.Clock;

/// <summary>The clock of a whole gateway is set by ten years, forth or back, while an update is under way.</summary>
public sealed class ClockStepTests : IDisposable
{
    /// <summary>A message that expired in the hub's store is asked for again after a minute.</summary>
    private static readonly TimeSpan LongestEnd = TimeSpan.FromMinutes(3);

    private readonly DirectoryInfo outside = Directory.CreateTempSubdirectory("step");
    private readonly FakedClock? clock = FakedClock.Library is null ? null : new();

    private string Record => Path.Combine(outside.FullName, "record.jsonl");

    private string Go => Path.Combine(outside.FullName, "go");

    public void Dispose()
    {
        clock?.Dispose();
        outside.Delete(recursive: true);
    }

    [Theory]
    [InlineData("install", -10)]
    [InlineData("verify", 10)]
    public Task Update_ClockIsSetInAStep_EndsWellAndIsReportedOnce(string step, int years) =>
        SetClockInAsync(step, years);

    /// <summary>The other four, ten seconds each: <c>./scripts/test --campaign</c>.</summary>
    [Theory(Explicit = true)]
    [InlineData("download", -10)]
    [InlineData("download", 10)]
    [InlineData("install", 10)]
    [InlineData("verify", -10)]
    public Task Update_ClockIsSetInAnyStep_EndsWellAndIsReportedOnce(string step, int years) =>
        SetClockInAsync(step, years);

    private async Task SetClockInAsync(string step, int years)
    {
        Assert.SkipWhen(clock is null, FakedClock.Missing);
        await using var gateway = await StartAsync();
        gateway.Files.BreakAfter("/firmware.bin", 1_000_000);
        var job = await DeployAsync(gateway);

        await gateway.WaitForStepAsync(job, "download");
        await HubService.WaitAsync(() =>
            Task.FromResult(gateway.Files.Requests.Count(r => r == "/firmware.bin") > 1 ? gateway : null)
        );
        SetIf(step == "download", years);
        gateway.Files.Mend("/firmware.bin");
        await gateway.WaitForStepAsync(job, "install");
        SetIf(step == "install", years);
        await File.WriteAllTextAsync(Go, "");
        await gateway.WaitForStepAsync(job, "verify");
        SetIf(step == "verify", years);

        var group = await gateway.Service.WaitForEndAsync("w1", LongestEnd);
        ((string?)group["__meta"]!["deploymentStatus"]).ShouldBe("succeeded", gateway.Output);
        File.ReadAllLines(Path.Combine(gateway.SimulatedHost, "root", "count")).ShouldBe(["installed"]);
        // The clock was really another one.
        var ended = DateTimeOffset.Parse((string)group["__meta"]!["time"]!, CultureInfo.InvariantCulture);
        (ended - DateTimeOffset.UtcNow).TotalDays.ShouldBe(years * 365, 1);
        var cloud = new CloudRecord(Record);
        await HubService.WaitAsync(() =>
            Task.FromResult(cloud.EventsOf(job).Any(e => e.Status == "completed") ? cloud : null)
        );
        cloud.EndsOf("w1").ShouldBe(["succeeded"]);
        cloud.EventsOf(job).Count(e => e.Status == "completed").ShouldBe(1);
    }

    [Fact]
    public async Task Connect_WithAClockThatIsWrong_SaysSoAndGoesOnWhenItIsRight()
    {
        Assert.SkipWhen(clock is null, FakedClock.Missing);
        await using var gateway = await StartAsync(modulesOnly: true);
        await gateway.Service.CallAsync("queryJobs", new JsonObject());
        clock.Step(-10);

        // What is connected stays so; the reboot makes every module connect anew.
        await gateway.Service.CallAsync("StartRebootCmd", new JsonObject { ["commandId"] = "r1" });
        await HubService.WaitAsync(() =>
            Task.FromResult(
                gateway.Output.Contains("and the token holds until", StringComparison.Ordinal) ? gateway : null
            )
        );
        clock.Step(0);

        var job = await gateway.Service.WaitForJobEndAsync("r1");
        ((string?)job["status"]).ShouldBe("completed", gateway.Output);
    }

    private Task<Gateway> StartAsync(bool modulesOnly = false)
    {
        var variables = clock!.Environment;
        return Gateway.StartAsync(
            gateway =>
            {
                gateway.HubEnvironment = modulesOnly ? null : variables;
                // Long enough to set the clock while the gate holds.
                var file = Path.Combine(gateway.ConfigurationFolder, "host-access.json");
                var configuration = JsonNode.Parse(File.ReadAllText(file))!;
                configuration["health"]!["stableSeconds"] = 5;
                File.WriteAllText(file, configuration.ToJsonString());
            },
            [
                "--record",
                Record,
                .. Gateway.Modules.SelectMany(module =>
                    variables.SelectMany(v => new[] { "--set-env", $"{module}:{v.Key}={v.Value}" })
                ),
            ]
        );
    }

    private void SetIf(bool now, int years)
    {
        if (now)
        {
            clock!.Step(years);
        }
    }

    private async Task<string> DeployAsync(Gateway gateway)
    {
        var script = UpdatePublisher.GoodScript.Replace(
            "install) mkdir",
            $"install) while [ ! -e '{Go}' ]; do sleep 0.1; done; mkdir",
            StringComparison.Ordinal
        );
        await gateway.DeployAsync("2.0.0", "w1", script);
        return await gateway.WaitForJobAsync();
    }
}
