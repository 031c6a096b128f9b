using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace EdgeDm.DevHub.Page;

/// <summary>What happens, written to one who asked, in turns, until they go.</summary>
/// <param name="feed">What happens.</param>
/// <param name="append">Writes an event's kind and document in the reader's form.</param>
internal sealed class FeedStream(PageFeed feed, Action<StringBuilder, string, JsonObject> append)
{
    /// <summary>Streams. The response has its type already, and begins at once: from then on nothing is missed.</summary>
    /// <param name="context">The request.</param>
    /// <param name="beginTurn">Writes what comes ahead of a turn's events, if anything; null = nothing.</param>
    public async Task RunAsync(HttpContext context, Action<StringBuilder>? beginTurn = null)
    {
        using var viewer = feed.Open();
        var response = context.Response;
        await response.StartAsync(context.RequestAborted);
        await response.Body.FlushAsync(context.RequestAborted);
        do
        {
            var text = new StringBuilder();
            beginTurn?.Invoke(text);
            var (events, lost) = viewer.Take();
            if (lost > 0)
            {
                append(text, "lost", new() { ["count"] = lost });
            }
            foreach (var happened in events)
            {
                append(text, happened.Kind, happened.Document());
            }
            if (text.Length > 0)
            {
                await response.WriteAsync(text.ToString(), context.RequestAborted);
                await response.Body.FlushAsync(context.RequestAborted);
            }
        } while (await viewer.WaitAsync(context.RequestAborted));
    }
}
