using System.Text.Json.Nodes;

namespace EdgeDm.DevHub.Tests.Service;

/// <summary>What every answer of the REST API must be like.</summary>
internal static class ServiceAnswers
{
    public static async Task<JsonObject> ReadAsync(HttpResponseMessage response)
    {
        response.Content.Headers.ContentType!.ToString().ShouldBe("application/json; charset=utf-8");
        response.Content.Headers.ContentLength.ShouldNotBeNull();
        return JsonNode.Parse(await response.Content.ReadAsStringAsync())!.AsObject();
    }

    /// <summary>Sends a body, with If-Match if there is one.</summary>
    public static async Task<HttpResponseMessage> SendAsync(
        this TestHub hub,
        HttpMethod method,
        string path,
        string? body = null,
        string? ifMatch = null,
        params (string Name, string Value)[] headers
    )
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
        {
            request.Content = TestHub.Json(body);
        }
        if (ifMatch is not null)
        {
            request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
        }
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }
        return await hub.Http.SendAsync(request);
    }

    /// <summary>Sends a body, which must succeed, and reads the answer's object.</summary>
    public static async Task<JsonObject> DoAsync(
        this TestHub hub,
        HttpMethod method,
        string path,
        string? body = null,
        string? ifMatch = null
    )
    {
        var response = await hub.SendAsync(method, path, body, ifMatch);
        ((int)response.StatusCode).ShouldBe(200, await response.Content.ReadAsStringAsync());
        return await ReadAsync(response);
    }

    // The header and the code in Message must be the same: C# compares them.
    public static async Task ShouldFailAsync(HttpResponseMessage response, int status, string code)
    {
        ((int)response.StatusCode).ShouldBe(status);
        response.Headers.GetValues("iothub-errorcode").ShouldBe([code]);
        var body = await ReadAsync(response);
        ((string)body["Message"]!).Split(';')[0].ShouldBe($"ErrorCode:{code}");
        ((string)body["ExceptionMessage"]!).ShouldStartWith("Tracking ID:");
    }

    public static async Task ShouldSayAsync(HttpResponseMessage response, int status, string body)
    {
        ((int)response.StatusCode).ShouldBe(status);
        (await response.Content.ReadAsStringAsync()).ShouldBe(body);
    }
}
