using System.Text.Json.Nodes;
using EdgeDm.Contracts;
using EdgeDm.Testing;

namespace EdgeDm.DeviceManagement.Tests;

/// <summary>What the module writes and reports on a day on which nothing happens: flash wears, and a patch costs a message.</summary>
public sealed class IdleDayTests
{
    private const int HoursADay = 24;

    [Fact]
    public async Task Reconnect_WithAPendingAndAFailedGroup_WritesAndReportsNothingNew()
    {
        await using var bench = await ModuleBench.StartAsync();
        var desired = new JsonObject
        {
            ["frimwareUpdate"] = new JsonObject(),
            ["firmwareUpdate"] = Samples.Group(),
        }.ToJsonString();
        await bench.Hub.DeliverDesiredAsync(desired, version: 7);
        await bench.Hub.WaitForPostAsync(Schemas.DownloadRequest);
        await bench.Hub.WaitForReportedAsync(r => (string?)r["firmwareUpdate"]?["step"] == "download");
        var reported = bench.Hub.Reported.ToJsonString();
        var writes = new FolderWrites(Path.GetDirectoryName(bench.JobsFolder)!);

        for (var hour = 0; hour < HoursADay; hour++)
        {
            bench.Hub.IsConnected = false;
            bench.Hub.IsConnected = true;
            await bench.Hub.DeliverDesiredAsync(desired, version: 7);
        }

        writes.Look().Files.ShouldBeEmpty();
        bench.Hub.Reported.ToJsonString().ShouldBe(reported);
    }

    [Fact]
    public async Task Run_OneDayOfNotifications_WritesNothingOfItsOwn()
    {
        var time = new FakeTimeProvider();
        await using var bench = await ModuleBench.StartAsync(new() { Time = time });
        await bench.Hub.DeliverDesiredAsync("{}", version: 1);
        var writes = new FolderWrites(Path.GetDirectoryName(bench.JobsFolder)!);

        for (var hour = 0; hour < HoursADay; hour++)
        {
            await bench.Hub.DeliverInputAsync(
                Routes.Notifications,
                Schemas.Notification,
                $$"""{"values":[{"resource":"device/memoryFree","value":{{hour}},"time":"2026-01-01T00:00:00Z"}]}"""
            );
            time.Advance(TimeSpan.FromHours(1));
        }

        writes.Look().Files.ShouldBeEmpty();
        bench.Hub.Dropped.ShouldBeEmpty();
        bench.Hub.Posts.ShouldBeEmpty();
    }
}
