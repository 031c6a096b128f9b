using System.Text.Json;
using EdgeDm.Contracts;
using EdgeDm.ModuleHost;
using EdgeDm.Objects;
using EdgeDm.Telemetry.Inventory;
using EdgeDm.Telemetry.Observing;
using EdgeDm.Telemetry.Tests.Support;
using EdgeDm.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeDm.Telemetry.Tests;

/// <summary>The loop under a clock of its own: what is read when, and what is told.</summary>
public sealed class ObserverTests : IAsyncDisposable
{
    private static readonly TimeSpan Sample = TimeSpan.FromSeconds(30);
    private readonly FakeTimeProvider clock = new();
    private readonly FakeModuleHub hub = new("Telemetry");
    private readonly CancellationTokenSource stop = new();
    private readonly HostOfClock host;
    private Observer? observer;
    private Task running = Task.CompletedTask;

    public ObserverTests() => host = new(clock);

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await running.ContinueWith(_ => { }, TaskScheduler.Default);
        observer?.Dispose();
        hub.Dispose();
        stop.Dispose();
    }

    [Fact]
    public async Task Run_Begin_TellsAllFirstValuesInOneNotification()
    {
        Start(Defaults());

        await PostsAsync(1);

        Told(0).ShouldBe([(DeviceObject.MemoryFree, 1_000), (DeviceObject.CurrentTime, Unix(0))]);
        hub.Posts[0]
            .ShouldSatisfyAllConditions(
                p => p.Output.ShouldBe("notifications"),
                p => p.Schema.ShouldBe("edgedm.notification.v1"),
                p => p.Kind.ShouldBe(PostKind.Thinned)
            );
    }

    [Fact]
    public async Task Run_TimeGoesOn_CurrentTimeIsToldOncePerMinPeriodAndFresh()
    {
        Start(Defaults());
        await PostsAsync(1);

        await PassAsync(TimeSpan.FromSeconds(900));

        await PostsAsync(4);
        Enumerable
            .Range(0, 4)
            .SelectMany(Told)
            .Where(v => v.Name == DeviceObject.CurrentTime)
            .Select(v => v.Value)
            .ShouldBe([Unix(0), Unix(300), Unix(600), Unix(900)]);
    }

    [Fact]
    public async Task Run_MemoryUnchanged_IsToldAgainOnlyAtMaxPeriod()
    {
        Start(One(DeviceObject.MemoryFree, 300, 900));
        await PostsAsync(1);

        await PassAsync(TimeSpan.FromSeconds(870));
        hub.Posts.Count.ShouldBe(1);
        await PassAsync(TimeSpan.FromSeconds(30));

        await PostsAsync(2);
    }

    [Fact]
    public async Task Run_ShortMinPeriod_IsReadAsOften()
    {
        Start(One(DeviceObject.CurrentTime, 5, 60));
        await PostsAsync(1);

        await PassAsync(TimeSpan.FromSeconds(20), step: TimeSpan.FromSeconds(5));

        await PostsAsync(5);
        Told(4).ShouldBe([(DeviceObject.CurrentTime, Unix(20))]);
    }

    [Fact]
    public async Task Run_HubAway_GoesOnAndLeavesThinningToTheOutbox()
    {
        Start(One(DeviceObject.MemoryFree, 30, 3600));
        await PostsAsync(1);
        hub.IsConnected = false;
        for (var i = 1; i <= 10; i++)
        {
            host.Inventory = host.Inventory with { MemoryFree = 1_000 + i };
            await PassAsync(Sample);
        }

        await PostsAsync(11);
        Told(10).ShouldBe([(DeviceObject.MemoryFree, 1_010)]);
        hub.Posts.ShouldAllBe(p => p.Kind == PostKind.Thinned && p.Series == DeviceObject.MemoryFree);
    }

    [Fact]
    public async Task Run_ResourcesToldTogether_AreOneSeriesInAnyOrder()
    {
        Start(Defaults());
        await PostsAsync(1);
        hub.Posts[0].Series.ShouldBe($"{DeviceObject.CurrentTime} {DeviceObject.MemoryFree}");
    }

    [Fact]
    public async Task Run_HostAway_TellsNothingUntilItIsBack()
    {
        Start(One(DeviceObject.MemoryFree, 30, 60));
        await PostsAsync(1);
        host.Away = true;
        await PassAsync(Sample, Sample, next: TimeSpan.FromSeconds(1));
        await BackOffAsync();
        await PassAsync(TimeSpan.FromSeconds(600));
        hub.Posts.Count.ShouldBe(1);

        host.Away = false;
        await PassAsync(Sample);

        await PostsAsync(2);
    }

    [Fact]
    public async Task Run_HostAccessLateAtTheStart_IsLookedForSoonAndNotAsked()
    {
        host.IsThere = false;
        Start(One(DeviceObject.MemoryFree, 300, 3600));
        await BackOffAsync();
        host.Reads.ShouldBe(0);

        host.IsThere = true;
        clock.Advance(Sample);
        await PostsAsync(1);

        // Away again it is looked for soon, too.
        host.IsThere = false;
        await PassAsync(Sample, Sample, next: TimeSpan.FromSeconds(1));
        await BackOffAsync();
    }

    [Fact]
    public async Task Run_HostWithoutTheResource_TellsTheOthers()
    {
        var list = Defaults();
        list[DeviceObject.SerialNumber] = list[DeviceObject.MemoryFree];
        Start(list);

        await PostsAsync(1);

        Told(0).Select(v => v.Name).ShouldBe([DeviceObject.MemoryFree, DeviceObject.CurrentTime]);
    }

    [Theory]
    [InlineData(BatteryStatuses.Normal, 0)]
    [InlineData(BatteryStatuses.Charging, 1)]
    [InlineData(BatteryStatuses.ChargeComplete, 2)]
    [InlineData(BatteryStatuses.Damaged, 3)]
    [InlineData(BatteryStatuses.Low, 4)]
    [InlineData(BatteryStatuses.NotInstalled, 5)]
    [InlineData(BatteryStatuses.Unknown, 6)]
    [InlineData("ofALaterVersion", 6)]
    public void Read_Battery_IsInLwM2MsNumbers(string status, int told)
    {
        var inventory = FakeHost.Inventory with { Battery = new(42, status) };
        InventoryResources.Read(inventory, "device/batteryLevel")!.Value.GetInt32().ShouldBe(42);
        InventoryResources.Read(inventory, "device/batteryStatus")!.Value.GetInt32().ShouldBe(told);
        InventoryResources.Read(FakeHost.Inventory, "device/batteryStatus").ShouldBeNull();
        InventoryResources.Read(inventory with { Battery = new(null, status) }, "device/batteryLevel").ShouldBeNull();
    }

    [Fact]
    public async Task Run_GreaterThanCrossed_IsToldAtTheNextReading()
    {
        Start(
            new() { [DeviceObject.MemoryFree] = new(TimeSpan.Zero, TimeSpan.FromHours(6), LessThan: 500) },
            sample: TimeSpan.FromSeconds(1)
        );
        await PostsAsync(1);

        host.Inventory = host.Inventory with { MemoryFree = 499 };
        await PassAsync(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));

        await PostsAsync(2);
    }

    [Fact]
    public async Task Replace_NewResource_IsToldAtOnceAndTheOldOneOnTime()
    {
        Start(One(DeviceObject.MemoryFree, 300, 3600));
        await PostsAsync(1);

        var list = Defaults();
        observer!.Replace(list);
        await PostsAsync(2);
        Told(1).ShouldBe([(DeviceObject.CurrentTime, Unix(0))]);

        observer.Replace(new Dictionary<string, ObserveAttributes>());
        clock.Advance(TimeSpan.FromDays(1));
        hub.Posts.Count.ShouldBe(2);
    }

    private static Dictionary<string, ObserveAttributes> Defaults() =>
        ObservationList.Default.Resources.ToDictionary(
            r => r.Resource,
            r => ObserveAttributes.DefaultOf(DeviceObject.Find(r.Resource)!)
        );

    private static Dictionary<string, ObserveAttributes> One(string resource, double min, double max) =>
        new() { [resource] = new(TimeSpan.FromSeconds(min), TimeSpan.FromSeconds(max)) };

    private static double Unix(int seconds) => FakeHost.Inventory.CurrentTime.ToUnixTimeSeconds() + seconds;

    private void Start(Dictionary<string, ObserveAttributes> list, TimeSpan? sample = null)
    {
        var options = TelemetryOptions.Default with { SampleInterval = sample ?? Sample };
        observer = new(hub, host, list, options, clock, NullLogger.Instance);
        running = Task.Run(() => observer.RunAsync(stop.Token), CancellationToken.None);
    }

    private Task<FakePost> PostsAsync(int count) => hub.WaitForPostAsync(_ => hub.Posts.Count >= count);

    /// <summary>Lets time pass in steps, each after the loop has gone to wait.</summary>
    private async Task PassAsync(TimeSpan span, TimeSpan? step = null, TimeSpan? next = null)
    {
        var each = step ?? Sample;
        for (var passed = TimeSpan.Zero; passed < span; passed += each)
        {
            await clock.WaitForTimerAsync(each);
            clock.Advance(each);
        }
        await clock.WaitForTimerAsync(next ?? each);
    }

    /// <summary>While HostAccess is away: the times between two looks for it, up to the usual one.</summary>
    private async Task BackOffAsync()
    {
        foreach (var seconds in (int[])[1, 2, 4, 8, 16])
        {
            await clock.WaitForTimerAsync(TimeSpan.FromSeconds(seconds));
            clock.Advance(TimeSpan.FromSeconds(seconds));
        }
        await clock.WaitForTimerAsync(Sample);
    }

    private List<(string Name, double Value)> Told(int post) =>
        [
            .. JsonSerializer
                .Deserialize(hub.Posts[post].Json, ContractsJson.Default.Notification)!
                .Values.Select(v => (v.Resource, v.Value.GetDouble())),
        ];

    private sealed class HostOfClock(FakeTimeProvider clock) : IInventoryReader
    {
        public HostInventory Inventory { get; set; } = FakeHost.Inventory;

        public bool Away { get; set; }

        public bool IsThere { get; set; } = true;

        public int Reads { get; private set; }

        public Task<HostInventory> ReadAsync(CancellationToken cancel)
        {
            Reads++;
            return Away
                ? throw ErrorRegistry.HostAccessUnavailable.Exception("t", "c", "Away.")
                : Task.FromResult(Inventory with { CurrentTime = clock.GetUtcNow() });
        }
    }
}
