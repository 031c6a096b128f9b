using System.Net.Sockets;
using EdgeDm.Hub.Tests.Servers;
using EdgeDm.Testing;

namespace EdgeDm.Hub.Tests;

public sealed class BlobUploadTests : IAsyncLifetime
{
    private const string Hub = "contoso.azure-devices.net";
    private const string Answer =
        """{"correlationId":"c1","hostName":"store.blob.core.windows.net","containerName":"files","blobName":"gateway/a b/c#.log","sasToken":"?sv=1&sig=secret"}""";

    private readonly ScriptedHub hub = new();

    // The hub itself, whose name the certificate must carry, also for a device behind a gateway.
    private readonly HttpsServer https = new(new TlsServer(TestAuthority.Default.Issue(Hub)));

    private HubSessionOptions Options =>
        hub.Options with
        {
            ModuleId = null,
            HttpsPort = https.Port,
            ConnectCallback = async (endpoint, token) =>
            {
                if (endpoint.Port == https.Port)
                {
                    endpoint.Host.ShouldBe(Hub);
                }
                var client = new TcpClient();
                await client.ConnectAsync("127.0.0.1", endpoint.Port, token);
                return client.GetStream();
            },
        };

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await https.DisposeAsync();
        await hub.DisposeAsync();
    }

    [Fact]
    public async Task GetInfo_AsksTheHubAndNotTheGateway()
    {
        var (session, _) = await hub.ConnectAsync(Options);
        await using var __ = session;
        var asking = session.GetBlobUploadInfoAsync("a b/c#.log").AsTask();
        var request = await https.TakeAsync();
        await https.AnswerAsync(200, Answer);
        var info = await asking;

        request.Line.ShouldBe("POST /devices/gateway/files?api-version=2021-04-12 HTTP/1.1");
        request.Headers["Host"].ShouldStartWith(Hub);
        request
            .Headers["Authorization"]
            .ShouldStartWith("SharedAccessSignature sr=contoso.azure-devices.net%2Fdevices%2Fgateway&sig=");
        request.Headers.ShouldNotContainKey("x-ms-edge-moduleId");
        request.Body.ToString().ShouldBe("""{"blobName":"a b/c#.log"}""");
        info.CorrelationId.ShouldBe("c1");
        info.BlobUri.AbsoluteUri.ShouldBe("https://store.blob.core.windows.net/files/gateway/a%20b/c%23.log");
        info.GetUploadUri()
            .AbsoluteUri.ShouldBe("https://store.blob.core.windows.net/files/gateway/a%20b/c%23.log?sv=1&sig=secret");
    }

    [Fact]
    public async Task GetInfo_Printed_ShowsNoSignature()
    {
        var info = await InfoAsync(200, Answer);
        info.ToString().ShouldBe("upload c1 to https://store.blob.core.windows.net/files/gateway/a%20b/c%23.log");
        info.GetType().GetProperties().ShouldAllBe(p => !$"{p.GetValue(info)}".Contains("secret"));
    }

    [Fact]
    public async Task GetInfo_TokenWithoutQuestionMark_IsAQueryAllTheSame() =>
        (await InfoAsync(200, Answer.Replace("?sv", "sv"))).GetUploadUri().Query.ShouldBe("?sv=1&sig=secret");

    [Fact]
    public async Task GetInfo_HostWithAPort_IsCalledThere() =>
        (
            await InfoAsync(200, Answer.Replace("store.blob.core.windows.net", "hub.local:8443"))
        ).BlobUri.AbsoluteUri.ShouldBe("https://hub.local:8443/files/gateway/a%20b/c%23.log");

    [Theory]
    [InlineData("correlationId")]
    [InlineData("hostName")]
    [InlineData("containerName")]
    [InlineData("blobName")]
    [InlineData("sasToken")]
    public async Task GetInfo_AnswerLacksAPart_IsTheHubsErrorWithoutTheSignature(string part)
    {
        var error = await Should.ThrowAsync<HubServiceException>(() =>
            InfoAsync(200, Answer.Replace($"\"{part}\"", "\"other\""))
        );
        error.ToString().ShouldNotContain("secret");
    }

    [Theory]
    [InlineData("store/../evil")]
    [InlineData("a@b")]
    [InlineData("")]
    public async Task GetInfo_HostThatIsNone_IsTheHubsError(string host) =>
        await Should.ThrowAsync<HubServiceException>(() =>
            InfoAsync(200, Answer.Replace("store.blob.core.windows.net", host))
        );

    [Fact]
    public async Task GetInfo_Refused_TellsStatusAndTrackingId()
    {
        var error = await Should.ThrowAsync<HubServiceException>(() =>
            InfoAsync(
                403,
                """{"Message":"ErrorCode:InvalidStorage","ExceptionMessage":"Tracking ID:77-G:3-TimeStamp:x"}"""
            )
        );
        error.Status.ShouldBe(403);
        error.TrackingId.ShouldBe("77-G:3");
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1024, true)]
    [InlineData(1025, false)]
    public async Task GetInfo_NameAtItsLimit_IsSentAndAboveIsNot(int length, bool sent)
    {
        var (session, _) = await hub.ConnectAsync(Options);
        await using var __ = session;
        var asking = session.GetBlobUploadInfoAsync(new('b', length)).AsTask();
        if (!sent)
        {
            (await Should.ThrowAsync<Exception>(asking)).ShouldBeAssignableTo<ArgumentException>();
            return;
        }
        await https.TakeAsync();
        await https.AnswerAsync(200, Answer);
        await asking;
    }

    [Fact]
    public async Task GetInfo_NoAnswer_EndsAfterTheOperationTimeout()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var (session, _) = await hub.ConnectAsync(
            Options with
            {
                TimeProvider = time,
                KeepAlive = TimeSpan.FromSeconds(600),
            }
        );
        await using var __ = session;
        var asking = session.GetBlobUploadInfoAsync("b").AsTask();
        await https.TakeAsync();
        time.Advance(TimeSpan.FromSeconds(60));
        await Should.ThrowAsync<TimeoutException>(asking.WaitAsync(ScriptedHub.Patience));
    }

    [Fact]
    public async Task Notify_TellsTheOutcome()
    {
        var (session, _) = await hub.ConnectAsync(Options);
        await using var __ = session;
        var telling = session.NotifyBlobUploadAsync(new("c1", true, 201, "Created")).AsTask();
        var request = await https.TakeAsync();
        await https.SendAsync("HTTP/1.1 204 No Content\r\n\r\n");
        await telling;

        request.Line.ShouldBe("POST /devices/gateway/files/notifications?api-version=2021-04-12 HTTP/1.1");
        request
            .Body.ToString()
            .ShouldBe("""{"correlationId":"c1","isSuccess":true,"statusCode":201,"statusDescription":"Created"}""");
    }

    [Fact]
    public async Task Notify_Refused_TellsTheStatus()
    {
        var (session, _) = await hub.ConnectAsync(Options);
        await using var __ = session;
        var telling = session.NotifyBlobUploadAsync(new("c1", false, 500)).AsTask();
        (await https.TakeAsync()).Body.GetProperty("isSuccess").GetBoolean().ShouldBeFalse();
        await https.AnswerAsync(404, """{"Message":"no such upload"}""");
        (await Should.ThrowAsync<HubServiceException>(telling)).Message.ShouldContain("no such upload");
    }

    [Theory]
    [InlineData(0, 0, false)]
    [InlineData(1024, 1024, true)]
    [InlineData(1025, 0, false)]
    [InlineData(1, 1025, false)]
    public async Task Notify_TextsAtTheirLimit_AreSentAndAboveAreNot(int id, int words, bool sent)
    {
        var (session, _) = await hub.ConnectAsync(Options);
        await using var __ = session;
        var telling = session.NotifyBlobUploadAsync(new(new('c', id), true, 0, new('w', words))).AsTask();
        if (!sent)
        {
            (await Should.ThrowAsync<Exception>(telling)).ShouldBeAssignableTo<ArgumentException>();
            return;
        }
        await https.TakeAsync();
        await https.AnswerAsync(204, "");
        await telling;
    }

    [Fact]
    public async Task Both_ByAModule_AreRefused()
    {
        var (session, _) = await hub.ConnectAsync(Options with { ModuleId = "Module" });
        await using var __ = session;
        await Should.ThrowAsync<InvalidOperationException>(() => session.GetBlobUploadInfoAsync("b").AsTask());
        await Should.ThrowAsync<InvalidOperationException>(() =>
            session.NotifyBlobUploadAsync(new("c1", true, 200)).AsTask()
        );
    }

    private async Task<BlobUploadInfo> InfoAsync(int status, string body)
    {
        var (session, _) = await hub.ConnectAsync(Options);
        await using var __ = session;
        var asking = session.GetBlobUploadInfoAsync("b").AsTask();
        await https.TakeAsync();
        await https.AnswerAsync(status, body);
        return await asking;
    }
}
