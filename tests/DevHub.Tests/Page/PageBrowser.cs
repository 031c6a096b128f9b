using System.Net;
using System.Net.Security;
using System.Text.Json.Nodes;

namespace EdgeDm.DevHub.Tests.Page;

/// <summary>Asks for the page over HTTPS as a browser does, as far as security is concerned; nothing is followed or kept on its own.</summary>
internal sealed class PageBrowser : IDisposable
{
    private readonly HttpClient http;
    private readonly string origin;

    public PageBrowser(TestHub hub)
    {
        http = hub.MakeHttp(
            authorization: null,
            handler =>
            {
                handler.AllowAutoRedirect = false;
                handler.UseCookies = false;
                // The handler expects the certificate of whom the Host header names, which tests choose.
                handler.SslOptions.RemoteCertificateValidationCallback = (_, _, _, errors) =>
                    (errors & ~SslPolicyErrors.RemoteCertificateNameMismatch) == SslPolicyErrors.None;
            }
        );
        origin = $"https://127.0.0.1:{hub.Server.HttpsPort}";
    }

    /// <summary>As the browser would send it back; null = none yet.</summary>
    public string? Cookie { get; set; }

    /// <summary>A browser that was let in.</summary>
    public static async Task<PageBrowser> StartAsync(TestHub hub)
    {
        var browser = new PageBrowser(hub);
        using var response = await browser.GetAsync(new Uri(hub.Server.Page.NewAddress()).PathAndQuery);
        response.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        browser.Cookie = response.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
        return browser;
    }

    public Task<HttpResponseMessage> GetAsync(string path, params (string Name, string Value)[] headers) =>
        SendAsync(HttpMethod.Get, path, null, headers);

    /// <summary>As the page's own script asks.</summary>
    public Task<HttpResponseMessage> AskAsync(HttpMethod method, string path, string json, string? etag = null) =>
        SendAsync(
            method,
            path,
            json,
            [
                ("Origin", origin),
                ("Sec-Fetch-Site", "same-origin"),
                .. etag is null ? Array.Empty<(string, string)>() : [("If-Match", $"\"{etag}\"")],
            ]
        );

    public async Task<HttpResponseMessage> SendAsync(
        HttpMethod method,
        string path,
        string? json,
        params (string Name, string Value)[] headers
    )
    {
        var request = new HttpRequestMessage(method, path) { Content = json is null ? null : TestHub.Json(json) };
        if (Cookie is not null)
        {
            request.Headers.Add("Cookie", Cookie);
        }
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value).ShouldBeTrue();
        }
        return await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    public async Task<JsonObject> ReadAsync(string path)
    {
        using var response = await GetAsync(path);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        return JsonNode.Parse(await response.Content.ReadAsStringAsync())!.AsObject();
    }

    public void Dispose() => http.Dispose();
}
