using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using EdgeDm.Contracts;
using EdgeDm.HostAccess.Api;
using EdgeDm.HostAccess.Configuration;
using EdgeDm.HostAccess.Tests.Support;
using EdgeDm.Hosting;

namespace EdgeDm.HostAccess.Tests.Api;

public sealed class HostApiTests
{
    [Fact]
    public async Task Root_BothSockets_SayWhoAnswersAndWhatIsAllowed()
    {
        await using var gateway = await new TestGateway().StartAsync();
        foreach (var client in new[] { gateway.Verbs, gateway.Inventory })
        {
            using var answer = await client.GetAsync(HostApi.Root);
            var info = await TestGateway.ReadAsync(answer, ContractsJson.Default.HostAccessInfo);
            info.Program.ShouldBe("EdgeDm.HostAccess");
            info.Version.ShouldBe("1.2.3");
            info.HostKind.ShouldBe("simulated");
            info.Verbs.ShouldBe(["update", "reboot"]);
            info.Handlers.ShouldBe(["edgedm/simulator:1", "microsoft/script:1"]);
            var capabilities = info.Capabilities.ShouldNotBeNull();
            capabilities.Select(c => c.Name).ShouldBe(["units", "reboot", "clock", "networkTime"]);
            capabilities.ShouldAllBe(c => c.Available && c.Reason == null);
        }
    }

    [Theory]
    [InlineData(null, "1.0")]
    [InlineData("1.0", "1.0")]
    [InlineData("1.1", "1.1")]
    [InlineData("1.2", "1.2")]
    [InlineData("2.0", "2.0")]
    public async Task Root_AnyCaller_TellsBothSidesVersions(string? said, string heard)
    {
        await using var gateway = await new TestGateway().StartAsync();
        using var answer = await SayAsync(gateway, HttpMethod.Get, HostApi.Root, said);
        var info = await TestGateway.ReadAsync(answer, ContractsJson.Default.HostAccessInfo);
        info.ApiVersion.ShouldBe("1.2");
        info.CallerApiVersion.ShouldBe(heard);
        answer.Headers.GetValues(HostApiVersion.Header).ShouldBe(["1.2"]);
    }

