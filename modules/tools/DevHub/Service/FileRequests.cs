using System.Globalization;
using System.Text.Json.Nodes;
using EdgeDm.DevHub.Files;
using Microsoft.AspNetCore.Http;

namespace EdgeDm.DevHub.Service;

/// <summary><c>/devices/{device}/files</c>: a device asks where it may upload a file, and tells how that ended.</summary>
internal sealed class FileRequests(HubParts parts, DevHubServer server)
{
    private const int LongestName = 1024;
    private const int LongestDescription = 1024;

    public async Task GrantAsync(HttpContext context)
    {
        var device = Addressee.Require(parts.Identities, Addressee.Of(context.Request)).DeviceId;
        var name = Json.TextAt(await Json.ReadObjectAsync(context.Request), "blobName") ?? "";
        if (
            name.Length is 0 or > LongestName
            || name.Any(char.IsControl)
            || name.Split('/').Any(part => part is "" or "." or "..")
        )
        {
            throw new HubException(
                HubError.ArgumentInvalid,
                $"'blobName' must have 1 to {LongestName} characters, with '/' between names and no '.' or '..' for a name."
            );
        }
        var (upload, token) = parts.Files.Grant(device, name);
        var expiry = upload.Expires.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
        await Json.WriteAsync(
            context.Response,
            new JsonObject
            {
                ["correlationId"] = upload.CorrelationId,
                // Official SDKs know no port; ours takes it here.
                ["hostName"] =
                    server.HttpsPort == DevHubOptions.DefaultHttpsPort
                        ? server.HubHostName
                        : $"{server.HubHostName}:{server.HttpsPort}",
                ["containerName"] = BlobRequests.Container,
                ["blobName"] = upload.BlobName,
                ["sasToken"] = $"?sv=2021-08-06&sr=b&sp=cw&se={Uri.EscapeDataString(expiry)}&sig={token}",
            }
        );
    }

    public async Task EndAsync(HttpContext context)
    {
        var device = Addressee.Require(parts.Identities, Addressee.Of(context.Request)).DeviceId;
        var body = await Json.ReadObjectAsync(context.Request);
        var description = Json.TextAt(body, "statusDescription");
        parts.Files.End(
            device,
            (string?)context.Request.RouteValues["id"] ?? Json.TextAt(body, "correlationId") ?? "",
            Json.FlagAt(body, "isSuccess")
                ?? throw new HubException(HubError.ArgumentInvalid, "'isSuccess' is missing."),
            Json.IntegerAt(body, "statusCode", 0),
            description is { Length: > LongestDescription } ? description[..LongestDescription] : description
        );
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    /// <summary><c>GET /devhub/files</c>: what was uploaded.</summary>
    public Task ListAsync(HttpContext context) =>
        Json.WriteAsync(context.Response, new JsonArray([.. parts.Files.List().Select(Document)]));

    /// <summary><c>GET /devhub/files/{id}</c>: the file itself.</summary>
    public async Task ReadAsync(HttpContext context)
    {
        var id = (string)context.Request.RouteValues["id"]!;
        await using var file =
            parts.Files.Open(id)
            ?? throw new HubException(
                HubError.InvalidFileUploadCorrelationId,
                $"There is no file of an upload '{id}'."
            );
        context.Response.ContentType = "application/octet-stream";
        context.Response.ContentLength = file.Length;
        await file.CopyToAsync(context.Response.Body, context.RequestAborted);
    }

    private static JsonNode Document(FileUpload upload) =>
        new JsonObject
        {
            ["correlationId"] = upload.CorrelationId,
            ["deviceId"] = upload.DeviceId,
            ["blobName"] = upload.BlobName,
            ["state"] = upload.State.ToString().ToLowerInvariant(),
            ["size"] = upload.Size,
            ["created"] = Json.Time(upload.Created),
            ["ended"] = upload.Ended is { } ended ? Json.Time(ended) : null,
            ["statusCode"] = upload.StatusCode,
            ["statusDescription"] = upload.StatusDescription,
        };
}
