using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace EdgeDm.DevHub.Service;

/// <summary><c>POST /devices/{device}/applyConfigurationContent</c>: a deployment for one device, at once.</summary>
internal sealed class DeploymentRequests(HubParts parts, DevHubServer server)
{
    public async Task ApplyAsync(HttpContext context)
    {
        var device = Addressee.Require(parts.Identities, Addressee.Of(context.Request));
        if (!device.IotEdge)
        {
            throw new HubException(HubError.ArgumentInvalid, $"'{device.DeviceId}' is no IoT Edge device.");
        }
        var body = await Json.ReadObjectAsync(context.Request);
        if (body.ContainsKey("deviceContent"))
        {
            throw new HubException(
                HubError.ArgumentInvalid,
                "An IoT Edge device takes 'modulesContent', not 'deviceContent'."
            );
        }
        server.ApplyManifest(
            device.DeviceId,
            // 'moduleContent' is the older spelling.
            Json.ObjectAt(body, "modulesContent")
                ?? Json.ObjectAt(body, "moduleContent")
                ?? throw new JsonException("'modulesContent' is missing.")
        );
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }
}
