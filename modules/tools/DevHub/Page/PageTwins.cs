using System.Text.Json.Nodes;
using EdgeDm.DevHub.Service;
using EdgeDm.DevHub.Twins;
using Microsoft.AspNetCore.Http;

namespace EdgeDm.DevHub.Page;

/// <summary>Twins and methods for the page: what the service's REST API does, without the secrets in what it tells.</summary>
internal sealed class PageTwins(HubParts parts)
{
    /// <summary>The twin: <c>{id, etag, desired, desiredVersion, reported, reportedVersion}</c>.</summary>
    public Task GetAsync(HttpContext context) =>
        Json.WriteAsync(context.Response, Document(parts.Twins.Get(Require(context).Id)));

    /// <summary>Merges a patch of the desired properties; <c>If-Match</c> is checked.</summary>
    public async Task PatchAsync(HttpContext context)
    {
        var id = Require(context).Id;
        var patch = await Json.ReadObjectAsync(context.Request);
        if (PageSecrets.FindMark(patch) is { } at)
        {
            throw new HubException(
                HubError.ArgumentInvalid,
                $"'{at}' has a part that the page does not show ({PageSecrets.Mark}). Write the whole value, or leave it as it was."
            );
        }
        var twin = parts.Twins.Write(id, new(Tags: null, patch, Replace: false, Addressee.IfMatch(context.Request)));
        await Json.WriteAsync(context.Response, Document(twin));
    }

    /// <summary>Calls a method.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        var client = Require(context).Id;
        var call = MethodCall.Read(await Json.ReadObjectAsync(context.Request));
        var answer = await call.InvokeAsync(parts.Methods, client, context.RequestAborted);
        await Json.WriteAsync(context.Response, PageSecrets.Hide(answer)!);
    }

    private Identities.Identity Require(HttpContext context) =>
        Addressee.Require(parts.Identities, Addressee.Of(context.Request));

    private static JsonObject Document(Twin twin) =>
        new()
        {
            ["id"] = twin.Id.ToString(),
            ["etag"] = twin.ETag,
            ["desired"] = PageSecrets.Hide(JsonObject.Create(twin.Desired.Properties)),
            ["desiredVersion"] = twin.Desired.Version,
            ["reported"] = PageSecrets.Hide(JsonObject.Create(twin.Reported.Properties)),
            ["reportedVersion"] = twin.Reported.Version,
        };
}
