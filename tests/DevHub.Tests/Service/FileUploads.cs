using System.Text;
using System.Text.Json.Nodes;
using EdgeDm.DevHub.Files;
using static EdgeDm.DevHub.Tests.Service.ServiceAnswers;

namespace EdgeDm.DevHub.Tests.Service;

/// <summary>What a device does to upload a file.</summary>
internal static class FileUploads
{
    public static async Task<TestHub> StartAsync(
        FileUploadLimits? limits = null,
        TimeProvider? time = null,
        string? dataFolder = null
    )
    {
        var hub = await TestHub.StartAsync(o => o with { Files = limits ?? new() }, time, dataFolder);
        await hub.DoAsync(HttpMethod.Put, "/devices/d", "{}");
        return hub;
    }

    public static Task<HttpResponseMessage> PostAsync(HttpClient http, string name) =>
        http.PostAsync(
            "/devices/d/files?api-version=2021-04-12",
            TestHub.Json(new JsonObject { ["blobName"] = name }.ToJsonString())
        );

    public static async Task<JsonObject> GrantAsync(HttpClient http, string name) =>
        await ReadAsync((await PostAsync(http, name)).EnsureSuccessStatusCode());

    public static async Task<HttpResponseMessage> PutAsync(
        HttpClient http,
        JsonObject granted,
        string content,
        string more = "",
        string? type = "BlockBlob",
        bool chunked = false
    )
    {
        var blob = string.Join('/', ((string)granted["blobName"]!).Split('/').Select(Uri.EscapeDataString));
        using var request = new HttpRequestMessage(
            HttpMethod.Put,
            $"/{granted["containerName"]}/{blob}{granted["sasToken"]}{more}"
        )
        {
            Content = new ByteArrayContent(Encoding.UTF8.GetBytes(content)),
        };
        request.Headers.TransferEncodingChunked = chunked;
        request.Headers.ExpectContinue = true; // The answer may come before all is sent.
        if (type is not null)
        {
            request.Headers.Add("x-ms-blob-type", type);
        }
        return await http.SendAsync(request);
    }

    public static Task<HttpResponseMessage> EndAsync(HttpClient http, JsonObject granted) =>
        http.PostAsync(
            "/devices/d/files/notifications?api-version=2021-04-12",
            TestHub.Json(
                $$"""{"correlationId":"{{granted["correlationId"]}}","isSuccess":true,"statusCode":200,"statusDescription":"fine"}"""
            )
        );
}
