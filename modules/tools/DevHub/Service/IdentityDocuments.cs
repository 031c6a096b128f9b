using System.Text.Json.Nodes;
using EdgeDm.DevHub.Broker;
using EdgeDm.DevHub.Identities;

namespace EdgeDm.DevHub.Service;

/// <summary>Identities in the form in which IoT Hub tells them.</summary>
internal sealed class IdentityDocuments(HubParts parts, ConnectionTable connections)
{
    /// <summary>A device or module, with its keys.</summary>
    public JsonObject Of(Identity identity)
    {
        var activity = connections.ActivityOf(identity.Id);
        var document = new JsonObject { ["deviceId"] = identity.DeviceId };
        if (identity.ModuleId is not null)
        {
            document["moduleId"] = identity.ModuleId;
            document["managedBy"] = identity.ManagedBy;
        }
        document["generationId"] = identity.GenerationId;
        document["etag"] = identity.ETag;
        document["connectionState"] = activity.IsConnected ? "Connected" : "Disconnected";
        document["connectionStateUpdatedTime"] = Json.Time(activity.Since);
        if (identity.ModuleId is null)
        {
            document["status"] = StatusOf(identity);
            document["statusReason"] = identity.StatusReason;
            document["statusUpdatedTime"] = Json.Time(identity.StatusUpdated ?? default);
            document["capabilities"] = new JsonObject { ["iotEdge"] = identity.IotEdge };
            TellScopes(document, identity);
        }
        document["lastActivityTime"] = Json.Time(activity.LastHeard);
        document["cloudToDeviceMessageCount"] = identity.ModuleId is null
            ? parts.CloudMessages.Count(identity.DeviceId)
            : 0;
        document["authentication"] = new JsonObject
        {
            ["symmetricKey"] = new JsonObject
            {
                ["primaryKey"] = identity.PrimaryKey,
                ["secondaryKey"] = identity.SecondaryKey,
            },
            ["x509Thumbprint"] = NoThumbprint(),
            ["type"] = "sas",
        };
        return document;
    }

    /// <summary>Tells where a device stands: its scope, and the scopes above it.</summary>
    public static void TellScopes(JsonObject document, Identity device)
    {
        if (device.DeviceScope is not null)
        {
            document["deviceScope"] = device.DeviceScope;
        }
        if (device.ScopeAbove is not null)
        {
            document["parentScopes"] = new JsonArray(device.ScopeAbove);
        }
    }

    /// <summary><c>enabled</c> or <c>disabled</c>.</summary>
    public static string StatusOf(Identity identity) => identity.Disabled ? "disabled" : "enabled";

    /// <summary>As IoT Hub tells it of who has a key.</summary>
    public static JsonObject NoThumbprint() => new() { ["primaryThumbprint"] = null, ["secondaryThumbprint"] = null };
}
