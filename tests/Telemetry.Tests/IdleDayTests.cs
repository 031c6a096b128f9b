using EdgeDm.Contracts;
using EdgeDm.Telemetry.Tests.Support;
using EdgeDm.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeDm.Telemetry.Tests;

/// <summary>What the module itself writes on a day on which nothing happens: flash wears. Its notifications are the outbox's.</summary>
public sealed class IdleDayTests
{
    private const int HoursADay = 24;

    private static readonly TimeSpan Step = TelemetryOptions.Default.SampleInterval;

    [Fact]
    public async Task Run_OneDayOfTheDefaultList_WritesNothing()
    {
        var data = Directory.CreateTempSubdirectory("edgedm-telemetry-").FullName;
        var time = new FakeTimeProvider();
        await using var host = new FakeHost();
        host.Answer = http =>
            FakeHost.WriteAsync(
                http,
                FakeHost.Inventory with
                {
                    CurrentTime = time.GetUtcNow(),
                    MemoryFree = Hour(time),
                }
            );
        await host.StartAsync();
        using var hub = new FakeModuleHub("Telemetry");
        var options = TelemetryOptions.Default with { InventoryEndpoint = host.Endpoint };
        using var module = new TelemetryModule(hub, data, options, "1.2.3", time, NullLoggerFactory.Instance);
        var writes = new FolderWrites(data);
        using var stop = new CancellationTokenSource();
        var running = Task.Run(() => module.RunAsync(stop.Token));

        for (var hour = 0; hour < HoursADay; hour++)
        {
            for (var passed = TimeSpan.Zero; passed < TimeSpan.FromHours(1); passed += Step)
            {
                await time.WaitForTimerAsync(Step); // The module has gone to wait.
                time.Advance(Step);
            }
            hub.IsConnected = false;
            hub.IsConnected = true;
        }
        await time.WaitForTimerAsync(Step);
        hub.Posts.Count(p => p.Schema == Schemas.Notification).ShouldBeGreaterThan(HoursADay);
        await stop.CancelAsync();
        await running.ContinueWith(_ => { }, TaskScheduler.Default);

        writes.Look().Files.ShouldBeEmpty();
        Directory.Delete(data, recursive: true);
    }

    private static long Hour(FakeTimeProvider time) => time.GetUtcNow().Ticks / TimeSpan.TicksPerHour;
}
