using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using EdgeDm.Testing;

namespace EdgeDm.Hub.Tests.Servers;

/// <summary>A workload API on a Unix socket.</summary>
internal sealed class FakeWorkload : IAsyncDisposable
{
    public static readonly byte[] Key = "workload key"u8.ToArray();

    private readonly Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly Task serving;

    public FakeWorkload(string path)
    {
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        Answer = AnswerWell;
        serving = ServeAsync();
    }

    public List<string> Requests { get; } = [];

    public Func<JsonElement?, (int Status, string Body)> Answer { get; set; }

    public async ValueTask DisposeAsync()
    {
        listener.Dispose();
        await serving;
    }

    private static (int Status, string Body) AnswerWell(JsonElement? request)
    {
        if (request is not { } sign)
        {
            return (200, JsonSerializer.Serialize(new { certificate = TestAuthority.Default.RootPem }));
        }
        sign.GetProperty("keyId").GetString().ShouldBe("primary");
        sign.GetProperty("algo").GetString().ShouldBe("HMACSHA256");
        var digest = HMACSHA256.HashData(Key, sign.GetProperty("data").GetBytesFromBase64());
        return (200, JsonSerializer.Serialize(new { digest = Convert.ToBase64String(digest) }));
    }

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                using var client = await listener.AcceptAsync();
                await AnswerAsync(client);
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException or IOException)
        {
            // Closed, by the test or by a client that has read enough.
        }
    }

    private async Task AnswerAsync(Socket client)
    {
        await using var stream = new NetworkStream(client);
        using var reader = new StreamReader(stream);
        var request = (await reader.ReadLineAsync())!;
        Requests.Add(request[..request.LastIndexOf(' ')]);
        var length = 0;
        while (await reader.ReadLineAsync() is { Length: > 0 } header)
        {
            if (header.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase))
            {
                length = int.Parse(header.Split(':')[1]);
            }
        }
        var body = new char[length];
        if (length > 0)
        {
            await reader.ReadBlockAsync(body);
        }
        var (status, text) = Answer(length > 0 ? JsonElement.Parse(new string(body)) : null);
        await stream.WriteAsync(
            Encoding.UTF8.GetBytes(
                $"HTTP/1.1 {status} {(HttpStatusCode)status}\r\nContent-Type: application/json\r\n"
                    + $"Content-Length: {Encoding.UTF8.GetByteCount(text)}\r\nConnection: close\r\n\r\n{text}"
            )
        );
    }
}
