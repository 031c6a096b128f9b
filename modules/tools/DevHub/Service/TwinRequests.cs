using System.Globalization;
using System.Text.Json.Nodes;
using EdgeDm.DevHub.Broker;
using EdgeDm.DevHub.Twins;
using Microsoft.AspNetCore.Http;

namespace EdgeDm.DevHub.Service;

/// <summary><c>/twins/{device}[/modules/{module}]</c>.</summary>
internal sealed class TwinRequests(HubParts parts, ConnectionTable connections)
{
    public Task GetAsync(HttpContext context)
    {
        var id = Addressee.Require(parts.Identities, Addressee.Of(context.Request)).Id;
        return AnswerAsync(context.Response, parts.Twins.Get(id));
    }

    public Task PatchAsync(HttpContext context) => WriteAsync(context, replace: false);

    public Task ReplaceAsync(HttpContext context) => WriteAsync(context, replace: true);

    private async Task WriteAsync(HttpContext context, bool replace)
    {
        var id = Addressee.Require(parts.Identities, Addressee.Of(context.Request)).Id;
        var body = await Json.ReadObjectAsync(context.Request);
        // 'reported' is the client's: ignored, as IoT Hub does.
        var desired = Json.ObjectAt(body, "properties") is { } properties ? Json.ObjectAt(properties, "desired") : null;
        var write = new TwinWrite(
            Plain(Json.ObjectAt(body, "tags")),
            Plain(desired),
            replace,
            Addressee.IfMatch(context.Request)
        );
        await AnswerAsync(context.Response, parts.Twins.Write(id, write));
    }

    // Who sends back what was read sends the hub's own marks with it.
    private static JsonObject? Plain(JsonObject? document)
    {
        document?.Remove("$metadata");
        document?.Remove("$version");
        return document;
    }

    private Task AnswerAsync(HttpResponse response, Twin twin)
    {
        response.Headers.ETag = $"\"{twin.ETag}\"";
        return Json.WriteAsync(response, Document(twin));
    }

    private JsonObject Document(Twin twin)
    {
        var document = new JsonObject { ["deviceId"] = twin.DeviceId };
        if (twin.ModuleId is not null)
        {
            document["moduleId"] = twin.ModuleId;
        }
        document["etag"] = twin.ETag;
        document["status"] = "enabled";
        document["connectionState"] = connections.Find(twin.Id) is null ? "Disconnected" : "Connected";
        document["cloudToDeviceMessageCount"] = 0;
        document["authenticationType"] = "sas";
        document["version"] = twin.Version;
        document["tags"] = JsonObject.Create(twin.Tags);
        document["properties"] = new JsonObject
        {
            ["desired"] = Section(twin.Desired),
            ["reported"] = Section(twin.Reported),
        };
        if (twin.ModuleId is null)
        {
            document["capabilities"] = new JsonObject { ["iotEdge"] = true };
        }
        return document;
    }

    private static JsonObject Section(TwinSection section)
    {
        var copy = section.WithVersion();
        copy["$metadata"] = new JsonObject
        {
            ["$lastUpdated"] = section.Updated.UtcDateTime.ToString("O", CultureInfo.InvariantCulture),
        };
        return copy;
    }
}