    [Theory]
    [InlineData(null, HttpStatusCode.BadRequest, "hostApiVersion")]
    [InlineData("1.0", HttpStatusCode.BadRequest, "hostApiVersion")]
    [InlineData("1.1", HttpStatusCode.Accepted, null)]
    [InlineData("1.2", HttpStatusCode.Accepted, null)]
    [InlineData("1.3", HttpStatusCode.Accepted, null)]
    [InlineData("1.4", HttpStatusCode.BadRequest, "hostApiVersion")]
    [InlineData("2.1", HttpStatusCode.BadRequest, "hostApiVersion")]
    [InlineData("0.1", HttpStatusCode.BadRequest, "hostApiVersion")]
    [InlineData("1", HttpStatusCode.BadRequest, "invalidValue")]
    [InlineData("1.-1", HttpStatusCode.BadRequest, "invalidValue")]
    public async Task Post_CallerOfAVersion_ActsOnlyWithinOneMinor(string? said, HttpStatusCode status, string? error)
    {
        await using var gateway = await new TestGateway().StartAsync();
        const string Reboot = """{"commandId":"r","reason":"test","delaySeconds":3600}""";

        using var answer = await SayAsync(gateway, HttpMethod.Post, HostApi.Reboot, said, Reboot);

        if (error is null)
        {
            answer.StatusCode.ShouldBe(status);
            return;
        }
        (await TestGateway.ErrorAsync(answer, status)).Name.ShouldBe(error);
        using var found = await gateway.Verbs.GetAsync(HostApi.RebootCommand("r"));
        found.StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    private static async Task<HttpResponseMessage> SayAsync(
        TestGateway gateway,
        HttpMethod method,
        string path,
        string? version,
        string? body = null
    )
    {
        using var request = new HttpRequestMessage(method, path);
        if (version is not null)
        {
            request.Headers.TryAddWithoutValidation(HostApiVersion.Header, version);
        }
        if (body is not null)
        {
            request.Content = new StringContent(body);
        }
        using var client = UnixHttp.CreateClient($"unix:{gateway.SocketOf("verbs")}"); // Says of itself only what it is told to.
        return await client.SendAsync(request);
    }

    [Fact]
    public async Task Inventory_SimulatedHost_TellsTheRealPartitionAndClock()
    {
        await using var gateway = await new TestGateway().StartAsync();
        using var answer = await gateway.Inventory.GetAsync(HostApi.Inventory);
        var inventory = await TestGateway.ReadAsync(answer, ContractsJson.Default.HostInventory);
        inventory.Manufacturer.ShouldBe("Contoso");
        inventory.FirmwareVersion.ShouldBe("1.0.0");
        inventory.MemoryTotal.ShouldBe(new DriveInfo(gateway.Data).TotalSize / 1000);
        inventory.MemoryFree.ShouldBeInRange(1, inventory.MemoryTotal);
        inventory.CurrentTime.ShouldBe(DateTimeOffset.UtcNow, TimeSpan.FromMinutes(1));
        inventory.UtcOffset.ShouldNotBeNull().ShouldMatch("^[+-][0-9]{2}:[0-9]{2}$");
    }

    [Fact]
    public async Task Post_OnTheInventorySocket_IsDenied()
    {
        await using var gateway = await new TestGateway().StartAsync();
        using var body = new StringContent("""{"commandId":"a","reason":""}""");
        using var answer = await gateway.Inventory.PostAsync(HostApi.Reboot, body);
        (await TestGateway.ErrorAsync(answer, HttpStatusCode.Forbidden)).Name.ShouldBe("deniedByPolicy");
    }

    [Fact]
    public async Task Get_UserThatIsNotListed_IsDeniedAndAudited()
    {
        await using var gateway = new TestGateway();
        gateway.Configuration["callers"] = new JsonObject { ["verbs"] = new JsonArray { OwnUser.Id + 1 } };
        await gateway.StartAsync();
        using var answer = await gateway.Verbs.GetAsync(HostApi.Root);
        var error = await TestGateway.ErrorAsync(answer, HttpStatusCode.Forbidden);
        error.Name.ShouldBe("deniedByPolicy");
        error.Subsystem.ShouldBe(Subsystems.HostAccess);
        var line = JsonNode.Parse(gateway.Audit.ShouldHaveSingleItem())!;
        line["userId"]!.GetValue<uint>().ShouldBe(OwnUser.Id);
        line["processId"]!.GetValue<int>().ShouldBe(System.Environment.ProcessId);
        line["outcome"]!.GetValue<string>().ShouldBe("refused");
        // The other socket has its own list.
        using var other = await gateway.Inventory.GetAsync(HostApi.Root);
        other.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData(0, HttpStatusCode.BadRequest, "invalidJson")]
    [InlineData(1, HttpStatusCode.RequestEntityTooLarge, "tooLarge")]
    public async Task Post_BodyAtTheLimit_IsReadAndOneByteMoreIsNot(int more, HttpStatusCode status, string error)
    {
        await using var gateway = await new TestGateway { Options = new() { MaxBodyBytes = 1000 } }.StartAsync();
        using var body = new StringContent(new string(' ', 1000 + more));
        using var answer = await gateway.Verbs.PostAsync(HostApi.Updates, body);
        (await TestGateway.ErrorAsync(answer, status)).Name.ShouldBe(error);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("""{"reason":"no command id"}""")]
    [InlineData("""{"commandId":7,"reason":""}""")]
    public async Task Post_BodyOfTheWrongShape_IsInvalidJson(string text)
    {
        await using var gateway = await new TestGateway().StartAsync();
        using var body = new StringContent(text);
        using var answer = await gateway.Verbs.PostAsync(HostApi.Reboot, body);
        (await TestGateway.ErrorAsync(answer, HttpStatusCode.BadRequest)).Name.ShouldBe("invalidJson");
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/v2")]
    [InlineData("/v1/")]
    [InlineData("/v1/updates/a/b")]
    public async Task Get_UnknownPath_IsNotFound(string path)
    {
        await using var gateway = await new TestGateway().StartAsync();
        using var answer = await gateway.Verbs.GetAsync(path);
        (await TestGateway.ErrorAsync(answer, HttpStatusCode.NotFound)).Name.ShouldBe("notSupportedOnHost");
    }

    [Fact]
    public async Task Get_UnknownCommand_IsNotFound()
    {
        await using var gateway = await new TestGateway().StartAsync();
        using var update = await gateway.Verbs.GetAsync(HostApi.Update("none", 0, 1));
        (await TestGateway.ErrorAsync(update, HttpStatusCode.NotFound)).Name.ShouldBe("commandNotFound");
        using var reboot = await gateway.Verbs.GetAsync(HostApi.RebootCommand("none"));
        (await TestGateway.ErrorAsync(reboot, HttpStatusCode.NotFound)).Name.ShouldBe("commandNotFound");
    }

    [Fact]
    public async Task Get_WaitBeyondItsRange_IsRefused()
    {
        await using var gateway = await new TestGateway().StartAsync();
        using var answer = await gateway.Verbs.GetAsync(HostApi.Update("none", 0, 31));
        (await TestGateway.ErrorAsync(answer, HttpStatusCode.BadRequest)).Context.ShouldBe("waitSeconds");
    }

    [Fact]
    public async Task Connect_OneMoreThanAllowed_IsClosedWhileTheOtherSocketAnswers()
    {
        await using var gateway = await new TestGateway { Options = new() { MaxConnections = 2 } }.StartAsync();
        using var first = await ConnectAsync(gateway.SocketOf("inventory"));
        using var second = await ConnectAsync(gateway.SocketOf("inventory"));
        (await AskAsync(first)).ShouldStartWith("HTTP/1.1 200");
        (await AskAsync(second)).ShouldStartWith("HTTP/1.1 200");
        using var third = await ConnectAsync(gateway.SocketOf("inventory"));
        (await AskAsync(third)).ShouldBeEmpty();
        using var answer = await gateway.Verbs.GetAsync(HostApi.Root);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Post_BodyThatNeverComes_IsEndedAfterTheReadTimeout()
    {
        await using var gateway = await new TestGateway
        {
            Options = new() { ReadTimeout = TimeSpan.FromMilliseconds(200) },
        }.StartAsync();
        using var socket = await ConnectAsync(gateway.SocketOf("verbs"));
        var answer = await AskAsync(
            socket,
            $"POST /v1/reboot HTTP/1.1\r\nHost: h\r\n{TestGateway.VersionLine}Content-Length: 10\r\n\r\n{{"
        );
        answer.ShouldContain("deadlineExceeded");
    }

    [Fact]
    public async Task Start_StaleSocketOfAKilledProcess_IsReplaced()
    {
        await using var gateway = await new TestGateway().StartProcessAsync();
        await gateway.StopAsync();
        File.Exists(gateway.SocketOf("verbs")).ShouldBeTrue();
        await gateway.StartAsync();
        (await gateway.GetAsync(HostApi.Root, ContractsJson.Default.HostAccessInfo)).HostKind.ShouldBe("simulated");
    }

    [Fact]
    public async Task Start_OwnCallersOnly_NobodyElseReachesTheSockets()
    {
        await using var gateway = await new TestGateway().StartAsync();
        var socket = gateway.SocketOf("verbs");
        (File.GetUnixFileMode(socket) & Others).ShouldBe(UnixFileMode.None);
        (File.GetUnixFileMode(Path.GetDirectoryName(socket)!) & Others).ShouldBe(UnixFileMode.None);
    }

    [Theory]
    [InlineData(107, true)]
    [InlineData(108, false)]
    public void In_PathAtTheSystemsLimit_IsTakenAndOneByteMoreIsNot(int length, bool taken)
    {
        var folder = "/" + new string('f', length - "//host-access.sock".Length);
        if (taken)
        {
            Encoding.UTF8.GetByteCount(HostSocket.In(folder, "verbs", [], mayWrite: true).Path).ShouldBe(length);
        }
        else
        {
            Should
                .Throw<MisconfiguredException>(() => HostSocket.In(folder, "verbs", [], mayWrite: true))
                .Message.ShouldContain("108 bytes");
        }
    }

    private const UnixFileMode Others = UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    private static async Task<Socket> ConnectAsync(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path));
        return socket;
    }

    private static async Task<string> AskAsync(Socket socket, string request = "GET /v1 HTTP/1.1\r\nHost: h\r\n\r\n")
    {
        var buffer = new byte[4096];
        try
        {
            await socket.SendAsync(Encoding.ASCII.GetBytes(request));
            var count = await socket.ReceiveAsync(buffer).WaitAsync(TestGateway.Patience);
            return Encoding.UTF8.GetString(buffer, 0, count);
        }
        catch (SocketException)
        {
            return ""; // Closed by the other side.
        }
    }
}
