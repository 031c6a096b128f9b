using EdgeDm.Contracts;
using EdgeDm.Hosting;
using EdgeDm.Objects;
using EdgeDm.Telemetry.Tests.Support;
using EdgeDm.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeDm.Telemetry.Tests;

/// <summary>The whole module over a real socket: messages in, messages out, what it remembers.</summary>
public sealed class TelemetryModuleTests : IAsyncLifetime
{
    private readonly string data = Directory.CreateTempSubdirectory("edgedm-telemetry-").FullName;
    private readonly FakeHost host = new();
    private FakeModuleHub hub = new("Telemetry");
    private TelemetryModule? module;
    private CancellationTokenSource stop = new();
    private Task running = Task.CompletedTask;

    public async ValueTask InitializeAsync()
    {
        await host.StartAsync();
        Start();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await host.DisposeAsync();
        Directory.Delete(data, recursive: true);
    }

    [Fact]
    public async Task Run_NoListYet_ObservesTheDefault()
    {
        var resources = await ToldAsync();

        resources.ShouldBe([DeviceObject.MemoryFree, DeviceObject.CurrentTime]);
    }

    [Fact]
    public async Task Observations_NewList_IsObservedAndRemembered()
    {
        await ToldAsync();

        await SendAsync("""{"resources":[{"resource":"/3/0/21","minPeriodSeconds":0},{"resource":"Manufacturer"}]}""");
        await hub.WaitForPostAsync(p =>
            p.Json.Contains("device/memoryTotal") && p.Json.Contains("device/manufacturer")
        );
        await StopAsync();
        hub = new("Telemetry");
        Start();

        (await ToldAsync()).ShouldBe([DeviceObject.MemoryTotal, DeviceObject.Manufacturer]);
    }

    [Fact]
    public async Task Observations_UnknownResource_TheOthersAreObserved()
    {
        await ToldAsync();

        await SendAsync("""{"resources":[{"resource":"device/moonPhase"},{"resource":"device/timezone"}]}""");

        await hub.WaitForPostAsync(p => p.Json.Contains("device/timezone"));
        hub.Dropped.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("""{"resources":[{"resource":"device/timezone","minPeriodSeconds":-1}]}""")]
    [InlineData("""{"resources":[{"resource":"device/timezone","step":1}]}""")]
    [InlineData("""{"resources":null}""")]
    [InlineData("null")]
    [InlineData("{")]
    [InlineData("{}")]
    public async Task Observations_Wrong_AreDroppedAndNothingChanges(string json)
    {
        await ToldAsync();

        await SendAsync(json);

        hub.Dropped.Count.ShouldBe(1);
        Directory.GetFiles(data).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(256, true)]
    [InlineData(257, false)]
    public async Task Observations_Many_AreTakenUpToTheBound(int count, bool taken)
    {
        await ToldAsync();

        await SendAsync(
            $$"""{"resources":[{{string.Join(',', Enumerable.Repeat("{\"resource\":\"device/timezone\"}", count))}}]}"""
        );

        hub.Dropped.Count.ShouldBe(taken ? 0 : 1);
    }

    [Fact]
    public async Task Start_KeptListIsOutOfRange_ObservesTheDefault()
    {
        await StopAsync();
        await File.WriteAllTextAsync(
            Path.Combine(data, "observations.json"),
            """{"format":1,"value":{"resources":[{"resource":"device/timezone","maxPeriodSeconds":0}]}}"""
        );
        hub = new("Telemetry");
        Start();

        (await ToldAsync()).ShouldBe([DeviceObject.MemoryFree, DeviceObject.CurrentTime]);
    }

    [Fact]
    public async Task Ping_AtItsInput_IsAnsweredAtItsOutput()
    {
        await hub.DeliverInputAsync(Routes.Observations, Schemas.Ping, """{"pingId":"p1"}""");

        var pong = await hub.WaitForPostAsync(Schemas.Pong);
        (pong.Output, pong.IsVolatile).ShouldBe((Routes.Notifications, true));
        pong.Json.ShouldBe("""{"pingId":"p1","module":"Telemetry","version":"1.2.3"}""");
    }

    [Fact]
    public async Task Input_UnknownSchema_IsDropped()
    {
        await hub.DeliverInputAsync(Routes.Observations, "edgedm.other.v1", "{}");

        hub.Dropped.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Run_HostAccessStartsLater_TellsThen()
    {
        await StopAsync();
        await host.StopAsync();
        hub = new("Telemetry");
        Start(sampleSeconds: 1);

        await host.StartAsync();

        (await ToldAsync()).ShouldBe([DeviceObject.MemoryFree, DeviceObject.CurrentTime]);
    }

    [Fact]
    public void Options_FromEnvironment_AreRead()
    {
        var options = From(
            ("EDGEDM_INVENTORY_ENDPOINT", "unix:/x"),
            ("EDGEDM_OBSERVE_MIN_SECONDS", "1"),
            ("EDGEDM_OBSERVE_MAX_SECONDS", "2"),
            ("EDGEDM_SAMPLE_SECONDS", "1")
        );

        options.ShouldBe(
            TelemetryOptions.Default with
            {
                InventoryEndpoint = "unix:/x",
                MinPeriod = TimeSpan.FromSeconds(1),
                MaxPeriod = TimeSpan.FromSeconds(2),
                SampleInterval = TimeSpan.FromSeconds(1),
            }
        );
        From().MinPeriod.ShouldBe(TimeSpan.FromSeconds(300));
        From().MaxPeriod.ShouldBe(TimeSpan.FromSeconds(21_600));
    }

    [Theory]
    [InlineData("EDGEDM_OBSERVE_MIN_SECONDS", "-1")]
    [InlineData("EDGEDM_OBSERVE_MIN_SECONDS", "21601")]
    [InlineData("EDGEDM_OBSERVE_MAX_SECONDS", "0.5")]
    [InlineData("EDGEDM_SAMPLE_SECONDS", "0")]
    public void Options_OutOfRange_AreMisconfigured(string name, string value) =>
        Should.Throw<MisconfiguredException>(() => From((name, value))).Message.ShouldContain(name);

    private static TelemetryOptions From(params (string Name, string Value)[] values) =>
        TelemetryOptions.From(new(values.ToDictionary(v => v.Name, v => v.Value)));

    private Task<bool> SendAsync(string json) => hub.DeliverInputAsync(Routes.Observations, Schemas.Observations, json);

    private async Task<List<string>> ToldAsync()
    {
        var post = await hub.WaitForPostAsync(Schemas.Notification);
        return [.. post.Body["values"]!.AsArray().Select(v => (string)v!["resource"]!)];
    }

    private void Start(int sampleSeconds = 30)
    {
        var options = TelemetryOptions.Default with
        {
            InventoryEndpoint = host.Endpoint,
            SampleInterval = TimeSpan.FromSeconds(sampleSeconds),
        };
        stop = new();
        module = new(hub, data, options, "1.2.3", TimeProvider.System, NullLoggerFactory.Instance);
        var token = stop.Token;
        running = Task.Run(() => module.RunAsync(token), CancellationToken.None);
    }

    private async Task StopAsync()
    {
        await stop.CancelAsync();
        await running.ContinueWith(_ => { }, TaskScheduler.Default);
        module?.Dispose();
        hub.Dispose();
        stop.Dispose();
    }
}
