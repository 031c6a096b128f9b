using System.Globalization;
using System.Text;
using EdgeDm.Hub.Tests.Servers;
using EdgeDm.Testing;

namespace EdgeDm.Hub.Tests;

public sealed class InvokeMethodTests : IAsyncLifetime
{
    private static readonly MethodTarget Target = new("gateway", "Other");

    private readonly ScriptedHub hub = new();
    private readonly HttpsServer https = new();
    private readonly FakeTimeProvider time = new(DateTimeOffset.UtcNow);

    private HubSessionOptions Options => hub.Options with { HttpsPort = https.Port };

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await https.DisposeAsync();
        await hub.DisposeAsync();
    }

    [Fact]
    public async Task Invoke_Module_PostsAsEdgeHubWantsIt()
    {
        var (session, _) = await hub.ConnectAsync(Options with { ProductInfo = "Edge Dm" });
        await using var __ = session;
        var calling = session
            .InvokeMethodAsync(
                Target,
                "reboot now",
                new("""{"a":[1,"ü"]}"""u8.ToArray())
                {
                    ResponseTimeout = TimeSpan.FromSeconds(300),
                    ConnectTimeout = TimeSpan.FromSeconds(7),
                }
            )
            .AsTask();
        var request = await https.TakeAsync();
        await https.AnswerAsync(200, """{"status":207,"payload":{"b":[true, null]}}""");
        var result = await calling;

        request.Line.ShouldBe("POST /twins/gateway/modules/Other/methods?api-version=2021-04-12 HTTP/1.1");
        request.Headers["x-ms-edge-moduleId"].ShouldBe("gateway/Module");
        request
            .Headers["Authorization"]
            .ShouldStartWith(
                "SharedAccessSignature sr=contoso.azure-devices.net%2Fdevices%2Fgateway%2Fmodules%2FModule&sig="
            );
        request.Headers["Content-Type"].ShouldBe("application/json; charset=utf-8");
        request.Headers["User-Agent"].ShouldBe("Edge%20Dm");
        request
            .Body.ToString()
            .ShouldBe(
                """{"methodName":"reboot now","responseTimeoutInSeconds":300,"connectTimeoutInSeconds":7,"payload":{"a":[1,"ü"]}}"""
            );
        result.Status.ShouldBe(207);
        Encoding.UTF8.GetString(result.Utf8Json.Span).ShouldBe("""{"b":[true, null]}""");
    }

    [Fact]
    public async Task Invoke_Device_HasNoModuleInItsPath() =>
        (await CallAsync(new("leaf 1".Replace(' ', '$'), null))).Line.ShouldBe(
            "POST /twins/leaf%241/methods?api-version=2021-04-12 HTTP/1.1"
        );

    [Fact]
    public async Task Invoke_IdsWithSpecialCharacters_AreEncodedInThePath() =>
        (await CallAsync(new("a%b:c", "$edgeAgent"))).Line.ShouldContain(
            "/twins/a%25b%3Ac/modules/%24edgeAgent/methods?"
        );

    [Fact]
    public async Task Invoke_Defaults_AreIoTHubs()
    {
        var body = (await CallAsync(Target)).Body;
        body.GetProperty("responseTimeoutInSeconds").GetInt32().ShouldBe(30);
        body.GetProperty("connectTimeoutInSeconds").GetInt32().ShouldBe(0);
        body.GetProperty("payload").ValueKind.ShouldBe(System.Text.Json.JsonValueKind.Null);
    }

    [Theory]
    [InlineData("""{"status":404,"payload":null}""", 404, "")]
    [InlineData("""{"status":500}""", 500, "")]
    [InlineData("""{"status":-1,"payload":"x"}""", -1, "\"x\"")]
    [InlineData("""{"payload":[],"status":0}""", 0, "[]")]
    public async Task Invoke_TheModulesOwnStatus_IsAResult(string answer, int status, string payload)
    {
        var result = await ResultAsync(200, answer);
        result.Status.ShouldBe(status);
        Encoding.UTF8.GetString(result.Utf8Json.Span).ShouldBe(payload);
    }

    [Theory]
    [InlineData(400, """{"message":"Invalid header value"}""", "Invalid header value", null, false)]
    [InlineData(400, "\"payload must be JSON\"", "payload must be JSON", null, false)]
    [InlineData(401, """{"message":"Unauthorized"}""", "Unauthorized", null, false)]
    [InlineData(404, """{"message":"Client gateway/Other not found"}""", "not found", null, false)]
    [InlineData(504, """{"message":"Timed out waiting"}""", "Timed out waiting", null, true)]
    [InlineData(429, "", "answered 429.", null, true)]
    [InlineData(302, "", "answered 302.", null, false)]
    [InlineData(500, "<html>\u0001\r\noops</html>", "<html>   oops</html>", null, true)]
    [InlineData(404, """{"errorCode":404103,"trackingId":"A1-2:3","message":"offline"}""", "offline", "A1-2:3", false)]
    [InlineData(
        404,
        """{"Message":"ErrorCode:DeviceNotOnline;x","ExceptionMessage":"Tracking ID:9f8e-G:1-TimeStamp:05/29/2019 10:26:23"}""",
        "ErrorCode:DeviceNotOnline;x",
        "9f8e-G:1",
        false
    )]
    [InlineData(401, """{"message":"bad SharedAccessSignature sr=a&sig=b"}""", "withheld", null, false)]
    public async Task Invoke_HttpError_TellsStatusMessageAndTrackingId(
        int status,
        string body,
        string message,
        string? trackingId,
        bool isTransient
    )
    {
        var error = await Should.ThrowAsync<HubServiceException>(() => ResultAsync(status, body));
        error.Status.ShouldBe(status);
        error.Message.ShouldContain(message);
        error.TrackingId.ShouldBe(trackingId);
        error.IsTransient.ShouldBe(isTransient);
        error.ToString().ShouldNotContain("sig=");
    }

    [Fact]
    public async Task Invoke_LongErrorMessage_IsCut()
    {
        var error = await Should.ThrowAsync<HubServiceException>(() =>
            ResultAsync(500, $$"""{"message":"{{new string('x', 10_000)}}"}""")
        );
        error.Message.ShouldBe("The hub answered 500: " + new string('x', 512));
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"status":"200"}""")]
    [InlineData("""{"status":4.5}""")]
    [InlineData("no json")]
    public async Task Invoke_AnswerThatIsNone_IsTheHubsError(string body) =>
        (await Should.ThrowAsync<HubServiceException>(() => ResultAsync(200, body))).Message.ShouldContain("read");

    [Theory]
    [InlineData(0, true)]
    [InlineData(1, false)]
    public async Task Invoke_AnswerAtItsLimit_IsTakenAndAboveIsNot(int above, bool taken)
    {
        const string Frame = """{"status":200,"payload":""}""";
        var body = Frame.Insert(Frame.Length - 2, new string('x', 256 * 1024 - Frame.Length + above));
        var error = await Record.ExceptionAsync(() => ResultAsync(200, body));
        (error is null).ShouldBe(taken);
        error?.ShouldBeOfType<HubServiceException>().Message.ShouldContain("262144");
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(1, false)]
    public async Task Invoke_PayloadAtItsLimit_IsSentAndAboveIsNot(int above, bool sent)
    {
        var payload = Encoding.UTF8.GetBytes($"\"{new string('x', (128 * 1024) - 2 + above)}\"");
        await ShouldBeSentAsync(sent, Target, "m", new(payload));
    }

    [Theory]
    [InlineData(100, true)]
    [InlineData(101, false)]
    [InlineData(0, false)]
    public Task Invoke_NameAtItsLimit_IsSentAndAboveIsNot(int length, bool sent) =>
        ShouldBeSentAsync(sent, Target, new('m', length), new());

    [Theory]
    [InlineData(5, 0, true)]
    [InlineData(4, 0, false)]
    [InlineData(300, 300, true)]
    [InlineData(301, 0, false)]
    [InlineData(30, 301, false)]
    [InlineData(30, -1, false)]
    [InlineData(30.5, 0, false)]
    public Task Invoke_TimesAtTheirLimits_AreSentAndBeyondAreNot(double response, double connect, bool sent) =>
        ShouldBeSentAsync(
            sent,
            Target,
            "m",
            new() { ResponseTimeout = TimeSpan.FromSeconds(response), ConnectTimeout = TimeSpan.FromSeconds(connect) }
        );

    [Theory]
    [InlineData("{")]
    [InlineData("{} {}")]
    [InlineData("nope")]
    public Task Invoke_PayloadThatIsNoJson_IsRefused(string payload) =>
        ShouldBeSentAsync(false, Target, "m", new(Encoding.UTF8.GetBytes(payload)));

    [Theory]
    [InlineData("a/b", "m")]
    [InlineData("d", "..")]
    [InlineData("", "m")]
    public Task Invoke_TargetThatIsNoId_IsRefused(string device, string module) =>
        ShouldBeSentAsync(false, new(device, module), "m", new());

    [Fact]
    public async Task Invoke_ByADevice_IsRefused()
    {
        var (session, _) = await hub.ConnectAsync(Options with { ModuleId = null });
        await using var __ = session;
        await Should.ThrowAsync<InvalidOperationException>(() =>
            session.InvokeMethodAsync(Target, "m", new()).AsTask()
        );
    }

    [Fact]
    public async Task Invoke_NoAnswer_EndsAfterItsOwnTimesAndAMarginAndTheSessionLivesOn()
    {
        var (session, _) = await hub.ConnectAsync(
            Options with
            {
                TimeProvider = time,
                KeepAlive = TimeSpan.FromSeconds(600),
            }
        );
        await using var __ = session;
        var invocation = new MethodInvocation
        {
            ResponseTimeout = TimeSpan.FromSeconds(10),
            ConnectTimeout = TimeSpan.FromSeconds(5),
        };
        var calling = session.InvokeMethodAsync(Target, "m", invocation).AsTask();
        await https.TakeAsync();
        time.Advance(TimeSpan.FromSeconds(29.9));
        calling.IsCompleted.ShouldBeFalse();
        time.Advance(TimeSpan.FromSeconds(0.1));
        (await Should.ThrowAsync<TimeoutException>(calling.WaitAsync(ScriptedHub.Patience))).Message.ShouldContain(
            "30 s"
        );
        await https.ExpectEndAsync();
        session.IsConnected.ShouldBeTrue();
    }

    [Fact]
    public async Task Invoke_Cancelled_SaysSoAndTheSessionLivesOn()
    {
        var (session, _) = await hub.ConnectAsync(Options);
        await using var __ = session;
        using var cancel = new CancellationTokenSource();
        var calling = session.InvokeMethodAsync(Target, "m", new(), cancel.Token).AsTask();
        await https.TakeAsync();
        await cancel.CancelAsync();
        var error = await Should.ThrowAsync<OperationCanceledException>(calling);
        error.CancellationToken.ShouldBe(cancel.Token);
        session.IsConnected.ShouldBeTrue();
    }

    [Fact]
    public async Task Invoke_SessionLost_EndsWithItsCause()
    {
        var (session, connection) = await hub.ConnectAsync(Options);
        await using var __ = session;
        var calling = session.InvokeMethodAsync(Target, "m", new()).AsTask();
        await https.TakeAsync();
        connection.Drop();
        var error = await Should.ThrowAsync<ConnectionLostException>(calling.WaitAsync(ScriptedHub.Patience));
        error.OutcomeUnknown.ShouldBeTrue();
        await Should.ThrowAsync<ConnectionLostException>(() => session.InvokeMethodAsync(Target, "m", new()).AsTask());
        https.Connections.ShouldBe(1);
    }

    [Fact]
    public async Task Invoke_SessionDisposed_EndsAndItsConnectionCloses()
    {
        var (session, _) = await hub.ConnectAsync(Options);
        var calling = session.InvokeMethodAsync(Target, "m", new()).AsTask();
        await https.TakeAsync();
        await session.DisposeAsync();
        await Should.ThrowAsync<ObjectDisposedException>(calling.WaitAsync(ScriptedHub.Patience));
        await https.ExpectEndAsync();
    }

    [Fact]
    public async Task Invoke_AnswerCutOff_IsOfUnknownOutcomeAndTheSessionLivesOn()
    {
        var (session, _) = await hub.ConnectAsync(Options);
        await using var __ = session;
        var calling = session.InvokeMethodAsync(Target, "m", new()).AsTask();
        await https.TakeAsync();
        await https.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{");
        https.Drop();
        (await Should.ThrowAsync<ConnectionLostException>(calling)).OutcomeUnknown.ShouldBeTrue();
        session.IsConnected.ShouldBeTrue();
    }

    [Fact]
    public async Task Invoke_NobodyListens_FailsToConnect()
    {
        var (session, _) = await hub.ConnectAsync(Options);
        await using var __ = session;
        await https.DisposeAsync();
        var error = await Should.ThrowAsync<ConnectFailedException>(() =>
            session.InvokeMethodAsync(Target, "m", new()).AsTask()
        );
        error.Message.ShouldContain(https.Port.ToString(CultureInfo.InvariantCulture));
    }

    [Fact]
    public async Task Invoke_ServerOfAnotherAuthority_IsNotTrusted()
    {
        await using var stranger = new HttpsServer(new TlsServer(new TestAuthority("another root").Server));
        var (session, _) = await hub.ConnectAsync(Options with { HttpsPort = stranger.Port });
        await using var __ = session;
        _ = stranger.TakeAsync();
        var error = await Should.ThrowAsync<ConnectFailedException>(() =>
            session.InvokeMethodAsync(Target, "m", new()).AsTask()
        );
        error.Message.ShouldContain("certificate");
    }

    [Fact]
    public async Task Invoke_WithClientCertificate_ShowsItAndSendsNoToken()
    {
        using var client = TestAuthority.Default.Issue("gateway");
        await using var asking = new HttpsServer(new TlsServer { AsksForCertificate = true });
        var (session, _) = await hub.ConnectAsync(
            Options with
            {
                HttpsPort = asking.Port,
                Credential = HubCredential.FromCertificate(client),
            }
        );
        await using var __ = session;
        var calling = session.InvokeMethodAsync(Target, "m", new()).AsTask();
        var request = await asking.TakeAsync();
        await asking.AnswerAsync(200, """{"status":200}""");
        await calling;
        request.ClientCertificate.ShouldBe(client.GetCertHashString());
        request.Headers.ShouldNotContainKey("Authorization");
        request.Headers.ShouldContainKey("x-ms-edge-moduleId");
    }

    [Fact]
    public async Task Invoke_Twice_UsesOneConnectionAndTwoTokens()
    {
        var (session, _) = await hub.ConnectAsync(Options with { TimeProvider = time });
        await using var __ = session;
        var tokens = new HashSet<string>();
        for (var i = 0; i < 2; i++)
        {
            var calling = session.InvokeMethodAsync(Target, "m", new()).AsTask();
            tokens.Add((await https.TakeAsync()).Headers["Authorization"]);
            await https.AnswerAsync(200, """{"status":200}""");
            await calling;
            time.Advance(TimeSpan.FromSeconds(1));
        }
        https.Connections.ShouldBe(1);
        tokens.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Invoke_Redirected_DoesNotFollow()
    {
        var (session, _) = await hub.ConnectAsync(Options);
        await using var __ = session;
        var calling = session.InvokeMethodAsync(Target, "m", new()).AsTask();
        await https.TakeAsync();
        await https.AnswerAsync(307, "", $"Location: https://127.0.0.1:{https.Port}/elsewhere\r\n");
        (await Should.ThrowAsync<HubServiceException>(calling)).Status.ShouldBe(307);
    }

    [Fact]
    public async Task Session_WithoutCalls_MakesNoHttpConnection()
    {
        var (session, _) = await hub.ConnectAsync(Options);
        await session.DisposeAsync();
        https.Connections.ShouldBe(0);
    }

    private async Task ShouldBeSentAsync(bool sent, MethodTarget target, string name, MethodInvocation invocation)
    {
        var (session, _) = await hub.ConnectAsync(Options);
        await using var __ = session;
        var calling = session.InvokeMethodAsync(target, name, invocation).AsTask();
        if (!sent)
        {
            (await Should.ThrowAsync<Exception>(calling)).ShouldBeAssignableTo<ArgumentException>();
            https.Connections.ShouldBe(0);
            return;
        }
        await https.TakeAsync();
        await https.AnswerAsync(200, """{"status":200}""");
        await calling;
    }

    private async Task<HttpsRequest> CallAsync(MethodTarget target)
    {
        var (session, _) = await hub.ConnectAsync(Options);
        await using var __ = session;
        var calling = session.InvokeMethodAsync(target, "m", new()).AsTask();
        var request = await https.TakeAsync();
        await https.AnswerAsync(200, """{"status":200}""");
        await calling;
        return request;
    }

    private async Task<MethodResult> ResultAsync(int status, string body)
    {
        var (session, _) = await hub.ConnectAsync(Options);
        await using var __ = session;
        var calling = session.InvokeMethodAsync(Target, "m", new()).AsTask();
        await https.TakeAsync();
        await https.AnswerAsync(status, body);
        return await calling;
    }
}
