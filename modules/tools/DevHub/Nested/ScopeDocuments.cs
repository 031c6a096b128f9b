using System.Text.Json.Nodes;
using EdgeDm.DevHub.Identities;
using EdgeDm.DevHub.Service;

namespace EdgeDm.DevHub.Nested;

/// <summary>Identities in the form in which IoT Hub tells them to an edgeHub, keys included.</summary>
internal static class ScopeDocuments
{
    /// <summary><c>{devices, modules, continuationLink}</c>.</summary>
    /// <param name="identities">Both kinds.</param>
    /// <param name="next">Where it goes on; null = nowhere.</param>
    public static JsonObject Of(IReadOnlyList<Identity> identities, string? next) =>
        new()
        {
            ["devices"] = new JsonArray([.. identities.Where(i => i.ModuleId is null).Select(Device)]),
            ["modules"] = new JsonArray([.. identities.Where(i => i.ModuleId is not null).Select(Module)]),
            ["continuationLink"] = next,
        };

    private static JsonNode Device(Identity device)
    {
        var document = new JsonObject
        {
            ["deviceId"] = device.DeviceId,
            ["generationId"] = device.GenerationId,
            ["status"] = IdentityDocuments.StatusOf(device),
            ["capabilities"] = new JsonObject { ["iotEdge"] = device.IotEdge },
        };
        IdentityDocuments.TellScopes(document, device);
        document["authentication"] = Authentication(device);
        return document;
    }

    private static JsonNode Module(Identity module) =>
        new JsonObject
        {
            ["moduleId"] = module.ModuleId,
            ["deviceId"] = module.DeviceId,
            ["generationId"] = module.GenerationId,
            ["managedBy"] = module.ManagedBy,
            ["authentication"] = Authentication(module),
        };

    private static JsonObject Authentication(Identity identity) =>
        new()
        {
            ["type"] = "sas",
            ["symmetricKey"] = new JsonObject
            {
                ["primaryKey"] = identity.PrimaryKey,
                ["secondaryKey"] = identity.SecondaryKey,
            },
        };
}
