using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using EdgeDm.DevHub.Identities;
using EdgeDm.DevHub.Launching;
using EdgeDm.DevHub.Methods;
using Microsoft.Extensions.Logging;

namespace EdgeDm.DevHub.Agent;

/// <summary>
/// edgeAgent's direct methods: <c>ping</c>, <c>RestartModule</c>, <c>GetModuleLogs</c>. Wrong arguments get 400 and a message, as
/// edgeAgent's do.
/// </summary>
internal sealed partial class AgentMethods(
    DevHubServer server,
    HubIdentity identity,
    ModuleLauncher launcher,
    ModuleLogs logs,
    TimeProvider time,
    ILogger logger
) : IMethodTarget
{
    private const string SchemaVersion = "1.0";
    private const string Names = "ping, RestartModule, GetModuleLogs";

    /// <inheritdoc/>
    public void SendMethod(string method, string requestId, ReadOnlyMemory<byte> payload) =>
        _ = AnswerAsync(method, requestId, payload.ToArray());

    private async Task AnswerAsync(string method, string requestId, byte[] payload)
    {
        MethodAnswer answer;
        try
        {
            answer = Answer(200, await RunAsync(method, payload));
        }
        catch (Exception error)
            when (error is FormatException or JsonException or ArgumentException or RegexMatchTimeoutException)
        {
            answer = Answer(400, new JsonObject { ["message"] = error.Message });
        }
        catch (Exception error)
        {
            LogFailed(logger, error, method);
            answer = Answer(500, new JsonObject { ["message"] = "The dev hub failed; its log tells how." });
        }
        server.Methods.Complete(this, requestId, answer);
    }

    private Task<JsonNode?> RunAsync(string method, byte[] payload) =>
        method.ToUpperInvariant() switch
        {
            "PING" => Task.FromResult<JsonNode?>(null),
            "RESTARTMODULE" => RestartAsync(Arguments(payload)),
            "GETMODULELOGS" => Task.FromResult<JsonNode?>(Logs(Arguments(payload))),
            _ => throw new ArgumentException($"There is no method '{method}' here; there are {Names}."),
        };

    private async Task<JsonNode?> RestartAsync(JsonObject arguments)
    {
        var id = (string?)arguments["id"] ?? throw new FormatException("'id' is missing: the module to be restarted.");
        await launcher.RestartModuleAsync(id, CancellationToken.None);
        return null;
    }

    private JsonArray Logs(JsonObject arguments)
    {
        var encoding = Choice(arguments, "encoding", "none", "gzip");
        var contentType = Choice(arguments, "contentType", "text", "json");
        var items =
            arguments["items"] as JsonArray
            ?? throw new FormatException(
                "'items' is missing: a list of {\"id\": <regular expression of modules>, \"filter\": {...}}."
            );
        var result = new List<JsonNode>();
        foreach (var item in items)
        {
            var which =
                LogFilter.RegexOf((string?)item?["id"]) ?? throw new FormatException("An item's 'id' is missing.");
            var filter = LogFilter.Of(item!["filter"] as JsonObject, time.GetUtcNow());
            var modules = launcher.List().Select(module => module.ModuleId).Where(id => Names(which, id)).ToList();
            if (modules.Count == 0)
            {
                throw new ArgumentException($"There is no module '{which}' here.");
            }
            foreach (var module in modules)
            {
                var text = contentType == "json" ? JsonOf(module, filter) : TextOf(module, filter);
                result.Add(
                    encoding == "gzip"
                        ? new JsonObject { ["id"] = module, ["payloadBytes"] = Convert.ToBase64String(Compress(text)) }
                        : new JsonObject { ["id"] = module, ["payload"] = text }
                );
            }
        }
        var answer = new JsonArray([.. result]);
        var size = Encoding.UTF8.GetByteCount(answer.ToJsonString());
        return size <= MethodBroker.LargestPayload
            ? answer
            : throw new ArgumentException(
                $"The answer has {size} bytes, and a method's may have {MethodBroker.LargestPayload}. Ask for less: filter.tail, filter.since, or encoding gzip."
            );

        // An expression that names a module names that one only, as edgeAgent does.
        bool Names(Regex which, string id) =>
            which.ToString() == id || (which.IsMatch(id) && !IsModule(which.ToString()));
    }

    private bool IsModule(string id) => launcher.List().Any(module => module.ModuleId == id);

    private string TextOf(string module, LogFilter filter) =>
        string.Concat(filter.Apply(logs.Read(module)).Select(line => line.Text + "\n"));

    private string JsonOf(string module, LogFilter filter) =>
        new JsonArray([
            .. filter
                .Apply(logs.Read(module))
                .Select(line => new JsonObject
                {
                    ["iothub"] = server.HubHostName,
                    ["device"] = identity.DeviceId,
                    ["id"] = module,
                    ["stream"] = "stdout",
                    ["loglevel"] = line.Level,
                    ["text"] = line.Text,
                    ["timestamp"] = line.Time?.UtcDateTime.ToString("O", CultureInfo.InvariantCulture),
                }),
        ]).ToJsonString();

    private static byte[] Compress(string text)
    {
        using var buffer = new MemoryStream();
        using (var zip = new GZipStream(buffer, CompressionLevel.Optimal, leaveOpen: true))
        {
            zip.Write(Encoding.UTF8.GetBytes(text));
        }
        return buffer.ToArray();
    }

    private static JsonObject Arguments(byte[] payload)
    {
        var arguments =
            JsonNode.Parse(payload) as JsonObject ?? throw new FormatException("The payload must be a JSON object.");
        return (string?)arguments["schemaVersion"] == SchemaVersion
            ? arguments
            : throw new FormatException($"'schemaVersion' must be \"{SchemaVersion}\".");
    }

    private static string Choice(JsonObject arguments, string name, string usual, string other) =>
        ((string?)arguments[name])?.ToLowerInvariant() switch
        {
            null => usual,
            var given when given == usual || given == other => given,
            _ => throw new FormatException($"'{name}' must be \"{usual}\" or \"{other}\"."),
        };

    private static MethodAnswer Answer(int status, JsonNode? body) =>
        new(status, body is null ? default : Encoding.UTF8.GetBytes(body.ToJsonString()));

    [LoggerMessage(Level = LogLevel.Error, Message = "$edgeAgent's method {Method} failed")]
    private static partial void LogFailed(ILogger logger, Exception error, string method);
}
