using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace EdgeDm.Testing;

/// <summary>The service REST API as an operator's program uses it.</summary>
internal sealed class HubService : IDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private const string Version = "?api-version=2021-04-12";

    private readonly HttpClient http;
    private readonly string device;

    /// <param name="connectionString">With a port behind the host name when it is not 443.</param>
    /// <param name="roots">What the hub's certificate chains to.</param>
    /// <param name="device">The gateway.</param>
    public HubService(string connectionString, X509Certificate2Collection roots, string device)
    {
        this.device = device;
        var parts = connectionString
            .Split(';')
            .Select(p => p.Split('=', 2))
            .ToDictionary(p => p[0].Trim(), p => p[1].Trim(), StringComparer.Ordinal);
        var handler = new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions
            {
                CertificateChainPolicy = new X509ChainPolicy
                {
                    TrustMode = X509ChainTrustMode.CustomRootTrust,
                    RevocationMode = X509RevocationMode.NoCheck,
                },
            },
        };
        handler.SslOptions.CertificateChainPolicy.CustomTrustStore.AddRange(roots);
        http = new(handler) { BaseAddress = new($"https://{parts["HostName"]}/") };
        var token = Token(parts["HostName"].Split(':')[0], parts["SharedAccessKeyName"], parts["SharedAccessKey"]);
        http.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", token);
    }

    public async Task<JsonObject> TwinAsync(string module = "DeviceManagement") =>
        (await SendAsync(HttpMethod.Get, $"twins/{device}/modules/{module}{Version}", null)).AsObject();

    public async Task<JsonObject> ReportedAsync(string module = "DeviceManagement") =>
        (await TwinAsync(module))["properties"]!["reported"]!.AsObject();

    public async Task DesireAsync(JsonObject desired, string module = "DeviceManagement")
    {
        var patch = new JsonObject { ["properties"] = new JsonObject { ["desired"] = desired.DeepClone() } };
        await SendAsync(HttpMethod.Patch, $"twins/{device}/modules/{module}{Version}", patch);
    }

    /// <summary>Registers a device, below an Edge device if a scope is given; returns its primary key.</summary>
    public async Task<string> AddDeviceAsync(string id, string? scope = null)
    {
        var body = new JsonObject { ["deviceId"] = id, ["deviceScope"] = scope };
        var made = await SendAsync(HttpMethod.Put, $"devices/{id}{Version}", body);
        return (string)made["authentication"]!["symmetricKey"]!["primaryKey"]!;
    }

    /// <summary>Deploys to the gateway: the object under <c>modulesContent</c>.</summary>
    public async Task ApplyAsync(JsonObject modulesContent)
    {
        var body = new JsonObject { ["modulesContent"] = modulesContent.DeepClone() };
        using var content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        using var answer = await http.PostAsync($"devices/{device}/applyConfigurationContent{Version}", content);
        answer.StatusCode.ShouldBe(HttpStatusCode.NoContent, await answer.Content.ReadAsStringAsync());
    }

    /// <summary>The dev hub's own state: modules with their processes, routes, what waits.</summary>
    public async Task<JsonObject> StatusAsync() => (await SendAsync(HttpMethod.Get, "devhub/status", null)).AsObject();

    /// <summary>Puts a message into an input, as if a route had brought it.</summary>
    public async Task SendToInputAsync(string module, string input, string schema, string messageId, string json)
    {
        var query = $"schema={schema}&%24.mid={messageId}&%24.ct=application%2Fjson&%24.ce=utf-8";
        using var content = new StringContent(json, Encoding.UTF8, "application/json");
        using var answer = await http.PostAsync($"devhub/modules/{module}/inputs/{input}?{query}", content);
        answer.StatusCode.ShouldBe(HttpStatusCode.NoContent, await answer.Content.ReadAsStringAsync());
    }

    /// <summary>Calls a method and returns its status and payload.</summary>
    public Task<(int Status, JsonNode? Payload)> CallAsync(
        string method,
        JsonNode? payload = null,
        string module = "DeviceManagement"
    ) => CallAtAsync($"twins/{device}/modules/{module}", method, payload);

    /// <summary>Calls a method of a device that is not the gateway.</summary>
    public Task<(int Status, JsonNode? Payload)> CallDeviceAsync(string id, string method, JsonNode? payload) =>
        CallAtAsync($"twins/{id}", method, payload);

    /// <summary>A device, its twin or its module, by its path.</summary>
    public async Task<JsonObject> GetAsync(string path) =>
        (await SendAsync(HttpMethod.Get, path + Version, null)).AsObject();

    /// <summary>Sets desired properties of a device.</summary>
    public Task DesireOfDeviceAsync(string id, JsonObject desired) =>
        SendAsync(
            HttpMethod.Patch,
            $"twins/{id}{Version}",
            new JsonObject { ["properties"] = new JsonObject { ["desired"] = desired.DeepClone() } }
        );

    /// <summary>Sends a message from the cloud to a device, its properties as in a topic.</summary>
    public async Task SendToDeviceAsync(string id, string text, string properties)
    {
        using var content = new StringContent(text, Encoding.UTF8, "text/plain");
        using var answer = await http.PostAsync($"devhub/devices/{id}/messages?{properties}", content);
        answer.StatusCode.ShouldBe(HttpStatusCode.NoContent, await answer.Content.ReadAsStringAsync());
    }

    /// <summary>Has the hub write desired properties of all devices that a condition means.</summary>
    public Task ScheduleTwinJobAsync(string jobId, string condition, JsonObject desired) =>
        SendAsync(
            HttpMethod.Put,
            $"jobs/v2/{jobId}{Version}",
            new JsonObject
            {
                ["type"] = "scheduleUpdateTwin",
                ["queryCondition"] = condition,
                ["updateTwin"] = new JsonObject
                {
                    ["etag"] = "*",
                    ["properties"] = new JsonObject { ["desired"] = desired.DeepClone() },
                },
                ["maxExecutionTimeInSeconds"] = 60,
            }
        );

    /// <summary>A job as soon as it has ended; its module may restart with its host meanwhile.</summary>
    public Task<JsonNode> WaitForJobEndAsync(string jobId) =>
        WaitAsync(async () =>
        {
            try
            {
                var (status, job) = await CallAsync("getJob", new JsonObject { ["jobId"] = jobId });
                return status == 200 && (string?)job!["status"] is "completed" or "failed" ? job : null;
            }
            catch (ShouldAssertException)
            {
                return null; // The module is not connected.
            }
        });

    /// <summary>Messages that went upstream since the hub started, oldest first.</summary>
    public async Task<JsonArray> UpstreamAsync() =>
        (await SendAsync(HttpMethod.Get, "devhub/upstream?after=0", null)).AsArray();

    /// <summary>The reported properties as soon as they fit.</summary>
    public Task<JsonObject> WaitForReportedAsync(
        Func<JsonObject, bool> fits,
        string module = "DeviceManagement",
        TimeSpan? limit = null
    ) => WaitAsync(async () => await ReportedAsync(module) is var reported && fits(reported) ? reported : null, limit);

    /// <summary>The reported group as soon as the deployment has ended.</summary>
    public async Task<JsonObject> WaitForEndAsync(string workflow, TimeSpan? limit = null)
    {
        var reported = await WaitForReportedAsync(
            r =>
                (string?)r["firmwareUpdate"]?["__meta"]?["deploymentId"] == workflow
                && (string?)r["firmwareUpdate"]?["__meta"]?["deploymentStatus"] is "succeeded" or "failed",
            limit: limit
        );
        return reported["firmwareUpdate"]!.AsObject();
    }

    /// <summary>Asks again and again, with a limit.</summary>
    public static async Task<T> WaitAsync<T>(Func<Task<T?>> ask, TimeSpan? limit = null, TimeSpan? every = null)
        where T : class
    {
        using var patience = new CancellationTokenSource(limit ?? Patience);
        using var period = new PeriodicTimer(every ?? TimeSpan.FromMilliseconds(100));
        while (true)
        {
            if (await ask() is { } found)
            {
                return found;
            }
            await period.WaitForNextTickAsync(patience.Token);
        }
    }

    /// <summary>Any request, and whatever comes of it.</summary>
    public async Task<(int Status, JsonNode? Body)> RequestAsync(HttpMethod method, string path, JsonNode? body = null)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.TryAddWithoutValidation("If-Match", method == HttpMethod.Delete ? "*" : null);
        if (body is not null)
        {
            request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        }
        using var answer = await http.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        return ((int)answer.StatusCode, text.StartsWith('{') || text.StartsWith('[') ? JsonNode.Parse(text) : null);
    }

    /// <summary>Puts a text where its address says that it may be put; returns the status.</summary>
    public async Task<int> PutTextAsync(string path, string text)
    {
        using var content = new StringContent(text);
        using var answer = await http.PutAsync(path, content);
        return (int)answer.StatusCode;
    }

    /// <summary>A text.</summary>
    public Task<string> TextAsync(string path) => http.GetStringAsync(path);

    public void Dispose() => http.Dispose();

    private async Task<(int Status, JsonNode? Payload)> CallAtAsync(string twin, string method, JsonNode? payload)
    {
        var body = new JsonObject
        {
            ["methodName"] = method,
            ["payload"] = payload?.DeepClone(),
            ["responseTimeoutInSeconds"] = 20,
            ["connectTimeoutInSeconds"] = 30,
        };
        var answer = await SendAsync(HttpMethod.Post, $"{twin}/methods{Version}", body);
        return ((int)answer["status"]!, answer["payload"]);
    }

    private async Task<JsonNode> SendAsync(HttpMethod method, string path, JsonNode? body)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
        {
            request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        }
        using var answer = await http.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        answer.StatusCode.ShouldBe(HttpStatusCode.OK, text);
        return JsonNode.Parse(text) ?? throw new JsonException("null");
    }

    private static string Token(string host, string policy, string key)
    {
        var expiry = DateTimeOffset.UtcNow.AddYears(20).ToUnixTimeSeconds();
        var resource = Uri.EscapeDataString(host);
        var signature = HMACSHA256.HashData(
            Convert.FromBase64String(key),
            Encoding.UTF8.GetBytes($"{resource}\n{expiry}")
        );
        return $"SharedAccessSignature sr={resource}&sig={Uri.EscapeDataString(Convert.ToBase64String(signature))}&se={expiry}&skn={policy}";
    }
}
