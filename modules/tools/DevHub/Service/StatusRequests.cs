using System.Text.Json.Nodes;
using EdgeDm.DevHub.Faults;
using EdgeDm.DevHub.Routing;
using EdgeDm.Hosting;
using Microsoft.AspNetCore.Http;

namespace EdgeDm.DevHub.Service;

/// <summary><c>GET /devhub/status</c>: how the hub is, for anyone on this machine; it tells no secret.</summary>
internal sealed class StatusRequests(HubParts parts, DevHubServer server)
{
    private static readonly string Version = ModuleProgram.VersionOf(typeof(StatusRequests).Assembly);

    public Task GetAsync(HttpContext context) => Json.WriteAsync(context.Response, Document());

    /// <summary>How the hub is now.</summary>
    public JsonObject Document()
    {
        var hub = server;
        return new()
        {
            ["version"] = Version,
            ["deviceId"] = parts.Identities.DeviceId,
            ["address"] = hub.Address.ToString(),
            ["mqttPort"] = hub.MqttPort,
            ["httpsPort"] = hub.HttpsPort,
            ["hubHostName"] = hub.HubHostName,
            ["gatewayHostName"] = hub.GatewayHostName,
            ["profile"] = parts.Options.Profile == HubProfile.EdgeHub ? "edgeHub" : "iotHub",
            ["connected"] = new JsonArray([.. hub.Connected.Select(c => c.ToString()).Order().Select(Text)]),
            ["routes"] = Routes(),
            ["waiting"] = Waiting(),
            ["faults"] = FaultDocuments.Of(parts.Faults.All),
            ["modules"] = new JsonArray([.. (hub.ModuleStates?.List() ?? []).Select(Module)]),
        };
    }

    private static JsonNode Text(string text) => JsonValue.Create(text);

    private JsonArray Routes() =>
        new([
            .. parts.Router.Routes.Routes.Select(r =>
                (JsonNode)
                    new JsonObject
                    {
                        ["name"] = r.Name,
                        ["source"] = r.Source.Pattern,
                        ["condition"] = r.Condition?.Text,
                        ["sink"] = r.Sink.ToString(),
                        ["priority"] = r.Priority == Route.LowestPriority ? null : r.Priority,
                        ["timeToLiveSecs"] = r.TimeToLive?.TotalSeconds,
                    }
            ),
        ]);

    private JsonObject Waiting()
    {
        var waiting = new JsonObject();
        foreach (var (queue, count) in parts.Messages.Waiting())
        {
            // The gateway's modules go by their names alone, as in its routes.
            var isOfGateway = queue.Receiver.DeviceId == parts.Identities.DeviceId && queue.Input is not null;
            waiting[isOfGateway ? $"{queue.Receiver.ModuleId}/inputs/{queue.Input}" : queue.ToString()] = count;
        }
        return waiting;
    }

    private static JsonNode Module(ModuleState state) =>
        new JsonObject
        {
            ["moduleId"] = state.ModuleId,
            ["runtimeStatus"] = state.RuntimeStatus,
            ["processId"] = state.ProcessId,
            ["container"] = state.Container,
            ["exitCode"] = state.ExitCode,
            ["restartCount"] = state.RestartCount,
            ["statusDescription"] = state.StatusDescription,
        };
}
