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

    public async Task StreamAsync(HttpContext context)
    {
        using var viewer = feed.Open();
        var response = context.Response;
        response.ContentType = "text/event-stream; charset=utf-8";
        var told = "";
        do
        {
            var text = new StringBuilder();
            var now = Status().ToJsonString();
            if (now != told)
            {
                Append(text, "status", now);
                told = now;
            }
            var (events, lost) = viewer.Take();
            if (lost > 0)
            {
                Append(text, "lost", new JsonObject { ["count"] = lost }.ToJsonString());
            }
            foreach (var happened in events)
            {
                Append(text, happened.Kind, happened.Document().ToJsonString());
            }
            if (text.Length > 0)
            {
                await response.WriteAsync(text.ToString(), context.RequestAborted);
                await response.Body.FlushAsync(context.RequestAborted);
            }
        } while (await viewer.WaitAsync(context.RequestAborted));
    }

    private static void Append(StringBuilder text, string kind, string json) =>
        text.Append("event: ").Append(kind).Append("\ndata: ").Append(json).Append("\n\n");

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
