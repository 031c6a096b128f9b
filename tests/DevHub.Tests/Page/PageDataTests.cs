using System.Net;
using System.Text.Json.Nodes;
using EdgeDm.DevHub.Page;
using EdgeDm.Mqtt.IoTHub;
using EdgeDm.Testing;
using static EdgeDm.DevHub.Tests.Service.ServiceAnswers;

namespace EdgeDm.DevHub.Tests.Page;

// What the page shows and does.
public sealed class PageDataTests
{
    private const string Twin = "/devhub/page/api/twins/gateway/modules/m";
    private const string Secret = "https://store.example/file?sv=1&sig=topsecret";

    [Fact]
    public async Task Twin_Edited_MergesAndChecksTheEtag()
    {
        await using var hub = await TestHub.StartAsync();
        hub.Module("m");
        using var browser = await PageBrowser.StartAsync(hub);
        var etag = (string)(await browser.ReadAsync(Twin))["etag"]!;

        using var saved = await browser.AskAsync(HttpMethod.Patch, Twin, """{"a":{"b":1}}""", etag);
        saved.StatusCode.ShouldBe(HttpStatusCode.OK);
        var twin = await browser.ReadAsync(Twin);
        twin["desired"]!.ToJsonString().ShouldBe("""{"a":{"b":1}}""");
        ((long)twin["desiredVersion"]!).ShouldBe(2);

        using var late = await browser.AskAsync(HttpMethod.Patch, Twin, """{"a":{"b":2}}""", etag);
        late.StatusCode.ShouldBe(HttpStatusCode.PreconditionFailed);
        using var bad = await browser.AskAsync(HttpMethod.Patch, Twin, """{"a":{"b.c":2}}""");
        bad.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await bad.Content.ReadAsStringAsync()).ShouldContain("b.c");
        hub.Server.Twins.Get(new("gateway", "m")).Desired.Version.ShouldBe(2);
    }

    [Fact]
    public async Task Twin_WithSecret_HidesItAndKeepsIt()
    {
        await using var hub = await TestHub.StartAsync();
        var id = hub.Module("m");
        hub.Server.Twins.Write(id, new(null, new JsonObject { ["url"] = Secret, ["n"] = 1 }));
        using var browser = await PageBrowser.StartAsync(hub);

        var shown = (await browser.ReadAsync(Twin)).ToJsonString();
        shown.ShouldNotContain("topsecret");
        ((string)JsonNode.Parse(shown)!["desired"]!["url"]!).ShouldBe($"https://store.example/file?{PageSecrets.Mark}");

        using var other = await browser.AskAsync(HttpMethod.Patch, Twin, """{"n":2}""");
        other.StatusCode.ShouldBe(HttpStatusCode.OK);
        using var back = await browser.AskAsync(
            HttpMethod.Patch,
            Twin,
            new JsonObject { ["list"] = new JsonArray($"x?{PageSecrets.Mark}") }.ToJsonString()
        );
        back.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await back.Content.ReadAsStringAsync()).ShouldContain("list");
        hub.Server.Twins.Get(id).Desired.Properties.GetProperty("url").GetString().ShouldBe(Secret);
    }

    [Fact]
    public async Task Method_Called_GivesTheAnswer()
    {
        await using var hub = await TestHub.StartAsync();
        await using var client = await MqttTestClient.SubscribedAsync(hub, "m");
        using var browser = await PageBrowser.StartAsync(hub);
        var call = browser.AskAsync(HttpMethod.Post, Twin + "/methods", """{"methodName":"go","payload":{"a":1}}""");
        var request = await client.NextMessageAsync();
        request.Hub.Name.ShouldBe("go");
        request.Payload.ShouldBe("""{"a":1}""");
        await client.PublishAsync(
            HubTopics.MethodResponse(207, request.Hub.RequestId),
            """{"at":"{URL}"}""".Replace("{URL}", Secret, StringComparison.Ordinal)
        );
        using var answer = await call;
        var read = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
        ((int)read["status"]!).ShouldBe(207);
        ((string)read["payload"]!["at"]!).ShouldEndWith(PageSecrets.Mark);
    }

    [Fact]
    public async Task Jobs_OfServices_AreListedNewestFirstWithoutSecrets()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var hub = await TestHub.StartAsync(o => o with { Page = o.Page with { Jobs = 2 } }, time: time);
        using var browser = await PageBrowser.StartAsync(hub);
        foreach (var id in new[] { "first", "second", "third" })
        {
            await hub.DoAsync(
                HttpMethod.Put,
                $"/jobs/v2/{id}",
                """
                {"type":"scheduleUpdateTwin","updateTwin":{"etag":"*","properties":{"desired":{"at":"{URL}"}}},"queryCondition":"tags.a = 1",
                 "startTime":"2100-01-01T00:00:00Z","maxExecutionTimeInSeconds":60}
                """.Replace("{URL}", Secret, StringComparison.Ordinal)
            );
            time.Advance(TimeSpan.FromSeconds(1));
        }

        var list = await browser.ReadAsync("/devhub/page/api/jobs");

        ((int)list["more"]!).ShouldBe(1);
        list["jobs"]!.AsArray().Select(job => (string?)job!["jobId"]).ShouldBe(["third", "second"]);
        var job = list["jobs"]![0]!;
        ((string?)job["status"]).ShouldBe("scheduled");
        ((string?)job["queryCondition"]).ShouldBe("tags.a = 1");
        ((int)job["deviceJobStatistics"]!["deviceCount"]!).ShouldBe(0);
        ((string)job["updateTwin"]!["properties"]!["desired"]!["at"]!).ShouldEndWith(PageSecrets.Mark);
    }

    [Fact]
    public async Task Events_MessageOnRoutes_IsShownAndCounted()
    {
        await using var hub = await TestHub.StartAsync();
        hub.Route("FROM /messages/modules/m/outputs/o INTO $upstream");
        await using var client = await MqttTestClient.SubscribedAsync(hub, "m");
        using var browser = await PageBrowser.StartAsync(hub);
        using var events = await PageEventReader.OpenAsync(browser);

        await client.OutputAsync(
            "o",
            new JsonObject { ["url"] = Secret }.ToJsonString(),
            "%24.ct=application%2Fjson&k=v/"
        );
        var message = await events.NextAsync("message");
        ((string)message["from"]!).ShouldBe("/messages/modules/m/outputs/o");
        ((string)message["to"]!).ShouldBe("$upstream");
        ((string)message["route"]!).ShouldBe("r0");
        ((string)message["properties"]!["k"]!).ShouldBe("v");
        ((string)message["body"]!["url"]!).ShouldEndWith(PageSecrets.Mark);
        hub.Server.Page.Counts["r0"].ShouldBe(1);

        await client.OutputAsync("elsewhere", "x");
        var dropped = await events.NextAsync("message");
        dropped["route"].ShouldBeNull();
        ((string)dropped["text"]!).ShouldBe("x");
        hub.Server.Page.Unrouted.ShouldBe(1);
    }

    [Fact]
    public async Task Events_SomethingChanged_TellTheStatusAnew()
    {
        await using var hub = await TestHub.StartAsync();
        var id = hub.Module("m");
        using var browser = await PageBrowser.StartAsync(hub);
        using var events = await PageEventReader.OpenAsync(browser);
        hub.Server.Twins.Write(id, new(null, new JsonObject { ["a"] = 1 }));
        ((int)(await events.NextAsync("status"))["twins"]!["gateway/m"]!).ShouldBe(2);
        hub.Route("FROM /messages/* INTO $upstream");
        var routes = (await events.NextAsync("status"))["routes"]!;
        ((string)routes[0]!["sink"]!).ShouldBe("$upstream");
    }

    [Theory]
    [InlineData(8, false)]
    [InlineData(9, true)]
    public async Task Events_LargeBody_IsCut(int size, bool isCut)
    {
        await using var hub = await TestHub.StartAsync(options => options with { Page = new() { EventBytes = 8 } });
        hub.Route("FROM /messages/* INTO $upstream");
        await using var client = await MqttTestClient.SubscribedAsync(hub, "m");
        using var browser = await PageBrowser.StartAsync(hub);
        using var events = await PageEventReader.OpenAsync(browser);
        await client.OutputAsync("o", new string('x', size));
        var message = await events.NextAsync("message");
        ((int)message["size"]!).ShouldBe(size);
        ((string)message["text"]!).ShouldBe("xxxxxxxx");
        (message["cut"] is not null).ShouldBe(isCut);
    }

    [Theory]
    [InlineData(3, 0)]
    [InlineData(5, 2)]
    public async Task Events_MoreThanKept_LosesTheOldestAndSaysSo(int lines, int lost)
    {
        var time = new FakeTimeProvider();
        await using var hub = await TestHub.StartAsync(
            options => options with { Page = new() { EventsKept = 3 } },
            time
        );
        using var browser = await PageBrowser.StartAsync(hub);
        using var events = await PageEventReader.OpenAsync(browser);
        for (var line = 1; line <= lines; line++)
        {
            hub.Server.Page.OnLine("m", $"line {line}");
        }
        time.Advance(hub.Options.Page.Interval);
        if (lost > 0)
        {
            ((int)(await events.NextAsync("lost"))["count"]!).ShouldBe(lost);
        }
        for (var line = lost + 1; line <= lines; line++)
        {
            var (kind, data) = await events.NextAsync();
            kind.ShouldBe("line");
            ((string)data["text"]!).ShouldBe($"line {line}");
        }
    }

    [Fact]
    public async Task Events_MoreViewersThanAllowed_AreRefusedUntilOneLeaves()
    {
        await using var hub = await TestHub.StartAsync(options => options with { Page = new() { Viewers = 1 } });
        using var browser = await PageBrowser.StartAsync(hub);
        using (await PageEventReader.OpenAsync(browser))
        {
            using var second = await browser.GetAsync("/devhub/page/api/events");
            second.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
            (await second.Content.ReadAsStringAsync()).ShouldContain("close one");
        }
        using var limit = new CancellationTokenSource(TestHub.Patience);
        while (true)
        {
            // The hub hears of it with its next turn.
            hub.Server.Page.OnLine("m", "x");
            using var next = await browser.GetAsync("/devhub/page/api/events");
            if (next.StatusCode == HttpStatusCode.OK)
            {
                return;
            }
            limit.Token.ThrowIfCancellationRequested();
        }
    }

    [Fact]
    public async Task Log_MoreLinesThanKept_HasTheNewestWithoutSecrets()
    {
        await using var hub = await TestHub.StartAsync(options => options with { Page = new() { LinesKept = 2 } });
        using var browser = await PageBrowser.StartAsync(hub);
        hub.Server.Page.OnLine("m", "one");
        hub.Server.Page.OnLine("m", "two");
        hub.Server.Page.OnLine("other", "not this");
        hub.Server.Page.OnLine("m", $"fetches {Secret} now");
        var log = await browser.ReadAsync("/devhub/page/api/logs/m");
        log["lines"]!
            .AsArray()
            .Select(line => (string)line!["text"]!)
            .ShouldBe(["two", $"fetches https://store.example/file?{PageSecrets.Mark} now"]);
        (await browser.ReadAsync("/devhub/page/api/logs/none"))["lines"]!.AsArray().ShouldBeEmpty();
    }

    [Theory]
    [InlineData(
        "HostName=h;SharedAccessKeyName=n;SharedAccessKey=abc=",
        "HostName=h;SharedAccessKeyName=n;SharedAccessKey=*"
    )]
    [InlineData("SharedAccessSignature sr=h&sig=x&se=1 end", "SharedAccessSignature * end")]
    [InlineData("https://user:word@h/p", "https://*@h/p")]
    [InlineData("is it? yes", "is it? yes")]
    [InlineData("https://h/p and ?q", "https://h/p and ?q")]
    public void Hide_Text_LeavesTheRest(string text, string shown) =>
        PageSecrets.Hide(text).ShouldBe(shown.Replace("*", PageSecrets.Mark, StringComparison.Ordinal));
}
