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
    public async Task StreamAsync(HttpContext context)
    {
        using var viewer = feed.Open();
        var response = context.Response;
        response.ContentType = "application/x-ndjson; charset=utf-8";
        await response.StartAsync(context.RequestAborted); // From here on nothing is missed, and the caller knows.
        await response.Body.FlushAsync(context.RequestAborted);
        do
        {
            var text = new StringBuilder();
            var (events, lost) = viewer.Take();
            if (lost > 0)
            {
                Append(text, "lost", new() { ["count"] = lost });
            }
            foreach (var happened in events)
            {
                Append(text, happened.Kind, happened.Document());
            }
            if (text.Length > 0)
            {
                await response.WriteAsync(text.ToString(), context.RequestAborted);
                await response.Body.FlushAsync(context.RequestAborted);
            }
        } while (await viewer.WaitAsync(context.RequestAborted));
    }

    private static void Append(StringBuilder text, string kind, JsonObject document)
    {
        document["kind"] = kind;
        text.Append(document.ToJsonString()).Append('\n');
    }
}
