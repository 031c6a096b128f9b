using System.Net.Http.Json;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace EdgeDm.Hub.Internal;

/// <summary>
/// The security daemon's workload API, over HTTP on a Unix socket (<c>unix:///path</c>) or TCP: the trust bundle and
/// signatures by the module's key. A connection per call: calls are an hour apart.
/// </summary>
internal sealed class WorkloadClient : IHubSigner
{
    private const string DefaultApiVersion = "2018-06-28";

    /// <summary>The daemon answers from memory; longer than this it is not well.</summary>
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(20);

    /// <summary>Most bytes of an answer; a trust bundle has a few certificates.</summary>
    private const int MaxAnswerBytes = 1024 * 1024;

    /// <summary>Linux: sockaddr_un without its end.</summary>
    private const int MaxSocketPathBytes = 107;

    private readonly Uri endpoint;
    private readonly string? socketPath;
    private readonly string apiVersion;
    private readonly string moduleId;
    private readonly string generationId;

    public WorkloadClient(string workloadUri, string? apiVersion, string moduleId, string generationId)
    {
        const string UnixScheme = "unix";
        if (
            !Uri.TryCreate(workloadUri, UriKind.Absolute, out var uri)
            || (uri.Scheme != UnixScheme && uri.Scheme != Uri.UriSchemeHttp)
        )
        {
            throw new EdgeEnvironmentException(
                "IOTEDGE_WORKLOADURI",
                $"'{workloadUri}' is neither unix:///path nor http://host:port."
            );
        }
        socketPath = uri.Scheme == UnixScheme ? uri.LocalPath : null;
        if (socketPath is not null && Encoding.UTF8.GetByteCount(socketPath) > MaxSocketPathBytes)
        {
            throw new EdgeEnvironmentException(
                "IOTEDGE_WORKLOADURI",
                $"the path of a socket has at most {MaxSocketPathBytes} bytes."
            );
        }
        endpoint = socketPath is null ? uri : new Uri("http://workload.sock/");
        this.apiVersion = Uri.EscapeDataString(string.IsNullOrEmpty(apiVersion) ? DefaultApiVersion : apiVersion);
        this.moduleId = moduleId;
        this.generationId = generationId;
    }

    public async ValueTask<byte[]> SignAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        var path =
            $"modules/{Uri.EscapeDataString(moduleId)}/genid/{Uri.EscapeDataString(generationId)}/sign?api-version={apiVersion}";
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(endpoint, path))
        {
            Content = JsonContent.Create(
                new SignRequest("primary", "HMACSHA256", Convert.ToBase64String(data.Span)),
                WorkloadJson.Default.SignRequest
            ),
        };
        // The daemon's parser wants a length, not chunks.
        await request.Content.LoadIntoBufferAsync(cancellationToken);
        var answer = await CallAsync(request, cancellationToken);
        try
        {
            var digest = JsonSerializer.Deserialize(answer, WorkloadJson.Default.SignResponse)?.Digest;
            return
                digest is not null && Convert.FromBase64String(digest) is { Length: HMACSHA256.HashSizeInBytes } bytes
                ? bytes
                : throw new WorkloadException("The workload API's answer to sign has no digest of HMAC-SHA256.");
        }
        catch (Exception error) when (error is JsonException or FormatException)
        {
            throw new WorkloadException("The workload API's answer to sign cannot be read.", error);
        }
    }

    public async ValueTask<string> GetTrustBundleAsync(CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(
            HttpMethod.Get,
            new Uri(endpoint, $"trust-bundle?api-version={apiVersion}")
        );
        var answer = await CallAsync(request, cancellationToken);
        try
        {
            return JsonSerializer.Deserialize(answer, WorkloadJson.Default.TrustBundleResponse)?.Certificate
                ?? throw new WorkloadException("The workload API's trust bundle has no certificate.");
        }
        catch (JsonException error)
        {
            throw new WorkloadException("The workload API's trust bundle cannot be read.", error);
        }
    }

    private async ValueTask<byte[]> CallAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            ConnectCallback = socketPath is null ? null : ConnectUnix,
        };
        using var http = new HttpClient(handler)
        {
            Timeout = CallTimeout,
            MaxResponseContentBufferSize = MaxAnswerBytes,
        };
        request.Headers.ConnectionClose = true;
        try
        {
            using var response = await http.SendAsync(request, cancellationToken);
            var body = await response.Content.ReadAsByteArrayAsync(cancellationToken);
            return response.IsSuccessStatusCode
                ? body
                : throw new WorkloadException(
                    $"The workload API answered {request.Method} {request.RequestUri!.AbsolutePath} with {(int)response.StatusCode}: {HubErrorBody.Read(body).Message}",
                    isTransient: (int)response.StatusCode is >= 500 or 404
                );
        }
        catch (Exception error) when (error is HttpRequestException or SocketException or IOException)
        {
            throw new WorkloadException($"The workload API cannot be reached: {error.Message}", error);
        }
        catch (TaskCanceledException error) when (!cancellationToken.IsCancellationRequested)
        {
            throw new WorkloadException($"The workload API did not answer within {CallTimeout.TotalSeconds} s.", error);
        }
    }

    private async ValueTask<Stream> ConnectUnix(
        SocketsHttpConnectionContext context,
        CancellationToken cancellationToken
    )
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath!), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}

internal sealed record SignRequest(string KeyId, string Algo, string Data);

internal sealed record SignResponse(string? Digest);

internal sealed record TrustBundleResponse(string? Certificate);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(SignRequest))]
[JsonSerializable(typeof(SignResponse))]
[JsonSerializable(typeof(TrustBundleResponse))]
internal sealed partial class WorkloadJson : JsonSerializerContext;
