using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using EdgeDm.Contracts;
using EdgeDm.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace EdgeDm.DeviceManagement.Tests.Host;

/// <summary>An earlier landing's HostAccess on a real socket: it answers with what that one answered.</summary>
internal sealed class RecordedHostAccess : IAsyncDisposable
{
    private readonly JsonObject[] exchanges;
    private readonly ConcurrentDictionary<string, int> places = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<(string Path, JsonNode? Body)> requests = new();
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("rh");
    private readonly WebApplication app;
    private readonly string? apiVersion;
    private readonly Func<JsonNode, JsonNode> change;

    private RecordedHostAccess(string landing, string? apiVersion, Func<JsonNode, JsonNode>? change)
    {
        this.apiVersion = apiVersion;
        this.change = change ?? (answer => answer);
        Landing = Path.Combine(RepositoryRoot.Path, "tests", "EndToEnd.Tests", "Landings", landing, "host-exchanges");
        var told = JsonNode.Parse(File.ReadAllText(Path.Combine(Landing, "exchanges.json")))!.AsArray();
        exchanges = [.. told.Select(e => e!.AsObject())];
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(k => k.ListenUnixSocket(Path.Combine(folder.FullName, "h.sock")));
        app = builder.Build();
        app.Run(AnswerAsync);
    }

    public string Endpoint => $"unix:{Path.Combine(folder.FullName, "h.sock")}";

    /// <summary>The desired group that was deployed then.</summary>
    public JsonObject Group => JsonNode.Parse(File.ReadAllText(Path.Combine(Landing, "group.json")))!.AsObject();

    /// <summary>What was asked, oldest first.</summary>
    public IReadOnlyCollection<(string Path, JsonNode? Body)> Requests => requests;

    private string Landing { get; }

    /// <param name="landing">Its version.</param>
    /// <param name="apiVersion">What it says in its header; null = nothing.</param>
    /// <param name="change">Makes an answer of another version of each recorded one.</param>
    public static async Task<RecordedHostAccess> StartAsync(
        string landing,
        string? apiVersion = null,
        Func<JsonNode, JsonNode>? change = null
    )
    {
        var host = new RecordedHostAccess(landing, apiVersion, change);
        await host.app.StartAsync();
        return host;
    }

    /// <summary>The body that this path was sent then.</summary>
    public JsonNode? RecordedBody(string path) =>
        exchanges.First(e => (string?)e["path"] == path && e["request"] is not null)["request"];

    public async ValueTask DisposeAsync()
    {
        await app.EndAsync();
        folder.Delete(recursive: true);
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var body =
            context.Request.ContentLength is > 0 or null && HttpMethods.IsPost(context.Request.Method)
                ? await JsonNode.ParseAsync(context.Request.Body)
                : null;
        requests.Enqueue((context.Request.Path, body));
        if (Next(context.Request.Method, context.Request.Path) is not { } exchange)
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }
        if (apiVersion is not null)
        {
            context.Response.Headers[HostApiVersion.Header] = apiVersion;
        }
        context.Response.StatusCode = (int)exchange["status"]!;
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(change(exchange["answer"]!.DeepClone()).ToJsonString());
    }

    /// <summary>The next answer of this kind; an update's go on together, whoever asks, and each kind's last one stays.</summary>
    private JsonObject? Next(string method, string path)
    {
        var line = path.StartsWith(HostApi.Updates + "/fw-", StringComparison.Ordinal) ? "update" : method + path;
        var all = exchanges
            .Select((e, at) => (Exchange: e, At: at))
            .Where(e => IsOf(e.Exchange, method, path))
            .ToArray();
        if (all.Length == 0)
        {
            return null;
        }
        var from = places.GetValueOrDefault(line, -1);
        var found = all.FirstOrDefault(e => e.At > from, all[^1]);
        places[line] = Math.Max(from, found.At);
        return found.Exchange;
    }

    private static bool IsOf(JsonObject exchange, string method, string path) =>
        (string?)exchange["method"] == method && ((string)exchange["path"]!).Split('?')[0] == path;
}
