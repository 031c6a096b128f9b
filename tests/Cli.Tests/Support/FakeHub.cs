using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using EdgeDm.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace EdgeDm.Cli.Tests;

/// <summary>
/// A hub that answers what a test scripts: for each request ("GET /twins/..."), answers in order, the last one again and
/// again. Checks the SAS token as IoT Hub does.
/// </summary>
internal sealed class FakeHub : IAsyncDisposable
{
    public const string Twin = "/twins/gateway/modules/DeviceManagement";

    private readonly byte[] key = RandomNumberGenerator.GetBytes(32);
    private readonly ConcurrentDictionary<string, Queue<Answer>> script = new(StringComparer.Ordinal);
    private readonly TemporaryFolder folder = new();
    private readonly WebApplication app;

    private FakeHub(WebApplication app) => this.app = app;

    public ConcurrentQueue<Request> Requests { get; } = new();

    public int Port => new Uri(app.Urls.Single()).Port;

    public string CaFile => folder["ca.pem"];

    public string ConnectionString => $"HostName=127.0.0.1:{Port};{Policy}";

    public string Key => Convert.ToBase64String(key);

    public string Policy => $"SharedAccessKeyName=iothubowner;SharedAccessKey={Key}";

    /// <summary>The environment that leads the program here.</summary>
    public Dictionary<string, string> Environment =>
        new() { ["EDGEDM_CONNECTION_STRING"] = ConnectionString, ["EDGEDM_CA_FILE"] = CaFile };

    public static async Task<FakeHub> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(TestAuthority.Default.Server))
        );
        var hub = new FakeHub(builder.Build());
        File.WriteAllText(hub.CaFile, TestAuthority.Default.RootPem);
        hub.app.Run(hub.AnswerAsync);
        await hub.app.StartAsync();
        return hub;
    }

    /// <summary>The next answer to a request.</summary>
    public FakeHub On(string request, int status, string body, string? errorCode = null)
    {
        script.GetOrAdd(request, _ => new()).Enqueue(new(status, body, errorCode));
        return this;
    }

    /// <summary>The next answer to a direct method of DeviceManagement.</summary>
    public FakeHub OnMethod(string name, int status, string payload) =>
        On($"{name}()", 200, $$"""{"status":{{status}},"payload":{{payload}}}""");

    /// <summary>The next answer to a direct method: not there.</summary>
    public FakeHub OnMethodAway(string name) =>
        On(
            $"{name}()",
            404,
            """{"Message":"{\"errorCode\":404103,\"trackingId\":\"x\",\"message\":\"The operation failed because the requested device isn't online.\"}","ExceptionMessage":""}""",
            "DeviceNotOnline"
        );

    public Task<EdgeDmResult> RunAsync(params string[] args) => EdgeDmProcess.RunAsync(Environment, "", args);

    public async ValueTask DisposeAsync()
    {
        await app.EndAsync();
        folder.Dispose();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body);
        var request = new Request(
            context.Request.Method,
            context.Request.Path,
            context.Request.QueryString.Value ?? "",
            context.Request.Headers.IfMatch.ToString(),
            context.Request.ContentType ?? "",
            await reader.ReadToEndAsync()
        );
        Requests.Enqueue(request);
        var answer = IsAuthorized(context.Request.Headers.Authorization.ToString())
            ? Next(request)
            : new(401, """{"Message":"ErrorCode:IotHubUnauthorizedAccess;Unauthorized"}""", "IotHubUnauthorizedAccess");
        context.Response.StatusCode = answer.Status;
        if (answer.ErrorCode is not null)
        {
            context.Response.Headers["iothub-errorcode"] = answer.ErrorCode;
        }
        await context.Response.WriteAsync(answer.Body);
    }

    private Answer Next(Request request)
    {
        var name =
            request.Path == $"{Twin}/methods" && JsonNode.Parse(request.Body)!["methodName"] is { } method
                ? $"{method}()"
                : $"{request.Method} {request.Path}";
        if (!script.TryGetValue(name, out var answers))
        {
            return new(404, $$"""{"Message":"ErrorCode:DeviceNotFound;{{name}} is not scripted"}""", "DeviceNotFound");
        }
        lock (answers)
        {
            return answers.Count > 1 ? answers.Dequeue() : answers.Peek();
        }
    }

    private bool IsAuthorized(string header)
    {
        const string Scheme = "SharedAccessSignature ";
        if (!header.StartsWith(Scheme, StringComparison.Ordinal))
        {
            return false;
        }
        var parts = header[Scheme.Length..]
            .Split('&')
            .Select(part => part.Split('=', 2))
            .ToDictionary(p => p[0], p => p[1]);
        var signature = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes($"{parts["sr"]}\n{parts["se"]}"));
        return Uri.UnescapeDataString(parts["sr"]) == "127.0.0.1"
            && Uri.UnescapeDataString(parts["sig"]) == Convert.ToBase64String(signature)
            && long.Parse(parts["se"]) > DateTimeOffset.UtcNow.ToUnixTimeSeconds()
            && parts["skn"] == "iothubowner";
    }

    internal sealed record Request(
        string Method,
        string Path,
        string Query,
        string IfMatch,
        string ContentType,
        string Body
    )
    {
        public JsonNode Json => JsonNode.Parse(Body)!;
    }

    private sealed record Answer(int Status, string Body, string? ErrorCode);
}
