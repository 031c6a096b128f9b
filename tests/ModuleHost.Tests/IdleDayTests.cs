using System.Text.Json.Nodes;
using EdgeDm.Testing;

namespace EdgeDm.ModuleHost.Tests;

/// <summary>What a module's hub side writes on a day on which nothing happens: flash wears.</summary>
public sealed class IdleDayTests
{
    private const long LargestDay = 5_000_000;
    private const int TokenLifetimesADay = 24;
    private const int NotificationsADay = 24 * 60 / 5;

    [Fact]
    public async Task Reconnect_WithEachToken_WritesNothing()
    {
        await using var running = new RunningModule();
        await running.StartConnectedAsync();
        running.Module.Report(Report(1));
        await running.Hub.UntilAsync(hub => hub.Reported["device"] is not null);
        var writes = new FolderWrites(running.Folder);

        for (var hour = 1; hour <= TokenLifetimesADay; hour++)
        {
            running.Hub.Drop();
            await running.Hub.UntilAsync(hub => hub.Connections > hour);
            running.Module.Report(Report(1));
        }

        writes.Look().Files.ShouldBeEmpty();
        running.Hub.Patches.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Report_OfEveryNotification_StaysBelowWhatADayMayCost()
    {
        await using var running = new RunningModule();
        await running.StartConnectedAsync();
        var writes = new FolderWrites(running.Folder);

        for (var n = 1; n <= NotificationsADay; n++)
        {
            running.Module.Report(Report(n));
            writes.Look();
        }

        writes.Files.Count.ShouldBe(NotificationsADay);
        writes.Bytes.ShouldBeLessThan(LargestDay);
    }

    [Fact]
    public async Task Post_OfEveryNotification_WritesNothingOfItsOwn()
    {
        await using var running = new RunningModule();
        await running.StartConnectedAsync();
        var writes = new FolderWrites(running.Folder);

        for (var n = 1; n <= NotificationsADay; n++)
        {
            running.Module.Post("notifications", "s", "{}"u8.ToArray(), kind: PostKind.Thinned, series: "memoryFree");
            writes.Look();
        }

        // What waits is written by time, not by message: at most once an hour.
        writes.Files.ShouldBeEmpty();
    }

    private static Dictionary<string, JsonNode?> Report(int memoryFree) =>
        new() { ["device"] = new JsonObject { ["memoryFree"] = memoryFree } };
}
