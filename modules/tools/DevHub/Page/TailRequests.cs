using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace EdgeDm.DevHub.Page;

/// <summary>
/// <c>GET /devhub/tail</c>: what the page would show as it happens, for programs: one JSON object a line with its <c>kind</c>:
/// <c>message</c>, <c>line</c>, and <c>lost</c> when the reader was too slow.
/// </summary>
internal sealed class TailRequests(PageFeed feed)
{
    private readonly FeedStream stream = new(feed, Append);

    public Task StreamAsync(HttpContext context)
    {
        context.Response.ContentType = "application/x-ndjson; charset=utf-8";
        return stream.RunAsync(context);
    }

    private static void Append(StringBuilder text, string kind, JsonObject document)
    {
        document["kind"] = kind;
        text.Append(document.ToJsonString()).Append('\n');
    }
}
