using System.Net.Sockets;
using System.Text;
using EdgeDm.Contracts;
using EdgeDm.HostAccess.Tests.Support;

namespace EdgeDm.HostAccess.Tests.Threats;

/// <summary>
/// Requests without end and clients that never read, at the real program's socket with its real bounds. Each ends by HostAccess's own
/// doing, and others are served meanwhile.
/// </summary>
public sealed class HostileClientTests(HostileClientTests.Fixture fixture) : IClassFixture<HostileClientTests.Fixture>
{
    private const int Chunk = 64 * 1024;
    private const long MostMemory = 64 * 1024 * 1024; // Beyond what it had before; the whole of an attack is more.

    private TestGateway Gateway => fixture.Gateway;

    [Fact]
    public async Task Post_BodyWithoutEnd_IsCutOffAtTheLimit()
    {
        using var socket = await ConnectAsync();
        await SendAsync(
            socket,
            $"POST /v1/updates HTTP/1.1\r\nHost: h\r\n{TestGateway.VersionLine}Transfer-Encoding: chunked\r\n\r\n"
        );
        var chunk = Encoding.ASCII.GetBytes($"{Chunk:x}\r\n{new string(' ', Chunk)}\r\n");
        (await FloodAsync(socket, chunk, 256 * 1024 * 1024)).ShouldBeLessThan(16 * 1024 * 1024);
        await IsServedAsync();
    }

    [Fact]
    public async Task Post_AnnouncedBodyAboveTheLimit_IsRefusedBeforeItComes()
    {
        using var socket = await ConnectAsync();
        await SendAsync(
            socket,
            $"POST /v1/updates HTTP/1.1\r\nHost: h\r\n{TestGateway.VersionLine}Content-Length: 99999999999\r\n\r\n"
        );
        (await ReadAsync(socket)).ShouldContain("tooLarge");
    }

    [Theory]
    [InlineData("GET /v1?")]
    [InlineData("GET /v1 HTTP/1.1\r\nX: ")]
    public async Task Get_HeadWithoutEnd_IsCutOff(string start)
    {
        using var socket = await ConnectAsync();
        await SendAsync(socket, start);
        var flood = Encoding.ASCII.GetBytes(new string('a', Chunk));
        (await FloodAsync(socket, flood, 64 * 1024 * 1024)).ShouldBeLessThan(4 * 1024 * 1024);
        await IsServedAsync();
    }

    [Fact]
    public async Task Get_HeadersWithoutEnd_IsCutOff()
    {
        using var socket = await ConnectAsync();
        await SendAsync(socket, "GET /v1 HTTP/1.1\r\nHost: h\r\n");
        var flood = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("A: b\r\n", Chunk / 6)));
        (await FloodAsync(socket, flood, 64 * 1024 * 1024)).ShouldBeLessThan(4 * 1024 * 1024);
        await IsServedAsync();
    }

    [Fact]
    public async Task Post_JsonNestedWithoutEnd_IsRefused()
    {
        using var body = new StringContent(
            """{"commandId":"deep","updateManifest":"{}","updateManifestSignature":"a.b.c","x":"""
                + new string('[', 400_000)
        );
        using var answer = await Gateway.Verbs.PostAsync(HostApi.Updates, body);
        (await TestGateway.ErrorAsync(answer, System.Net.HttpStatusCode.BadRequest)).Name.ShouldBe("invalidJson");
    }

    [Fact]
    public async Task Get_ClientThatNeverReads_IsHeldUpAndThenDropped()
    {
        var before = MemoryOf(Gateway.ProcessId);
        using var socket = await ConnectAsync();
        var requests = Encoding.ASCII.GetBytes(
            string.Concat(
                Enumerable.Repeat($"GET /v1/inventory HTTP/1.1\r\nHost: h\r\n{TestGateway.VersionLine}\r\n", 1000)
            )
        );
        // HostAccess stops to read as soon as it cannot write, and after a grace of seconds gives the connection up.
        var sent = await FloodAsync(socket, requests, 256 * 1024 * 1024);
        sent.ShouldBeLessThan(16 * 1024 * 1024);
        (MemoryOf(Gateway.ProcessId) - before).ShouldBeLessThan(MostMemory);
        await IsServedAsync();
    }

    private Task<Socket> ConnectAsync() => ConnectAsync(Gateway.SocketOf("verbs"));

    private static async Task<Socket> ConnectAsync(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path));
        return socket;
    }

    private static Task<int> SendAsync(Socket socket, string text) => socket.SendAsync(Encoding.ASCII.GetBytes(text));

    /// <summary>Sends the same again and again until the other side ends it; returns the bytes that it took. Never reads.</summary>
    private static async Task<long> FloodAsync(Socket socket, byte[] bytes, long most)
    {
        using var limit = new CancellationTokenSource(TestGateway.Patience);
        long sent = 0;
        try
        {
            while (sent < most)
            {
                sent += await socket.SendAsync(bytes, limit.Token);
            }
        }
        catch (SocketException)
        {
            // Closed by HostAccess.
        }
        return sent;
    }

    private static async Task<string> ReadAsync(Socket socket)
    {
        var buffer = new byte[4096];
        var count = await socket.ReceiveAsync(buffer).WaitAsync(TestGateway.Patience);
        return Encoding.UTF8.GetString(buffer, 0, count);
    }

    private async Task IsServedAsync() =>
        (await Gateway.GetAsync(HostApi.Root, ContractsJson.Default.HostAccessInfo)).Program.ShouldBe(
            "EdgeDm.HostAccess"
        );

    private static long MemoryOf(int processId)
    {
        var line = File.ReadLines($"/proc/{processId}/status")
            .Single(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]) * 1024;
    }

    public sealed class Fixture : IAsyncLifetime
    {
        internal TestGateway Gateway { get; } = new();

        public async ValueTask InitializeAsync() => await Gateway.StartProcessAsync();

        public ValueTask DisposeAsync() => Gateway.DisposeAsync();
    }
}
