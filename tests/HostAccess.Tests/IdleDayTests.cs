using EdgeDm.Contracts;
using EdgeDm.HostAccess.Tests.Support;
using EdgeDm.Testing;

namespace EdgeDm.HostAccess.Tests;

/// <summary>What HostAccess writes on a day on which nothing happens: flash wears.</summary>
public sealed class IdleDayTests
{
    private const int ReadingsADay = 24 * 60 / 5;

    [Fact]
    public async Task Run_OneDayOfReadings_WritesNothing()
    {
        var time = new FakeTimeProvider();
        await using var gateway = await new TestGateway { Time = time }.StartAsync();
        (await gateway.Inventory.GetAsync(HostApi.Inventory)).EnsureSuccessStatusCode();
        var writes = new FolderWrites(gateway.Data, Path.GetDirectoryName(gateway.HostRoot)!);

        for (var n = 0; n < ReadingsADay; n++)
        {
            (await gateway.Inventory.GetAsync(HostApi.Inventory)).EnsureSuccessStatusCode();
            time.Advance(TimeSpan.FromMinutes(5));
        }

        writes.Look().Files.ShouldBeEmpty();
    }
}
