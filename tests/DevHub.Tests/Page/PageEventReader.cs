using System.Text.Json.Nodes;

namespace EdgeDm.DevHub.Tests.Page;

/// <summary>Reads server-sent events.</summary>
internal sealed class PageEventReader : IDisposable
{
    private readonly HttpResponseMessage response;
    private readonly StreamReader reader;

    private PageEventReader(HttpResponseMessage response, Stream stream)
    {
        this.response = response;
        reader = new(stream);
    }

    /// <summary>Opens the page's events, and reads the first status.</summary>
    public static async Task<PageEventReader> OpenAsync(PageBrowser browser)
    {
        var answer = await browser.GetAsync("/devhub/page/api/events");
        answer.EnsureSuccessStatusCode();
        answer.Content.Headers.ContentType!.MediaType.ShouldBe("text/event-stream");
        var events = new PageEventReader(answer, await answer.Content.ReadAsStreamAsync());
        (await events.NextAsync()).Kind.ShouldBe("status");
        return events;
    }

    public async Task<(string Kind, JsonObject Data)> NextAsync()
    {
        using var limit = new CancellationTokenSource(TestHub.Patience);
        var kind = (await reader.ReadLineAsync(limit.Token))!;
        var data = (await reader.ReadLineAsync(limit.Token))!;
        (await reader.ReadLineAsync(limit.Token)).ShouldBe("");
        return (kind["event: ".Length..], JsonNode.Parse(data["data: ".Length..])!.AsObject());
    }

    /// <summary>The next event of this kind; others are passed over.</summary>
    public async Task<JsonObject> NextAsync(string wanted)
    {
        while (true)
        {
            var (kind, data) = await NextAsync();
            if (kind == wanted)
            {
                return data;
            }
        }
    }

    public void Dispose()
    {
        reader.Dispose();
        response.Dispose();
    }
}
