using System.Text.Json.Nodes;
using EdgeDm.DevHub.Broker;
using Microsoft.AspNetCore.Http;

namespace EdgeDm.DevHub.Service;

/// <summary><c>/statistics</c>: how many devices there are, and how many are connected.</summary>
internal sealed class StatisticsRequests(HubParts parts, ConnectionTable connections)
{
    public Task DevicesAsync(HttpContext context)
    {
        var devices = parts.Identities.Devices();
        var disabled = devices.Count(device => device.Disabled);
        return Json.WriteAsync(
            context.Response,
            new JsonObject
            {
                ["totalDeviceCount"] = devices.Count,
                ["enabledDeviceCount"] = devices.Count - disabled,
                ["disabledDeviceCount"] = disabled,
            }
        );
    }

    // Devices are counted, not their modules.
    public Task ServiceAsync(HttpContext context) =>
        Json.WriteAsync(
            context.Response,
            new JsonObject
            {
                ["connectedDeviceCount"] = connections.Connected().Count(client => client.ModuleId is null),
            }
        );
}
