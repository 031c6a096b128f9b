using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace EdgeDm.Cli;

/// <summary>
/// IoT Hub's service REST interface, as much as <c>edgedm</c> needs; the dev hub speaks the same. Every failure is a
/// <see cref="ServiceException"/>. Retries nothing: what to do about a hub that is away is the caller's to say.
/// </summary>
internal sealed partial class ServiceClient : IDisposable
{
    private const string Query = "?api-version=2021-04-12";

    /// <summary>Most bytes of an answer: a page of twins has less.</summary>
    private const int MaxAnswerBytes = 4 * 1024 * 1024;

    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(30);
    private readonly HttpClient http;
    private readonly ServiceConnectionString connection;
    private readonly ServiceToken token;

    private ServiceClient(HttpClient http, ServiceConnectionString connection, TimeProvider time)
    {
        this.http = http;
        this.connection = connection;
        token = new(connection, time);
    }

    /// <summary>A client that connects when it is first used.</summary>
    /// <param name="connection">Whom to talk to.</param>
    /// <param name="trustedCa">Trusted instead of the system's CAs; null = the system's.</param>
    /// <param name="time">The clock, for tokens.</param>
    public static ServiceClient Create(
        ServiceConnectionString connection,
        X509Certificate2Collection? trustedCa,
        TimeProvider time
    )
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            // A proxy of the company's network does not lead to this machine.
            UseProxy = !new Uri($"https://{connection.Host}").IsLoopback,
        };
        if (trustedCa is not null)
        {
            var policy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck, // A CA of one's own publishes no list.
            };
            policy.CustomTrustStore.AddRange(trustedCa);
            handler.SslOptions.CertificateChainPolicy = policy;
        }
        var client = new HttpClient(handler)
        {
            BaseAddress = new($"https://{connection.Host}:{connection.Port}/"),
            Timeout = Timeout.InfiniteTimeSpan, // Each request has its own.
            MaxResponseContentBufferSize = MaxAnswerBytes,
        };
        return new(client, connection, time);
    }

    /// <summary>The twin of a module, or of the device when <paramref name="module"/> is null.</summary>
    public async Task<JsonObject> GetTwinAsync(string device, string? module, CancellationToken cancellationToken) =>
        Object(await SendAsync(HttpMethod.Get, Twin(device, module), null, AnswerTimeout, cancellationToken));

    /// <summary>Merges into a twin; 412 when <paramref name="etag"/> is no longer the twin's.</summary>
    public async Task<JsonObject> PatchTwinAsync(
        string device,
        string? module,
        JsonObject patch,
        string? etag,
        CancellationToken cancellationToken
    ) =>
        Object(
            await SendAsync(
                HttpMethod.Patch,
                Twin(device, module),
                Json(patch),
                AnswerTimeout,
                cancellationToken,
                request => request.Headers.IfMatch.Add(new EntityTagHeaderValue($"\"{etag ?? "*"}\""))
            )
        );

    /// <summary>Calls a direct method. Any status of the method itself is an answer, no error.</summary>
    /// <param name="device">The gateway.</param>
    /// <param name="module">Null = the device itself.</param>
    /// <param name="method">Its name.</param>
    /// <param name="payload">Null is sent as JSON null.</param>
    /// <param name="timeout">5 to 300 s; how long the method may take.</param>
    /// <param name="cancellationToken">Gives up; the method may run on.</param>
    public async Task<MethodAnswer> InvokeAsync(
        string device,
        string? module,
        string method,
        JsonNode? payload,
        TimeSpan timeout,
        CancellationToken cancellationToken
    )
    {
        var request = new JsonObject
        {
            ["methodName"] = method,
            ["responseTimeoutInSeconds"] = (int)timeout.TotalSeconds,
            ["connectTimeoutInSeconds"] = 0,
            ["payload"] = payload?.DeepClone(),
        };
        var answer = Object(
            await SendAsync(
                HttpMethod.Post,
                $"{Twin(device, module)[..^Query.Length]}/methods{Query}",
                Json(request),
                timeout + AnswerTimeout,
                cancellationToken
            )
        );
        return new(answer["status"]?.GetValue<int>() ?? 0, answer["payload"]?.DeepClone());
    }

    /// <summary>The identities of a gateway's modules.</summary>
    public async Task<JsonArray> ListModulesAsync(string device, CancellationToken cancellationToken) =>
        await SendAsync(
            HttpMethod.Get,
            $"devices/{Uri.EscapeDataString(device)}/modules{Query}",
            null,
            AnswerTimeout,
            cancellationToken
        ) as JsonArray
        ?? throw NoAnswer();

    public void Dispose() => http.Dispose();

    private async Task<JsonNode?> SendAsync(
        HttpMethod method,
        string address,
        HttpContent? content,
        TimeSpan timeout,
        CancellationToken cancellationToken,
        Action<HttpRequestMessage>? prepare = null
    )
    {
        using var request = new HttpRequestMessage(method, address) { Content = content };
        request.Headers.TryAddWithoutValidation("Authorization", token.Current);
        prepare?.Invoke(request);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(timeout);
        try
        {
            using var response = await http.SendAsync(request, limit.Token);
            var body = await response.Content.ReadAsStringAsync(limit.Token);
            if (response.IsSuccessStatusCode)
            {
                return body.Length == 0 ? null : JsonNode.Parse(body);
            }
            var code = response.Headers.TryGetValues("iothub-errorcode", out var codes) ? codes.FirstOrDefault() : null;
            throw ServiceErrors.FromAnswer((int)response.StatusCode, code, body, connection);
        }
        catch (HttpRequestException error)
        {
            throw ServiceErrors.FromNetwork(error, connection);
        }
        catch (JsonException error)
        {
            throw new ServiceException(
                ExitCodes.Failed,
                $"{connection.Host}:{connection.Port} did not answer with JSON. Is it an IoT Hub?",
                status: 200,
                inner: error
            );
        }
        catch (OperationCanceledException error) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ServiceException(
                ExitCodes.TimedOut,
                $"{connection.Host}:{connection.Port} did not answer within {timeout.TotalSeconds:N0} s.",
                inner: error
            );
        }
    }

    private static string Twin(string device, string? module) =>
        module is null
            ? $"twins/{Uri.EscapeDataString(device)}{Query}"
            : $"twins/{Uri.EscapeDataString(device)}/modules/{Uri.EscapeDataString(module)}{Query}";

    private static StringContent Json(JsonNode node) => new(JsonText.Compact(node), Encoding.UTF8, "application/json");

    private static JsonObject Object(JsonNode? answer) => answer as JsonObject ?? throw NoAnswer();

    private static ServiceException NoAnswer() =>
        new(ExitCodes.Failed, "The hub's answer has not the form that IoT Hub's has.", status: 200);
}

/// <summary>A direct method's answer.</summary>
/// <param name="Status">The module's own status.</param>
/// <param name="Payload">JSON; null when there is none.</param>
internal sealed record MethodAnswer(int Status, JsonNode? Payload)
{
    public bool IsSuccess => Status is >= 200 and < 300;
}
