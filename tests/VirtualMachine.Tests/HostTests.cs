using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using EdgeDm.Contracts;
using EdgeDm.Hosting;

namespace EdgeDm.VirtualMachine.Tests;

/// <summary>What no container can show: a clock of its own, and a kernel that starts anew.</summary>
public sealed class HostTests : IAsyncLifetime
{
    private MachineGateway gateway = null!;

    public async ValueTask InitializeAsync() => gateway = await MachineGateway.StartAsync();

    public ValueTask DisposeAsync() => gateway.DisposeAsync();

    [Fact]
    public async Task Time_SetByTheVerb_IsTheGuestsFromThenOn()
    {
        var wanted = new DateTimeOffset(2031, 5, 6, 7, 8, 9, TimeSpan.Zero);
        using var tunnel = await gateway.Machine.ForwardAsync("/run/edgedm/verbs/host-access.sock");
        using var host = UnixHttp.CreateClient($"unix:{tunnel.Socket}", TimeSpan.FromSeconds(60));
        host.DefaultRequestHeaders.Add(HostApiVersion.Header, $"{HostApiVersion.Current}");

        using var answer = await host.PostAsJsonAsync(
            new Uri("/v1/time", UriKind.Relative),
            new JsonObject { ["commandId"] = "t1", ["time"] = wanted.ToString("O") }
        );

        var status = await answer.Content.ReadFromJsonAsync<JsonObject>();
        answer.StatusCode.ShouldBe(HttpStatusCode.OK, $"{status}");
        status!["error"].ShouldBeNull();
        var system = DateTimeOffset.FromUnixTimeSeconds(long.Parse(await gateway.Machine.RunAsync("date +%s")));
        (system - wanted).ShouldBeInRange(TimeSpan.Zero, TimeSpan.FromMinutes(5));
        // The hardware clock as well, which counts on while the power is off.
        (await gateway.Machine.RunAsync("cat /sys/class/rtc/rtc0/date")).ShouldBe("2031-05-06");
        // Years ahead of its hub, the gateway is still there.
        (await gateway.Service.CallAsync("queryJobs", new JsonObject())).Status.ShouldBe(200);
    }

    [Fact]
    public async Task Reboot_ByMethod_StartsTheKernelAnewAndIsToldOnce()
    {
        var before = await gateway.BootIdAsync();

        var (status, _) = await gateway.Service.CallAsync("StartRebootCmd", new JsonObject { ["commandId"] = "r1" });

        status.ShouldBe(200);
        var events = await gateway.WaitForEventsAsync("r1");
        (await gateway.BootIdAsync()).ShouldNotBe(before);
        events.Select(e => e.Status).Where(JobStatuses.IsTerminal).ShouldBe(["completed"]);
        // Not a second time: the same command is known.
        var boot = await gateway.BootIdAsync();
        var (again, job) = await gateway.Service.CallAsync("StartRebootCmd", new JsonObject { ["commandId"] = "r1" });
        again.ShouldBe(200, $"{job}");
        (await gateway.BootIdAsync()).ShouldBe(boot);
    }
}
