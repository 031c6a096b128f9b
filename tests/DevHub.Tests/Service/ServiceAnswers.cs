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
