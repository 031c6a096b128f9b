using System.Text.Json.Nodes;
using EdgeDm.DevHub.Broker;
using EdgeDm.DevHub.Identities;

namespace EdgeDm.DevHub.Service;

/// <summary>Twins in the form in which IoT Hub tells them to services, and in which queries see them.</summary>
internal sealed class TwinDocuments(HubParts parts, ConnectionTable connections)
{
    /// <summary>The twin of a device or module, with what else is known of it.</summary>
    public JsonObject Of(Identity identity)
    {
        var twin = parts.Twins.Get(identity.Id);
        var activity = connections.ActivityOf(identity.Id);
        var device = identity.ModuleId is null ? identity : parts.Identities.Find(new(identity.DeviceId)) ?? identity;
        var document = new JsonObject { ["deviceId"] = identity.DeviceId };
        if (identity.ModuleId is not null)
        {
            document["moduleId"] = identity.ModuleId;
        }
        document["etag"] = twin.ETag;
        document["deviceEtag"] = identity.ETag;
        document["status"] = IdentityDocuments.StatusOf(device);
        if (device.StatusReason is not null)
        {
            document["statusReason"] = device.StatusReason;
        }
        document["statusUpdateTime"] = Json.Time(device.StatusUpdated ?? default);
        document["connectionState"] = activity.IsConnected ? "Connected" : "Disconnected";
        document["lastActivityTime"] = Json.Time(activity.LastHeard);
        document["cloudToDeviceMessageCount"] = identity.ModuleId is null
            ? parts.CloudMessages.Count(identity.DeviceId)
            : 0;
        document["authenticationType"] = "sas";
        document["x509Thumbprint"] = IdentityDocuments.NoThumbprint();
        document["modelId"] = "";
        document["version"] = twin.Version;
        document["tags"] = JsonObject.Create(twin.Tags);
        document["properties"] = new JsonObject
        {
            ["desired"] = twin.Desired.WithMetadata(isDesired: true),
            ["reported"] = twin.Reported.WithMetadata(isDesired: false),
        };
        if (parts.Configurations.Of(identity.Id) is { } configured)
        {
            document["configurations"] = new JsonObject(
                configured.Status.Select(c =>
                    KeyValuePair.Create(c.Key, (JsonNode?)new JsonObject { ["status"] = c.Value.ToString() })
                )
            );
        }
        if (identity.ModuleId is null)
        {
            document["capabilities"] = new JsonObject { ["iotEdge"] = identity.IotEdge };
            IdentityDocuments.TellScopes(document, identity);
        }
        return document;
    }
}
