using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace EdgeDm.Hub.Tests.Servers;

/// <summary>A scripted HTTPS server: the test says the bytes that it answers.</summary>
internal sealed class HttpsServer : IAsyncDisposable
{
    private readonly TlsServer server;
    private SslStream? current;

    /// <summary>Listens.</summary>
    public HttpsServer(TlsServer? server = null) => this.server = server ?? new();

    /// <summary>Where it listens.</summary>
    public int Port => server.Port;

    /// <summary>How many connections came.</summary>
    public int Connections => server.Accepted;

    /// <summary>The next request, on the connection that is open or on a new one.</summary>
    public async Task<HttpsRequest> TakeAsync()
    {
        if (current is null)
        {
            (_, current) = await server.AcceptAsync();
        }
        var head = await ReadHeadAsync(current);
        var lines = head.Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        var headers = lines[1..]
            .Select(line => line.Split(": ", 2))
            .ToDictionary(pair => pair[0], pair => pair[1], StringComparer.OrdinalIgnoreCase);
        var length = headers.TryGetValue("Content-Length", out var text)
            ? int.Parse(text, CultureInfo.InvariantCulture)
            : 0;
        var body = new byte[length];
        await current.ReadExactlyAsync(body);
        var certificate = current.RemoteCertificate?.GetCertHashString();
        return new(lines[0], headers, length == 0 ? default : JsonElement.Parse(body), certificate);
    }

    /// <summary>Answers on the same connection.</summary>
    public async Task AnswerAsync(int status, string body, string? headers = null) =>
        await SendAsync(
            $"HTTP/1.1 {status} Whatever\r\nContent-Type: application/json\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n{headers}\r\n{body}"
        );

    /// <summary>Sends any text.</summary>
    public async Task SendAsync(string text)
    {
        await current!.WriteAsync(Encoding.UTF8.GetBytes(text));
        await current.FlushAsync();
    }

    /// <summary>Closes the connection; a new one may come.</summary>
    public void Drop()
    {
        current?.Dispose();
        current = null;
    }

    /// <summary>Waits until the client has closed.</summary>
    public async Task ExpectEndAsync()
    {
        try
        {
            (await current!.ReadAsync(new byte[1])).ShouldBe(0);
        }
        catch (Exception error) when (error is IOException or SocketException)
        {
            // Closed without TLS's goodbye.
        }
    }

    /// <summary>Closes all.</summary>
    public ValueTask DisposeAsync()
    {
        current?.Dispose();
        return server.DisposeAsync();
    }

    private static async Task<string> ReadHeadAsync(Stream stream)
    {
        var head = new StringBuilder();
        var one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            await stream.ReadExactlyAsync(one);
            head.Append((char)one[0]);
        }
        return head.ToString();
    }
}

/// <summary>What came.</summary>
internal sealed record HttpsRequest(
    string Line,
    IDictionary<string, string> Headers,
    JsonElement Body,
    string? ClientCertificate
);
