using System.Buffers.Text;
using System.Text;
using System.Text.Json.Nodes;
using EdgeDm.DevHub.Identities;
using EdgeDm.DevHub.Service;
using Microsoft.AspNetCore.Http;

namespace EdgeDm.DevHub.Nested;

/// <summary>
/// What an edgeHub asks of its IoT Hub about the clients that it is to let in, with their keys: all of a device's scope, page by page, or
/// one of them. It signs as <c>$edgeHub</c> or as its device.
/// </summary>
internal sealed class ScopeRequests(HubParts parts, EdgeHierarchy hierarchy)
{
    private readonly ScopeLimits limits = parts.Options.Scopes;

    /// <summary>
    /// <c>POST .../devicesAndModulesInTargetDeviceScope</c>, <c>{pageSize, continuationLink, authChain}</c>: the scope of the chain's first
    /// device.
    /// </summary>
    public async Task ListAsync(HttpContext context)
    {
        var actor = RequireEdgeHub(context.Request);
        var body = await Json.ReadObjectAsync(context.Request);
        var edge = RequireChain(body, actor);
        var (page, next) = PageOf(edge, Json.TextAt(body, "continuationLink"), Json.IntegerAt(body, "pageSize", 0));
        await Json.WriteAsync(context.Response, ScopeDocuments.Of(page, next));
    }

    /// <summary><c>POST .../getDeviceAndModuleOnBehalfOf</c>, <c>{targetDeviceId, targetModuleId, authChain}</c>: one of the chain's first device.</summary>
    public async Task FindAsync(HttpContext context)
    {
        var actor = RequireEdgeHub(context.Request);
        var body = await Json.ReadObjectAsync(context.Request);
        var target = new HubIdentity(
            Json.TextAt(body, "targetDeviceId") ?? "",
            Named(Json.TextAt(body, "targetModuleId"))
        );
        await AnswerAsync(context.Response, target, RequireChain(body, actor).Id);
    }

    /// <summary>
    /// <c>GET .../devicesAndModulesInDeviceScope?deviceCount=n&amp;continuationToken=...</c>: the same of an edgeHub that knows no others below
    /// it. Its <c>continuationLink</c> is the address of the next page.
    /// </summary>
    public Task ListOwnAsync(HttpContext context)
    {
        var actor = RequireEdgeHub(context.Request);
        var query = context.Request.Query;
        var size = Json.IntegerIn(query, "deviceCount", 0, least: 0, limits.LargestPage);
        var (page, next) = PageOf(actor, Named(query["continuationToken"]), size);
        var address = next is null
            ? null
            : $"{context.Request.Path.ToUriComponent()}?deviceCount={size}&continuationToken={next}&api-version={query["api-version"]}";
        return Json.WriteAsync(context.Response, ScopeDocuments.Of(page, address));
    }

    /// <summary><c>GET .../deviceAndModuleInDeviceScope?targetDeviceId=...&amp;targetModuleId=...</c>: one of them.</summary>
    public Task FindOwnAsync(HttpContext context)
    {
        var actor = RequireEdgeHub(context.Request);
        var query = context.Request.Query;
        var target = new HubIdentity(query["targetDeviceId"].ToString(), Named(query["targetModuleId"]));
        return AnswerAsync(context.Response, target, actor.Id);
    }

    // A module with its device, as IoT Hub tells it.
    private Task AnswerAsync(HttpResponse response, HubIdentity target, HubIdentity edge)
    {
        var identity = Addressee.Require(parts.Identities, target);
        if (!hierarchy.IsWithin(identity, edge))
        {
            throw Unauthorized($"'{target}' is not in the scope of '{edge}'");
        }
        Identity[] found = target.ModuleId is null
            ? [identity]
            : [identity, parts.Identities.Find(new(target.DeviceId))!];
        return Json.WriteAsync(response, ScopeDocuments.Of(found, next: null));
    }

    private (IReadOnlyList<Identity> Page, string? Next) PageOf(Identity edge, string? continuation, int size)
    {
        if (size < 0 || size > limits.LargestPage)
        {
            throw new HubException(HubError.ArgumentInvalid, $"'pageSize' must be 0 to {limits.LargestPage}.");
        }
        if (continuation is not null && !Base64Url.IsValid(continuation))
        {
            throw new HubException(HubError.ArgumentInvalid, "The continuation is not one that this hub gave.");
        }
        size = size == 0 ? limits.DefaultPage : size;
        var after = continuation is null ? null : Encoding.UTF8.GetString(Base64Url.DecodeFromChars(continuation));
        // One more shows that there is a next page.
        var found = parts.Identities.InScope(edge, after).Take(size + 1).ToList();
        return found.Count <= size
            ? (found, null)
            : (found[..size], Base64Url.EncodeToString(Encoding.UTF8.GetBytes(found[size - 1].Id.ToString())));
    }

    /// <summary>The Edge device whose <c>$edgeHub</c> the path names and the token is for.</summary>
    private Identity RequireEdgeHub(HttpRequest request)
    {
        var caller = Addressee.Of(request);
        if (caller.ModuleId != SystemModules.EdgeHub)
        {
            throw Unauthorized($"'{caller}' is no edgeHub");
        }
        return parts.Tokens.RefusalOfClient(caller, request.Headers.Authorization, out _) is { } refusal
            ? throw Unauthorized(refusal)
            : parts.Identities.Find(new(caller.DeviceId))!;
    }

    /// <summary>The device that the body's chain begins with, when the chain leads to the caller.</summary>
    private Identity RequireChain(JsonObject body, Identity actor)
    {
        if (!AuthChain.TryParse(Json.TextAt(body, "authChain"), out var chain) || chain.Target.ModuleId is not null)
        {
            throw new HubException(
                HubError.ArgumentInvalid,
                $"'authChain' must be names of devices with ';' between them, {AuthChain.MostLinks} at most."
            );
        }
        if (chain.Actor != actor.Id)
        {
            throw Unauthorized($"the auth chain '{chain}' does not end with '{actor.Id}'");
        }
        var target = Addressee.Require(parts.Identities, chain.Target);
        return hierarchy.RefusalOf(chain) is { } refusal ? throw Unauthorized(refusal)
            : target.IotEdge ? target
            : throw Unauthorized($"'{target.Id}' is no IoT Edge device");
    }

    private static string? Named(string? id) => id is { Length: > 0 } ? id : null;

    private static HubException Unauthorized(string why) =>
        new(HubError.IotHubUnauthorizedAccess, $"Unauthorized: {why}.");
}
