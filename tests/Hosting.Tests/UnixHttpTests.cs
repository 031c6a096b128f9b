using System.Net.Sockets;
using System.Text;

namespace EdgeDm.Hosting.Tests;

public sealed class UnixHttpTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);
    private readonly string folder = Directory.CreateTempSubdirectory("edgedm-").FullName;

    private string SocketPath => Path.Combine(folder, "s.sock");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("unix:/run/edgedm/verbs/host-access.sock", "/run/edgedm/verbs/host-access.sock")]
    [InlineData("unix:///run/a%20b/x.sock", "/run/a b/x.sock")]
    public void PathOf_UnixEndpoint_IsItsPath(string endpoint, string path) => UnixHttp.PathOf(endpoint).ShouldBe(path);

    [Theory]
    [InlineData("")]
    [InlineData("/run/x.sock")]
    [InlineData("http://localhost/")]
    [InlineData("unix:relative.sock")]
    [InlineData("unix://host/x.sock")]
    public void PathOf_AnythingElse_IsMisconfigured(string endpoint) =>
        Should.Throw<MisconfiguredException>(() => UnixHttp.PathOf(endpoint));

    [Fact]
    public void PathOf_LongestPath_IsTaken() => UnixHttp.PathOf("unix:/" + new string('x', 106)).Length.ShouldBe(107);

    [Fact]
    public void PathOf_OneByteMore_IsMisconfigured() =>
        Should
            .Throw<MisconfiguredException>(() => UnixHttp.PathOf("unix:/" + new string('x', 107)))
            .Message.ShouldContain("108");

    [Fact]
    public async Task GetString_ServerRestarted_ConnectsAnew()
    {
        using var client = UnixHttp.CreateClient("unix:" + SocketPath);

        (await AnswerOnceAsync(client, "one")).ShouldBe("one");
        File.Delete(SocketPath);
        (await AnswerOnceAsync(client, "two")).ShouldBe("two");
    }

    [Fact]
    public async Task GetString_NoSocket_ThrowsHttpRequestException()
    {
        using var client = UnixHttp.CreateClient("unix:" + SocketPath);

        await Should.ThrowAsync<HttpRequestException>(() => client.GetStringAsync("/v1").WaitAsync(Limit));
    }

    private async Task<string> AnswerOnceAsync(HttpClient client, string text)
    {
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(SocketPath));
        listener.Listen();
        var got = client.GetStringAsync("/v1");
        using var connection = await listener.AcceptAsync().WaitAsync(Limit);
        var request = new byte[4096];
        var read = await connection.ReceiveAsync(request).WaitAsync(Limit);
        Encoding.ASCII.GetString(request, 0, read).ShouldStartWith("GET /v1 HTTP/1.1\r\n");
        await connection.SendAsync(
            Encoding.ASCII.GetBytes(
                $"HTTP/1.1 200 OK\r\nContent-Length: {text.Length}\r\nConnection: close\r\n\r\n{text}"
            )
        );
        return await got.WaitAsync(Limit);
    }
}
