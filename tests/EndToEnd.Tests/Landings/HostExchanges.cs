using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeDm.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace EdgeDm.EndToEnd.Tests.Landings;

/// <summary>Stands between DeviceManagement and HostAccess and records what they say to each other.</summary>
internal sealed class HostExchanges : IAsyncDisposable
{
    public const string FolderName = "host-exchanges";

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    private readonly Gateway gateway;
    private readonly WebApplication app;
    private readonly string socket;
    private readonly HttpClient host;
    private readonly ConcurrentQueue<JsonObject> exchanges = new();

    private HostExchanges(Gateway gateway)
    {
        this.gateway = gateway;
        socket = Path.Combine(Path.GetTempPath(), $"x{Guid.NewGuid().ToString("n")[..12]}.sock");
        var verbs = Path.Combine(gateway.DataFolder, "volumes", "edgedm-verbs", "host-access.sock");
        host = new(ToSocket(verbs)) { BaseAddress = new("http://host-access") };
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(k => k.ListenUnixSocket(socket));
        app = builder.Build();
        app.Run(ForwardAsync);
    }

    public static async Task<HostExchanges> RecordAsync(Gateway gateway)
    {
        var recorder = new HostExchanges(gateway);
        await recorder.app.StartAsync();
        return recorder;
    }

    /// <summary>Starts a DeviceManagement that takes this for HostAccess.</summary>
    public async Task<StartedModules> StartDeviceManagementAsync()
    {
        await gateway.WaitForEnvironmentsAsync(["DeviceManagement"]);
        var own = Path.Combine(gateway.MakeFolder("recorder"), "DeviceManagement.env");
        var lines = File.ReadAllLines(Path.Combine(gateway.DataFolder, "env", "DeviceManagement.env"));
        File.WriteAllLines(
            own,
            [
                .. lines.Where(l => !l.Contains("EDGEDM_HOST_ENDPOINT", StringComparison.Ordinal)),
                $"EDGEDM_HOST_ENDPOINT='unix:{socket}'",
            ]
        );
        return new(
            new Dictionary<string, (string, string)>
            {
                ["DeviceManagement"] = (BuiltProgram.PathOf("DeviceManagement"), own),
            }
        );
    }

    /// <summary>Until an answer for this path with this text was given.</summary>
    public Task WaitForAsync(string path, string text) =>
        HubService.WaitAsync(() =>
            Task.FromResult(
                exchanges.FirstOrDefault(e =>
                    (string?)e["path"] == path && e["answer"]!.ToJsonString().Contains(text, StringComparison.Ordinal)
                )
            )
        );

    /// <summary>Asks the host something that its DeviceManagement may not ask, for the record.</summary>
    public async Task AskAsync(string path)
    {
        using var http = new HttpClient(ToSocket(socket));
        (await http.GetAsync(new Uri("http://recorder" + path))).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    /// <summary>Writes what was said, in order, with the desired group, the root that the host trusted and the update's files.</summary>
    public void Save(string folder, JsonObject group)
    {
        var files = Directory.CreateDirectory(Path.Combine(folder, "files"));
        foreach (var file in Directory.EnumerateFiles(gateway.FilesFolder))
        {
            File.Copy(file, Path.Combine(files.FullName, Path.GetFileName(file)));
        }
        File.WriteAllText(Path.Combine(folder, "root.jwk.json"), gateway.Publisher.RootJwk);
        File.WriteAllText(Path.Combine(folder, "group.json"), group.ToJsonString(Indented));
        var told = new JsonArray([.. exchanges.Select(e => e.DeepClone())]);
        File.WriteAllText(Path.Combine(folder, "exchanges.json"), told.ToJsonString(Indented));
    }

    public async ValueTask DisposeAsync()
    {
        await app.EndAsync();
        host.Dispose();
        File.Delete(socket);
    }

    private async Task ForwardAsync(HttpContext context)
    {
        var path = context.Request.Path + context.Request.QueryString.Value;
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        using var request = new HttpRequestMessage(new(context.Request.Method), path);
        if (body.Length > 0)
        {
            request.Content = new ByteArrayContent(body.ToArray());
            request.Content.Headers.TryAddWithoutValidation("Content-Type", context.Request.ContentType);
        }
        foreach (var header in context.Request.Headers.Where(h => IsOurs(h.Key)))
        {
            request.Headers.TryAddWithoutValidation(header.Key, header.Value.ToString());
        }
        try
        {
            using var answer = await host.SendAsync(request, context.RequestAborted);
            var content = await answer.Content.ReadAsByteArrayAsync(context.RequestAborted);
            exchanges.Enqueue(
                new()
                {
                    ["method"] = context.Request.Method,
                    ["path"] = path,
                    ["headers"] = new JsonObject(
                        context
                            .Request.Headers.Where(h => IsOurs(h.Key))
                            .Select(h => KeyValuePair.Create(h.Key, (JsonNode?)h.Value.ToString()))
                    ),
                    ["request"] = Json(body.ToArray()),
                    ["status"] = (int)answer.StatusCode,
                    ["answer"] = Json(content),
                }
            );
            context.Response.StatusCode = (int)answer.StatusCode;
            context.Response.ContentType = answer.Content.Headers.ContentType?.ToString();
            await context.Response.Body.WriteAsync(content, context.RequestAborted);
        }
        catch (Exception error) when (error is HttpRequestException or OperationCanceledException or IOException)
        {
            context.Abort(); // As if nobody stood between.
        }
    }

    private static SocketsHttpHandler ToSocket(string path) =>
        new()
        {
            PooledConnectionLifetime = TimeSpan.Zero, // HostAccess comes and goes.
            ConnectCallback = async (_, cancel) =>
            {
                var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await connection.ConnectAsync(new UnixDomainSocketEndPoint(path), cancel);
                return new NetworkStream(connection, ownsSocket: true);
            },
        };

    private static bool IsOurs(string header) => header.StartsWith("EdgeDm-", StringComparison.OrdinalIgnoreCase);

    private static JsonNode? Json(byte[] content) =>
        content.Length == 0 ? null : JsonNode.Parse(Encoding.UTF8.GetString(content));
}
