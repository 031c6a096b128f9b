using System.Net;
using System.Text.Json.Nodes;

namespace EdgeDm.DevHub.Tests.Page;

// Who is let in to the page, and who is not.
public sealed class PageAccessTests
{
    private const string Page = "/devhub/page";
    private const string Events = "/devhub/page/api/events";
    private const string Twin = "/devhub/page/api/twins/gateway";

    [Fact]
    public async Task Start_RightToken_GivesStrictCookieOnce()
    {
        await using var hub = await TestHub.StartAsync();
        using var browser = new PageBrowser(hub);
        var address = new Uri(hub.Server.Page.NewAddress());
        address.GetLeftPart(UriPartial.Path).ShouldBe($"https://127.0.0.1:{hub.Server.HttpsPort}/devhub/page/start");

        using var first = await browser.GetAsync(address.PathAndQuery);
        first.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        first.Headers.Location!.ToString().ShouldBe(Page);
        var cookie = first.Headers.GetValues("Set-Cookie").Single();
        cookie.ShouldStartWith("__Host-edgedm-");
        cookie
            .Split("; ")
            .Skip(1)
            .Select(p => p.ToLowerInvariant())
            .ShouldBe(["path=/", "secure", "samesite=strict", "httponly"], ignoreOrder: true);

        using var again = await browser.GetAsync(address.PathAndQuery);
        await ShouldBeRefusedAsync(again, HttpStatusCode.Forbidden);
    }

    [Theory]
    [InlineData("")]
    [InlineData("?token=")]
    [InlineData("?token=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    public async Task Start_WrongToken_IsRefusedWithAWayOut(string query)
    {
        await using var hub = await TestHub.StartAsync();
        using var browser = new PageBrowser(hub);
        hub.Server.Page.NewAddress();
        using var response = await browser.GetAsync(Page + "/start" + query);
        await ShouldBeRefusedAsync(response, HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task Start_TokenThatWasReplaced_IsRefused()
    {
        await using var hub = await TestHub.StartAsync();
        using var browser = new PageBrowser(hub);
        var first = new Uri(hub.Server.Page.NewAddress());
        hub.Server.Page.NewAddress();
        using var response = await browser.GetAsync(first.PathAndQuery);
        await ShouldBeRefusedAsync(response, HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task Address_WithTheServicesToken_OpensThePage()
    {
        await using var hub = await TestHub.StartAsync();
        using var browser = new PageBrowser(hub);
        using var asked = await hub.Http.PostAsync("/devhub/page/address", null);
        var address = (string)JsonNode.Parse(await asked.Content.ReadAsStringAsync())!["address"]!;
        using var started = await browser.GetAsync(new Uri(address).PathAndQuery);
        started.StatusCode.ShouldBe(HttpStatusCode.SeeOther);

        using var nobody = await browser.SendAsync(HttpMethod.Post, "/devhub/page/address", "{}");
        nobody.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Page_NoCookie_IsRefused()
    {
        await using var hub = await TestHub.StartAsync();
        using var browser = new PageBrowser(hub);
        using var page = await browser.GetAsync(Page);
        await ShouldBeRefusedAsync(page, HttpStatusCode.Unauthorized);
        foreach (var path in new[] { Events, Twin, "/devhub/page/api/logs/m" })
        {
            using var data = await browser.GetAsync(path);
            data.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        }
    }

    [Fact]
    public async Task Page_MoreSessionsThanAllowed_EndsTheOldest()
    {
        await using var hub = await TestHub.StartAsync(options => options with { Page = new() { Sessions = 2 } });
        using var first = await PageBrowser.StartAsync(hub);
        using var second = await PageBrowser.StartAsync(hub);
        using (var open = await first.GetAsync(Page))
        {
            open.StatusCode.ShouldBe(HttpStatusCode.OK);
        }
        using var third = await PageBrowser.StartAsync(hub);
        using var ended = await first.GetAsync(Page);
        ended.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        using var kept = await second.GetAsync(Page);
        kept.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("evil.example")]
    [InlineData("evil.example:{port}")]
    [InlineData("127.0.0.2:{port}")]
    [InlineData("localhost:{port}")]
    [InlineData("127.0.0.1:1")]
    [InlineData("127.0.0.1")]
    public async Task Request_ByAnotherHost_IsMisdirected(string host)
    {
        await using var hub = await TestHub.StartAsync();
        using var browser = await PageBrowser.StartAsync(hub);
        host = host.Replace("{port}", $"{hub.Server.HttpsPort}", StringComparison.Ordinal);
        var start = new Uri(hub.Server.Page.NewAddress()).PathAndQuery;
        foreach (var path in new[] { Page, Page + "/page.css", Events, Twin, start })
        {
            using var response = await browser.GetAsync(path, ("Host", host));
            response.StatusCode.ShouldBe(HttpStatusCode.MisdirectedRequest);
            response.Headers.Contains("Set-Cookie").ShouldBeFalse();
        }
    }

    [Theory]
    [InlineData("Origin", "https://evil.example")]
    [InlineData("Origin", "null")]
    [InlineData("Origin", "http://127.0.0.1:{port}")]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    [InlineData("Sec-Fetch-Site", "same-site")]
    public async Task Request_FromAnotherOrigin_IsRefused(string header, string value)
    {
        await using var hub = await TestHub.StartAsync();
        using var browser = await PageBrowser.StartAsync(hub);
        value = value.Replace("{port}", $"{hub.Server.HttpsPort}", StringComparison.Ordinal);
        foreach (var path in new[] { Page, Events, Twin })
        {
            using var response = await browser.GetAsync(path, (header, value));
            response.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
            response.Headers.ShouldNotContain(h => h.Key.StartsWith("Access-Control", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Change_WithoutOwnOriginOrJson_IsRefused()
    {
        await using var hub = await TestHub.StartAsync();
        using var browser = await PageBrowser.StartAsync(hub);
        using var noOrigin = await browser.SendAsync(HttpMethod.Patch, Twin, """{"a":1}""");
        noOrigin.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        using var noJson = await browser.SendAsync(
            HttpMethod.Patch,
            Twin,
            null,
            ("Origin", $"https://127.0.0.1:{hub.Server.HttpsPort}")
        );
        noJson.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        hub.Server.Twins.Get(new("gateway")).Desired.Version.ShouldBe(1);
    }

    [Fact]
    public async Task Page_Served_IsFencedIn()
    {
        await using var hub = await TestHub.StartAsync();
        using var browser = await PageBrowser.StartAsync(hub);
        foreach (var path in new[] { Page, Page + "/", Page + "/app.js", Page + "/page.css", Page + "/icon.svg", Twin })
        {
            using var response = await browser.GetAsync(path);
            response.StatusCode.ShouldBe(HttpStatusCode.OK);
            response
                .Headers.GetValues("Content-Security-Policy")
                .Single()
                .ShouldBe(
                    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
                        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
                );
            response.Headers.GetValues("X-Content-Type-Options").ShouldBe(["nosniff"]);
            response.Headers.GetValues("Referrer-Policy").ShouldBe(["no-referrer"]);
            response.Headers.CacheControl!.NoStore.ShouldBeTrue();
        }
        using var none = await browser.GetAsync(Page + "/none.js");
        none.StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    private static async Task ShouldBeRefusedAsync(HttpResponseMessage response, HttpStatusCode status)
    {
        response.StatusCode.ShouldBe(status);
        response.Headers.Contains("Set-Cookie").ShouldBeFalse();
        (await response.Content.ReadAsStringAsync()).ShouldContain("edgedm hub page");
    }
}
