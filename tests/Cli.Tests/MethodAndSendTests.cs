namespace EdgeDm.Cli.Tests;

public sealed class MethodAndSendTests : IAsyncLifetime
{
    private FakeHub hub = null!;

    public async ValueTask InitializeAsync() => hub = await FakeHub.StartAsync();

    public ValueTask DisposeAsync() => hub.DisposeAsync();

    [Fact]
    public async Task Method_Success_WritesThePayload()
    {
        hub.OnMethod("StartRebootCmd", 200, """{"jobId":"r"}""");
        var result = await hub.RunAsync("method", "StartRebootCmd", """{"reason":"test"}""", "--timeout", "5");
        result.ShouldExitWith(0).Json["jobId"]!.GetValue<string>().ShouldBe("r");
        hub.Requests.Single()
            .Json.ToJsonString()
            .ShouldBe(
                """{"methodName":"StartRebootCmd","responseTimeoutInSeconds":5,"connectTimeoutInSeconds":0,"payload":{"reason":"test"}}"""
            );
    }

    [Fact]
    public async Task Method_Refusal_ExitsWith1()
    {
        hub.OnMethod("other", 501, "\"no such method\"");
        (await hub.RunAsync("method", "other")).ShouldExitWith(1).Error.ShouldContain("status 501: \"no such method\"");
        (await hub.RunAsync("method", "other", "--json")).ShouldExitWith(1).Json["status"]!
            .GetValue<int>()
            .ShouldBe(501);
    }

    [Fact]
    public async Task Method_GatewayAway_ExitsWith3()
    {
        hub.OnMethodAway("ping");
        (await hub.RunAsync("method", "ping")).ShouldExitWith(3).Error.ShouldContain("not connected");
    }

    [Theory]
    [InlineData("4")]
    [InlineData("301")]
    public async Task Method_TimeoutOutOfRange_IsWrongUsage(string timeout) =>
        (await hub.RunAsync("method", "ping", "--timeout", timeout)).ShouldExitWith(2).Error.ShouldContain("--timeout");

    [Fact]
    public async Task Method_PayloadThatIsNoJson_IsWrongUsage() =>
        (await hub.RunAsync("method", "ping", "{")).ShouldExitWith(2).Error.ShouldContain("The payload is not JSON");

    [Fact]
    public async Task Send_DevHub_PutsTheMessageIntoTheInput()
    {
        hub.On("GET /devhub/status", 200, "{}").On("POST /devhub/modules/DeviceManagement/inputs/commands", 204, "");
        var result = await EdgeDmProcess.RunAsync(
            hub.Environment,
            """{"jobId":"1"}""",
            "send",
            "DeviceManagement/commands",
            "-",
            "--property",
            "schema=edgedm.jobRequest.v1",
            "--property",
            "$.mid=m 1"
        );
        result.ShouldExitWith(0).Output.ShouldContain("m 1");
        var request = hub.Requests.Last();
        request.Query.ShouldBe("?schema=edgedm.jobRequest.v1&%24.mid=m%201");
        request.ContentType.ShouldBe("application/json");
        request.Body.ShouldBe("""{"jobId":"1"}""");
    }

    [Fact]
    public async Task Send_NoMessageId_MakesOne()
    {
        hub.On("GET /devhub/status", 200, "{}").On("POST /devhub/modules/m/inputs/i", 204, "");
        var result = await hub.RunAsync("send", "m/i", "x", "--json");
        var id = result.ShouldExitWith(0).Json["messageId"]!.GetValue<string>();
        hub.Requests.Last().Query.ShouldBe($"?%24.mid={id}");
    }

    [Fact]
    public async Task Send_IoTHub_SaysThatItCannot() =>
        (await hub.RunAsync("send", "m/i", "x")).ShouldExitWith(1).Error.ShouldContain("IoT Hub cannot");

    [Theory]
    [InlineData("m", "is not module/input")]
    [InlineData("m/i", "is not name=value", "--property", "x")]
    [InlineData("m/i", "content type", "--content-type", "x y")]
    public async Task Send_WrongArguments_IsWrongUsage(string input, string words, params string[] more)
    {
        (await hub.RunAsync(["send", input, "x", .. more])).ShouldExitWith(2).Error.ShouldContain(words);
        hub.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task C2dSend_DevHub_SendsToTheDeviceUntilItsExpiry()
    {
        hub.On("GET /devhub/status", 200, "{}").On("POST /devhub/devices/gateway/messages", 204, "");
        var result = await hub.RunAsync(
            "c2d",
            "send",
            "x",
            "--property",
            "$.mid=m",
            "--property",
            "a=b",
            "--expiry",
            "60"
        );
        result.ShouldExitWith(0).Output.ShouldContain("Message m waits for gateway.");
        var request = hub.Requests.Last();
        request.Query.ShouldStartWith("?%24.mid=m&a=b&%24.exp=20");
        request.Body.ShouldBe("x");
    }

    [Fact]
    public async Task C2dSend_IoTHub_SaysThatItCannot() =>
        (await hub.RunAsync("c2d", "send", "x")).ShouldExitWith(1).Error.ShouldContain("AMQP alone");

    [Theory]
    [InlineData("--expiry takes", "--expiry", "0")]
    [InlineData("is not name=value", "--property", "x")]
    [InlineData("content type", "--content-type", "x y")]
    public async Task C2dSend_WrongArguments_IsWrongUsage(string words, params string[] more)
    {
        (await hub.RunAsync(["c2d", "send", "x", .. more])).ShouldExitWith(2).Error.ShouldContain(words);
        hub.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task Status_DevHub_TellsModulesAndNoKeys()
    {
        hub.On(
                "GET /devhub/status",
                200,
                """{"version":"1","modules":[{"moduleId":"Telemetry","runtimeStatus":"running","restartCount":2,"processId":7},{"moduleId":"Filter","runtimeStatus":"running","restartCount":0,"processId":8,"container":"edgedm-1-Filter"}]}"""
            )
            .On(
                "GET /devices/gateway/modules",
                200,
                """[{"moduleId":"Telemetry","connectionState":"Connected","authentication":{"symmetricKey":{"primaryKey":"secret"}}},{"moduleId":"Filter","connectionState":"Connected"},{"moduleId":"$edgeHub","connectionState":"Disconnected"}]"""
            );
        var words = await hub.RunAsync("hub", "status");
        words
            .ShouldExitWith(0)
            .Output.ReplaceLineEndings("\n")
            .ShouldBe(
                """
                Dev hub, gateway 'gateway'
                MODULE     CONNECTION    RUNTIME  RESTARTS  RUNS AS
                Telemetry  Connected     running  2         7
                Filter     Connected     running  0         edgedm-1-Filter
                $edgeHub   Disconnected  -        -         -

                """
            );
        var json = await hub.RunAsync("hub", "status", "--json");
        json.ShouldExitWith(0).Output.ShouldNotContain("secret");
        json.Json["isDevHub"]!.GetValue<bool>().ShouldBeTrue();
    }
}
