using System.Text.Json.Nodes;
using EdgeDm.DevHub.Identities;
using Microsoft.AspNetCore.Http;

namespace EdgeDm.DevHub.Service;

/// <summary><c>/devices...</c>: who may connect, with keys.</summary>
internal sealed class IdentityRequests(HubParts parts, IdentityDocuments documents)
{
    private const int MostListed = 1000;

    public Task ListDevicesAsync(HttpContext context)
    {
        var top = Json.IntegerIn(context.Request.Query, "top", MostListed, least: 1, MostListed);
        return ListAsync(context.Response, parts.Identities.Devices().Take(top));
    }

    public Task ListModulesAsync(HttpContext context)
    {
        var device = Addressee.Require(parts.Identities, Addressee.Of(context.Request));
        return ListAsync(context.Response, parts.Identities.Modules(device.DeviceId));
    }

    public Task GetAsync(HttpContext context) =>
        AnswerAsync(context.Response, Addressee.Require(parts.Identities, Addressee.Of(context.Request)));

    /// <summary>Makes an identity; changes it where there is If-Match.</summary>
    public async Task PutAsync(HttpContext context)
    {
        var write = IdentityReader.Read(Addressee.Of(context.Request), await Json.ReadObjectAsync(context.Request));
        await AnswerAsync(
            context.Response,
            Addressee.IfMatch(context.Request) is { } etag
                ? parts.Identities.Update(write, etag)
                : parts.Identities.Create(write)
        );
    }

    public Task DeleteAsync(HttpContext context)
    {
        parts.Identities.Delete(Addressee.Of(context.Request), Addressee.IfMatch(context.Request));
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }

    private Task ListAsync(HttpResponse response, IEnumerable<Identity> identities) =>
        Json.WriteAsync(response, new JsonArray([.. identities.Select(documents.Of)]));

    private Task AnswerAsync(HttpResponse response, Identity identity)
    {
        response.Headers.ETag = $"\"{identity.ETag}\"";
        return Json.WriteAsync(response, documents.Of(identity));
    }
}
