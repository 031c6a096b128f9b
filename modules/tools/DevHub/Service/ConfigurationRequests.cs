using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace EdgeDm.DevHub.Service;

/// <summary><c>POST /devices/{device}/applyConfigurationContent</c>.</summary>
internal sealed class ConfigurationRequests(HubParts parts, DevHubServer server)
{
    public async Task ApplyAsync(HttpContext context)
    {
        var device = Addressee.Require(parts.Identities, Addressee.Of(context.Request));
        if (device.DeviceId != parts.Identities.DeviceId)
        {
            throw new HubException(
                HubError.ArgumentInvalid,
                $"'{device.DeviceId}' is not the gateway of this dev hub."
            );
        }
        var body = await Json.ReadObjectAsync(context.Request);
        if (body.ContainsKey("deviceContent"))
        {
            throw new HubException(
                HubError.ArgumentInvalid,
                "The gateway takes 'modulesContent', not 'deviceContent'."
            );
        }
        server.ApplyManifest(
            // 'moduleContent' is the older spelling.
            Json.ObjectAt(body, "modulesContent")
                ?? Json.ObjectAt(body, "moduleContent")
                ?? throw new JsonException("'modulesContent' is missing.")
        );
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }
}
