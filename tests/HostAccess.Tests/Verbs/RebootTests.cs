using System.Net;
using EdgeDm.Contracts;
using EdgeDm.HostAccess.Tests.Support;
using EdgeDm.Testing;

namespace EdgeDm.HostAccess.Tests.Verbs;

public sealed class RebootTests
{
    [Fact]
    public async Task Reboot_Accepted_IsAnsweredFirstAndProvedByANewInstance()
    {
        await using var gateway = await new TestGateway().StartProcessAsync();
        var accepted = await RebootAsync(gateway, new("r1", "because"));
        accepted.State.ShouldBe("accepted");
        (await gateway.EndAsync()).ShouldBe(129);

        await gateway.StartProcessAsync();
        var completed = await gateway.GetAsync(HostApi.RebootCommand("r1"), ContractsJson.Default.RebootStatus);
        completed.State.ShouldBe("completed");
        completed.AcceptedInstanceId.ShouldBe(accepted.HostInstanceId);
        completed.HostInstanceId.ShouldNotBe(accepted.HostInstanceId);

        // The same command once more is no other reboot.
        (await RebootAsync(gateway, new("r1", "because"))).ShouldBe(completed);
        await gateway.StopAsync();
    }

    [Fact]
    public async Task Restart_OfHostAccessAlone_IsNoReboot()
    {
        await using var gateway = await new TestGateway().StartAsync();
        var before = await gateway.GetAsync(HostApi.Root, ContractsJson.Default.HostAccessInfo);
        await gateway.StopAsync();
        await gateway.StartAsync();
        var after = await gateway.GetAsync(HostApi.Root, ContractsJson.Default.HostAccessInfo);
        after.HostInstanceId.ShouldBe(before.HostInstanceId);
    }

    [Fact]
    public async Task Reboot_SameIdOtherContent_IsAConflict()
    {
        await using var gateway = await new TestGateway().StartAsync();
        await RebootAsync(gateway, new("r1", "because", DelaySeconds: 3600));
        var error = await RefusedAsync(gateway, new("r1", "because", DelaySeconds: 3599), HttpStatusCode.Conflict);
        error.Name.ShouldBe("commandConflict");
    }

    [Fact]
    public async Task Reboot_WhileAnotherIsDue_IsBusy()
    {
        await using var gateway = await new TestGateway().StartAsync();
        await RebootAsync(gateway, new("r1", "", DelaySeconds: 3600));
        var error = await RefusedAsync(gateway, new("r2", ""), HttpStatusCode.Conflict);
        error.Name.ShouldBe("hostBusy");
        error.Parameters["commandId"].ShouldBe("r1");
        error.Parameters["verb"].ShouldBe("reboot");
    }

    [Fact]
    public async Task Reboot_MoreThanTheRate_IsRefusedAlsoAfterARestart()
    {
        await using var gateway = new TestGateway();
        gateway.Configuration["verbs"]!["reboot"]!["perHour"] = 1;
        await gateway.StartAsync();
        await RebootAsync(gateway, new("r1", "", DelaySeconds: 3600));
        (await RefusedAsync(gateway, new("r2", ""), HttpStatusCode.TooManyRequests)).Name.ShouldBe("rateExceeded");
        await gateway.StopAsync();
        await gateway.StartAsync();
        (await RefusedAsync(gateway, new("r2", ""), HttpStatusCode.TooManyRequests)).Name.ShouldBe("rateExceeded");
    }

    [Fact]
    public async Task Reboot_DelayedAndHostAccessRestarted_HappensWhenItIsDue()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var gateway = new TestGateway { Time = time };
        await gateway.StartAsync();
        await RebootAsync(gateway, new("r1", "", DelaySeconds: 100));
        time.Advance(TimeSpan.FromSeconds(60));
        await gateway.StopAsync();
        await gateway.StartAsync();
        time.Advance(TimeSpan.FromSeconds(39));
        (await gateway.GetAsync(HostApi.RebootCommand("r1"), ContractsJson.Default.RebootStatus)).State.ShouldBe(
            "accepted"
        );
        time.Advance(TimeSpan.FromSeconds(1));
        (await gateway.EndAsync()).ShouldBe(129);
    }

    [Fact]
    public async Task Reboot_Disabled_IsRefusedAndAudited()
    {
        await using var gateway = new TestGateway();
        gateway.Configuration["verbs"]!["reboot"]!["enabled"] = false;
        await gateway.StartAsync();
        (await RefusedAsync(gateway, new("r1", ""), HttpStatusCode.Forbidden)).Name.ShouldBe("verbDisabled");
        gateway.Audit.ShouldHaveSingleItem().ShouldContain("\"error\":\"verbDisabled\"");
    }

    [Theory]
    [InlineData("r1", 3601, 0, "delaySeconds")]
    [InlineData("r1", -1, 0, "delaySeconds")]
    [InlineData("r1", 0, 257, "reason")]
    [InlineData("", 0, 0, "commandId")]
    [InlineData(".hidden", 0, 0, "commandId")]
    [InlineData("a/b", 0, 0, "commandId")]
    public async Task Reboot_ValueBeyondItsRange_IsRefused(string id, int delay, int reason, string context)
    {
        await using var gateway = await new TestGateway().StartAsync();
        var error = await RefusedAsync(gateway, new(id, new('r', reason), delay), HttpStatusCode.BadRequest);
        error.Name.ShouldBe("invalidValue");
        error.Context.ShouldBe(context);
    }

    [Fact]
    public async Task Reboot_ValuesAtTheirEdges_AreTaken()
    {
        await using var gateway = await new TestGateway().StartAsync();
        var status = await RebootAsync(gateway, new(new('i', 128), new('r', 256), 3600));
        status.State.ShouldBe("accepted");
    }

    private static async Task<RebootStatus> RebootAsync(TestGateway gateway, RebootRequest request)
    {
        using var answer = await gateway.PostAsync(HostApi.Reboot, request, ContractsJson.Default.RebootRequest);
        return await TestGateway.ReadAsync(answer, ContractsJson.Default.RebootStatus);
    }

    private static Task<ErrorObject> RefusedAsync(TestGateway gateway, RebootRequest request, HttpStatusCode status) =>
        gateway.RefusedAsync(HostApi.Reboot, request, ContractsJson.Default.RebootRequest, status);
}
