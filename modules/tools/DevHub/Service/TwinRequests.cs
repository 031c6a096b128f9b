using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace EdgeDm.DevHub.Service;

/// <summary><c>/twins/{device}[/modules/{module}]</c>.</summary>
internal sealed class TwinRequests(HubParts parts, TwinDocuments documents)
{
    public Task GetAsync(HttpContext context) =>
        AnswerAsync(context.Response, documents.Of(Addressee.Require(parts.Identities, Addressee.Of(context.Request))));

    public Task PatchAsync(HttpContext context) => WriteAsync(context, replace: false);

    public Task ReplaceAsync(HttpContext context) => WriteAsync(context, replace: true);

    private async Task WriteAsync(HttpContext context, bool replace)
    {
        var identity = Addressee.Require(parts.Identities, Addressee.Of(context.Request));
        var body = await Json.ReadObjectAsync(context.Request);
        parts.Twins.Write(identity.Id, TwinReader.Read(body, replace, Addressee.IfMatch(context.Request)));
        await AnswerAsync(context.Response, documents.Of(identity));
    }

    private static Task AnswerAsync(HttpResponse response, JsonObject twin)
    {
        response.Headers.ETag = $"\"{twin["etag"]}\"";
        return Json.WriteAsync(response, twin);
    }
}
