using EdgeDm.FirmwareDownload.Tests.Support;
using EdgeDm.Testing;

namespace EdgeDm.FirmwareDownload.Tests;

/// <summary>What the module writes on a day on which nothing happens: flash wears.</summary>
public sealed class IdleDayTests
{
    private const int HoursADay = 24;

    [Fact]
    public async Task Run_OneDayAfterADownload_WritesNothing()
    {
        var time = new FakeTimeProvider();
        var content = TestFiles.Make(100_000);
        await using var server = await FileServer.StartAsync(content);
        await using var bed = new DownloadBed(time: time);
        await bed.CompleteAsync(DownloadBed.Request(DownloadBed.File(content, server.Url)));
        var writes = new FolderWrites(bed.Data, bed.Store);

        for (var hour = 0; hour < HoursADay; hour++)
        {
            bed.Hub.IsConnected = false;
            bed.Hub.IsConnected = true;
            time.Advance(TimeSpan.FromHours(1));
        }

        writes.Look().Files.ShouldBeEmpty();
        bed.Stored(content).ShouldNotBeNull();
    }
}
