using System.Net;
using System.Text.Json.Nodes;
using EdgeDm.Contracts;
using EdgeDm.Durable;
using EdgeDm.HostAccess.Tests.Support;
using EdgeDm.Testing;

namespace EdgeDm.HostAccess.Tests.Verbs;

/// <summary>The simulated host keeps a clock of its own; no test sets the machine's.</summary>
public sealed class TimeTests
{
    private static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Time_ZoneClockAndNetworkTime_AreSetAndReadBack()
    {
        await using var gateway = await MakeGateway().StartAsync();
        var right = DateTimeOffset.UtcNow.AddHours(5);

        var set = await SetAsync(gateway, new("t1", "Europe/Berlin", right, NtpEnabled: false));

        set.Error.ShouldBeNull();
        set.Now.Timezone.ShouldBe("Europe/Berlin");
        set.Now.NtpEnabled.ShouldBeFalse();
        set.Now.Time.ShouldBe(right, Tolerance);
        (await SetAsync(gateway, new("t2", NtpEnabled: true))).Now.NtpEnabled.ShouldBeTrue();
        var read = await gateway.GetAsync(HostApi.Time, ContractsJson.Default.HostTime);
        read.Timezone.ShouldBe("Europe/Berlin");
        using var inventory = await gateway.Inventory.GetAsync(HostApi.Time);
        inventory.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Time_SameCommandAgain_DoesNotSetTheClockAgain()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var gateway = MakeGateway(time);
        await gateway.StartAsync();
        var request = new TimeRequest("t1", Time: time.GetUtcNow().AddHours(5), NtpEnabled: false);
        var first = await SetAsync(gateway, request);
        time.Advance(TimeSpan.FromHours(1));

        var second = await SetAsync(gateway, request);

        second.Now.Time.ShouldBe(first.Now.Time.AddHours(1));
        await gateway.StopAsync();
        await gateway.StartAsync();
        (await SetAsync(gateway, request)).Now.Time.ShouldBe(first.Now.Time.AddHours(1));
        (await RefusedAsync(gateway, request with { Timezone = "UTC" }, HttpStatusCode.Conflict)).Name.ShouldBe(
            "commandConflict"
        );
    }

    [Theory]
    [InlineData("host.time.before", 1)]
    [InlineData("host.time.after", 1)]
    [InlineData("host.time.before", 2)]
    [InlineData("host.time.after", 2)]
    public async Task Time_KilledAtAWrite_IsSetWhenTheCommandComesAgain(string failpoint, int passage)
    {
        await using var gateway = MakeGateway();
        var points = Path.Combine(gateway.HostRoot, "points");
        FailpointFolder.Arm(points, failpoint, passage);
        gateway.Environment[FailpointFolder.Variable] = points;
        await gateway.StartProcessAsync();
        var request = new TimeRequest("t1", "Asia/Tokyo", DateTimeOffset.UtcNow.AddHours(5), NtpEnabled: false);
        await Should.ThrowAsync<HttpRequestException>(() => SetAsync(gateway, request));
        await gateway.EndAsync();

        await gateway.StartProcessAsync();
        var set = await SetAsync(gateway, request);

        set.Error.ShouldBeNull();
        set.Now.Timezone.ShouldBe("Asia/Tokyo");
        set.Now.Time.ShouldBe(request.Time!.Value, TimeSpan.FromMinutes(1));
        await gateway.StopAsync();
    }

    [Fact]
    public async Task Time_HostWentDownBeforeItWasSet_IsNotSetToAStaleTime()
    {
        await using var gateway = MakeGateway();
        var points = Path.Combine(gateway.HostRoot, "points");
        FailpointFolder.Arm(points, "host.time.after");
        gateway.Environment[FailpointFolder.Variable] = points;
        await gateway.StartProcessAsync();
        var request = new TimeRequest("t1", Time: DateTimeOffset.UtcNow.AddHours(5), NtpEnabled: false);
        await Should.ThrowAsync<HttpRequestException>(() => SetAsync(gateway, request));
        await gateway.EndAsync();
        gateway.GoDown();

        await gateway.StartProcessAsync();
        var set = await SetAsync(gateway, request);

        set.Error!.Name.ShouldBe("noEffect");
        set.Now.Time.ShouldBe(DateTimeOffset.UtcNow, Tolerance);
        await gateway.StopAsync();
    }

