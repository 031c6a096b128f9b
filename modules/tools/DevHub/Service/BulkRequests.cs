using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeDm.DevHub.Identities;
using Microsoft.AspNetCore.Http;

namespace EdgeDm.DevHub.Service;

/// <summary><c>POST /devices</c>: many identities in one request, each on its own; the answer tells which failed.</summary>
internal sealed class BulkRequests(HubParts parts)
{
    /// <summary>Most entries of one request (IoT Hub's).</summary>
    public const int MostEntries = 100;

    public async Task WriteAsync(HttpContext context)
    {
        var entries = await Json.ReadArrayAsync(context.Request);
        if (entries.Count > MostEntries)
        {
            throw new HubException(
                HubError.TooManyDevices,
                $"The request has {entries.Count} entries, and {MostEntries} is the most."
            );
        }
        var errors = new JsonArray();
        foreach (var entry in entries)
        {
            if (Try(entry as JsonObject ?? throw new JsonException("Each entry must be an object.")) is { } error)
            {
                errors.Add((JsonNode)error);
            }
        }
        await Json.WriteAsync(
            context.Response,
            new JsonObject
            {
                ["isSuccessful"] = errors.Count == 0,
                ["errors"] = errors,
                ["warnings"] = new JsonArray(),
            }
        );
    }

    private JsonObject? Try(JsonObject entry)
    {
        var id = new HubIdentity(Json.TextAt(entry, "id") ?? "", Json.TextAt(entry, "moduleId"));
        try
        {
            Write(id, entry);
            return null;
        }
        catch (HubException error)
        {
            return new()
            {
                ["deviceId"] = id.DeviceId,
                ["moduleId"] = id.ModuleId,
                ["errorCode"] = error.Error.ToString(),
                ["errorStatus"] = error.Message,
            };
        }
    }

    private void Write(HubIdentity id, JsonObject entry)
    {
        var mode = Json.TextAt(entry, "importMode") ?? "createOrUpdate";
        var etag = Json.TextAt(entry, "eTag");
        var twinTag = Json.TextAt(entry, "twinETag");
        switch (mode.ToLowerInvariant())
        {
            case "create":
                parts.Identities.Create(IdentityReader.Read(id, entry));
                WriteTwin(id, entry, etag: null);
                break;
            case "createorupdate" when parts.Identities.Find(id) is null:
                goto case "create";
            case "createorupdate" or "update":
                parts.Identities.Update(IdentityReader.Read(id, entry), ifMatch: null);
                break;
            case "updateifmatchetag":
                parts.Identities.Update(IdentityReader.Read(id, entry), Required(etag, "eTag"));
                break;
            case "delete":
                parts.Identities.Delete(id, ifMatch: null);
                break;
            case "deleteifmatchetag":
                parts.Identities.Delete(id, Required(etag, "eTag"));
                break;
            case "updatetwin":
                WriteTwin(Addressee.Require(parts.Identities, id).Id, entry, etag: null);
                break;
            case "updatetwinifmatchetag":
                WriteTwin(Addressee.Require(parts.Identities, id).Id, entry, Required(twinTag, "twinETag"));
                break;
            default:
                throw new HubException(HubError.ArgumentInvalid, $"'{mode}' is no importMode.");
        }
    }

    private void WriteTwin(HubIdentity id, JsonObject entry, string? etag)
    {
        var write = TwinReader.Read(entry, replace: false, etag);
        if (write.Tags is not null || write.Desired is not null)
        {
            parts.Twins.Write(id, write);
        }
    }

    private static string Required(string? etag, string name) =>
        etag is { Length: > 0 }
            ? etag.Trim('"')
            : throw new HubException(HubError.ArgumentInvalid, $"'{name}' is missing, which this importMode compares.");
}
