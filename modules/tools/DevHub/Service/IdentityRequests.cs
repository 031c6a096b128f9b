using System.Text.Json.Nodes;
using EdgeDm.DevHub.Broker;
using EdgeDm.DevHub.Identities;
using Microsoft.AspNetCore.Http;

namespace EdgeDm.DevHub.Service;

/// <summary><c>/devices...</c>: who may connect, with keys.</summary>
internal sealed class IdentityRequests(HubParts parts, ConnectionTable connections)
{
    public Task ListDevicesAsync(HttpContext context) =>
        Json.WriteAsync(context.Response, new JsonArray([.. parts.Identities.Devices().Select(Document)]));

    public Task ListModulesAsync(HttpContext context)
    {
        var device = Addressee.Require(parts.Identities, Addressee.Of(context.Request));
        return Json.WriteAsync(
            context.Response,
            new JsonArray([.. parts.Identities.Modules(device.DeviceId).Select(Document)])
        );
    }

    public Task GetAsync(HttpContext context) =>
        AnswerAsync(context.Response, Addressee.Require(parts.Identities, Addressee.Of(context.Request)));

    public async Task CreateModuleAsync(HttpContext context)
    {
        var id = Addressee.Of(context.Request);
        Addressee.Require(parts.Identities, new(id.DeviceId));
        if (!HubIdentity.IsValidId(id.ModuleId!))
        {
            throw new HubException(HubError.ArgumentInvalid, $"'{id.ModuleId}' is not a valid module id.");
        }
        var body = await Json.ReadObjectAsync(context.Request);
        if (Addressee.IfMatch(context.Request) is null)
        {
            if (parts.Identities.Find(id) is not null)
            {
                throw new HubException(
                    HubError.ModuleAlreadyExistsOnDevice,
                    $"The device '{id.DeviceId}' has a module '{id.ModuleId}' already."
                );
            }
            await AnswerAsync(context.Response, parts.Identities.Ensure(id, Json.TextAt(body, "managedBy")));
            return;
        }
        throw new HubException(
            HubError.ArgumentInvalid,
            "This dev hub makes modules and does not change them: send no If-Match."
        );
    }

    private Task AnswerAsync(HttpResponse response, Identity identity)
    {
        response.Headers.ETag = $"\"{identity.ETag}\"";
        return Json.WriteAsync(response, Document(identity));
    }

    private JsonObject Document(Identity identity)
    {
        var document = new JsonObject { ["deviceId"] = identity.DeviceId };
        if (identity.ModuleId is not null)
        {
            document["moduleId"] = identity.ModuleId;
            document["managedBy"] = identity.ManagedBy;
        }
        else
        {
            document["status"] = "enabled";
            document["capabilities"] = new JsonObject { ["iotEdge"] = true };
        }
        document["generationId"] = identity.GenerationId;
        document["etag"] = identity.ETag;
        document["connectionState"] = connections.Find(identity.Id) is null ? "Disconnected" : "Connected";
        document["cloudToDeviceMessageCount"] = 0;
        document["authentication"] = new JsonObject
        {
            ["type"] = "sas",
            ["symmetricKey"] = new JsonObject
            {
                ["primaryKey"] = identity.PrimaryKey,
                ["secondaryKey"] = identity.SecondaryKey,
            },
        };
        return document;
    }
}
