using System.Text;
using System.Text.Json.Nodes;
using EdgeDm.DevHub.Service;
using Microsoft.AspNetCore.Http;

namespace EdgeDm.DevHub.Page;

/// <summary>
/// <c>GET events</c>: what happens, as server-sent events, in turns of <see cref="PageLimits.Interval"/>: <c>status</c> when it
/// changed, <c>line</c>, <c>message</c>, and <c>lost</c> when the viewer was too slow.
/// </summary>
internal sealed class PageEvents(HubParts parts, DevHubServer server, HubPage page, PageFeed feed)
{
    private readonly StatusRequests status = new(parts, server);
    private readonly FeedStream stream = new(feed, Append);

    public Task StreamAsync(HttpContext context)
    {
        context.Response.ContentType = "text/event-stream; charset=utf-8";
        var told = "";
        return stream.RunAsync(
            context,
            text =>
            {
                var now = Status();
                var json = now.ToJsonString();
                if (json != told)
                {
                    Append(text, "status", now);
                    told = json;
                }
            }
        );
    }

    private static void Append(StringBuilder text, string kind, JsonObject document) =>
        text.Append("event: ").Append(kind).Append("\ndata: ").Append(document.ToJsonString()).Append("\n\n");

    // What anybody on this machine may see, and how the page's things stand.
    private JsonObject Status()
    {
        var document = PageSecrets.Hide(status.Document())!.AsObject();
        var counts = new JsonObject();
        foreach (var (route, count) in page.Counts)
        {
            counts[route] = count;
        }
        document["counts"] = counts;
        document["unrouted"] = page.Unrouted;
        var twins = new JsonObject();
        foreach (var identity in parts.Identities.Devices())
        {
            twins[identity.Id.ToString()] = parts.Twins.Get(identity.Id).Version;
            foreach (var module in parts.Identities.Modules(identity.DeviceId))
            {
                twins[module.Id.ToString()] = parts.Twins.Get(module.Id).Version;
            }
        }
        document["twins"] = twins;
        return document;
    }
}