    [Fact]
    public async Task Time_WhileNetworkTimeIsOn_SaysWhyNot()
    {
        await using var gateway = await MakeGateway().StartAsync();
        await SetAsync(gateway, new("t1", NtpEnabled: true));
        var set = await SetAsync(gateway, new("t2", Time: DateTimeOffset.UtcNow.AddHours(5)));
        set.Error!.Name.ShouldBe("clockSynchronized");
    }

    [Fact]
    public async Task Time_AZoneThatTheHostDoesNotKnow_IsToldAndTheOldOneStays()
    {
        await using var gateway = await MakeGateway().StartAsync();
        await SetAsync(gateway, new("t1", "Europe/Berlin"));
        var set = await SetAsync(gateway, new("t2", "Europe/Atlantis"));
        set.Error!.Name.ShouldBe("invalidValue");
        set.Now.Timezone.ShouldBe("Europe/Berlin");
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(-1, true)]
    [InlineData(2, false)]
    [InlineData(-2, false)]
    public async Task Time_FurtherThanMayBe_IsRefused(int halfMinutesBeyondADay, bool taken)
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var gateway = MakeGateway(time);
        await gateway.StartAsync();
        await SetAsync(gateway, new("t0", NtpEnabled: false));
        var step = TimeSpan.FromDays(Math.Sign(halfMinutesBeyondADay));
        var beyond = TimeSpan.FromTicks(Math.Abs(halfMinutesBeyondADay) == 1 ? 0 : Math.Sign(halfMinutesBeyondADay));
        var request = new TimeRequest("t1", Time: time.GetUtcNow() + step + beyond);
        if (taken)
        {
            (await SetAsync(gateway, request)).Error.ShouldBeNull();
        }
        else
        {
            (await RefusedAsync(gateway, request, HttpStatusCode.BadRequest)).Context.ShouldBe("time");
        }
    }

    [Fact]
    public async Task Time_MoreThanTheRate_IsRefused()
    {
        await using var gateway = MakeGateway();
        gateway.Configuration["verbs"]!["time"]!["perHour"] = 1;
        await gateway.StartAsync();
        await SetAsync(gateway, new("t1", "UTC"));
        (await RefusedAsync(gateway, new("t2", "UTC"), HttpStatusCode.TooManyRequests)).Name.ShouldBe("rateExceeded");
    }

    [Fact]
    public async Task Time_NotEnabled_IsRefused()
    {
        await using var gateway = await new TestGateway().StartAsync();
        (await RefusedAsync(gateway, new("t1", "UTC"), HttpStatusCode.Forbidden)).Name.ShouldBe("verbDisabled");
    }

    [Theory]
    [InlineData("{}", "$")]
    [InlineData("""{"commandId":"t1"}""", "time")]
    [InlineData("""{"commandId":"t1","timezone":""}""", "timezone")]
    [InlineData("""{"commandId":"t1","timezone":"../../etc/passwd"}""", "timezone")]
    [InlineData("""{"commandId":"t1","timezone":"UTC; reboot"}""", "timezone")]
    [InlineData("""{"commandId":"t1","time":"2026-11-21T12:00:00Z","ntpEnabled":true}""", "ntpEnabled")]
    public async Task Time_BadRequest_IsRefused(string body, string context)
    {
        await using var gateway = await MakeGateway().StartAsync();
        using var content = new StringContent(body);
        using var answer = await gateway.Verbs.PostAsync(HostApi.Time, content);
        var error = await TestGateway.ErrorAsync(answer, HttpStatusCode.BadRequest);
        error.Context.ShouldBe(context);
    }

    private static TestGateway MakeGateway(TimeProvider? time = null)
    {
        var gateway = new TestGateway { Time = time ?? TimeProvider.System };
        gateway.Configuration["verbs"]!["time"] = new JsonObject { ["enabled"] = true };
        return gateway;
    }

    private static async Task<TimeStatus> SetAsync(TestGateway gateway, TimeRequest request)
    {
        using var answer = await gateway.PostAsync(HostApi.Time, request, ContractsJson.Default.TimeRequest);
        return await TestGateway.ReadAsync(answer, ContractsJson.Default.TimeStatus);
    }

    private static Task<ErrorObject> RefusedAsync(TestGateway gateway, TimeRequest request, HttpStatusCode status) =>
        gateway.RefusedAsync(HostApi.Time, request, ContractsJson.Default.TimeRequest, status);
}
