using System.Buffers;
using System.Net.Http.Headers;
using System.Net.Mime;

namespace EdgeDm.Hub.Internal;

/// <summary>
/// HTTPS to one host, for the few calls that MQTT does not have. Made with the first call: until then none of the platform's HTTP
/// is loaded. Never retries, never follows a redirect: the token is for this host.
/// </summary>
internal sealed class HubHttp : IDisposable
{
    /// <summary>Most bytes of an answer: a method's 128 KB, escaped, and its envelope.</summary>
    public const int MaxAnswerBytes = 256 * 1024;

    private const int MaxHeaderKilobytes = 16;

    private readonly HubSessionOptions options;
    private readonly string host;
    private readonly HttpMessageInvoker invoker;

    public HubHttp(HubSessionOptions options, string host)
    {
        this.options = options;
        this.host = host;
        invoker = Over(token => HubConnector.ConnectTlsAsync(options, host, options.HttpsPort, token));
    }

    /// <summary>Speaks HTTP over this stream.</summary>
    public static HttpMessageInvoker Over(Stream stream) => Over(_ => ValueTask.FromResult(stream));

    public void Dispose() => invoker.Dispose();

    /// <summary>Sends JSON and returns what came back, whatever its status.</summary>
    /// <exception cref="HubConnectionException">No answer came.</exception>
    public async ValueTask<HubAnswer> PostAsync(
        string path,
        ReadOnlyMemory<byte> json,
        HubPassword? password,
        string? edgeModuleId,
        CancellationToken cancellationToken
    )
    {
        // TLS is laid by the connection: "https" would lay it twice.
        var address = new UriBuilder("http", host, options.HttpsPort).Uri;
        using var content = new ReadOnlyMemoryContent(json);
        content.Headers.ContentType = new(MediaTypeNames.Application.Json, "utf-8");
        using var request = new HttpRequestMessage(
            HttpMethod.Post,
            new Uri(address, $"{path}?api-version={HubSessionOptions.ApiVersion}")
        )
        {
            Content = content,
        };
        Introduce(request.Headers, address, password, edgeModuleId);
        try
        {
            using var response = await invoker.SendAsync(request, cancellationToken);
            var body = await ReadAsync(response.Content, cancellationToken);
            return new((int)response.StatusCode, body);
        }
        catch (HttpRequestException error)
        {
            throw Failure(error);
        }
        catch (IOException error)
        {
            throw new ConnectionLostException(new(SessionEndReason.NetworkError, error), outcomeUnknown: true);
        }
    }

    private static HttpMessageInvoker Over(Func<CancellationToken, ValueTask<Stream>> connect) =>
        new(
            new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                ConnectCallback = (_, token) => connect(token),
                MaxResponseHeadersLength = MaxHeaderKilobytes,
                UseCookies = false,
                UseProxy = false, // The connection takes the session's.
            },
            disposeHandler: true
        );

    private void Introduce(HttpRequestHeaders headers, Uri address, HubPassword? password, string? edgeModuleId)
    {
        if (options.HttpsPort == HubSessionOptions.DefaultHttpsPort)
        {
            headers.Host = address.Host;
        }
        headers.TryAddWithoutValidation("User-Agent", Uri.EscapeDataString(options.Product));
        if (password is not null)
        {
            headers.TryAddWithoutValidation("Authorization", password.Value);
        }
        if (edgeModuleId is not null)
        {
            headers.TryAddWithoutValidation("x-ms-edge-moduleId", edgeModuleId);
        }
    }

    /// <summary>The body; null when it is longer than <see cref="MaxAnswerBytes"/>.</summary>
    private static async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(
        HttpContent content,
        CancellationToken cancellationToken
    )
    {
        const int Chunk = 8 * 1024;
        var body = new ArrayBufferWriter<byte>();
        await using var stream = await content.ReadAsStreamAsync(cancellationToken);
        while (body.WrittenCount <= MaxAnswerBytes)
        {
            var count = await stream.ReadAsync(body.GetMemory(Chunk), cancellationToken);
            if (count == 0)
            {
                return body.WrittenMemory;
            }
            body.Advance(count);
        }
        return null;
    }

    private HubConnectionException Failure(HttpRequestException error)
    {
        var connected =
            error.HttpRequestError
            is not (
                HttpRequestError.ConnectionError
                or HttpRequestError.NameResolutionError
                or HttpRequestError.SecureConnectionError
            );
        return connected
            ? new ConnectionLostException(new(SessionEndReason.NetworkError, error), outcomeUnknown: true)
            : new ConnectFailedException(
                $"Could not connect to {host}:{options.HttpsPort}: {(error.InnerException ?? error).Message}",
                error
            );
    }
}

/// <summary>An HTTP answer.</summary>
/// <param name="Status">Its status.</param>
/// <param name="Body">Null = too long.</param>
internal readonly record struct HubAnswer(int Status, ReadOnlyMemory<byte>? Body)
{
    /// <summary>The body of a success.</summary>
    /// <exception cref="HubServiceException">It is none, or too long.</exception>
    public ReadOnlyMemory<byte> Take() =>
        Body is not { } body
            ? throw new HubServiceException(Status, $"The hub's answer is over {HubHttp.MaxAnswerBytes} bytes.")
        : Status is >= 200 and < 300 ? body
        : throw HubErrorBody.Read(body.Span).ToException(Status);
}
