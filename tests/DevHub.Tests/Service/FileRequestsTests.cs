using System.Net;
using System.Text.Json.Nodes;
using EdgeDm.Testing;
using static EdgeDm.DevHub.Tests.Service.FileUploads;
using static EdgeDm.DevHub.Tests.Service.ServiceAnswers;

namespace EdgeDm.DevHub.Tests.Service;

// A device's upload: where to, the blob itself, how it ended; each as IoT Hub and Azure Storage answer.
public sealed class FileRequestsTests
{
    [Fact]
    public async Task Upload_OfADevice_IsKeptAndListed()
    {
        using var folder = new TemporaryFolder();
        await using (var hub = await StartAsync(dataFolder: folder.Path))
        {
            using var device = hub.MakeHttp(hub.Token(new("d")));
            var granted = await GrantAsync(device, "logs/a b#1.txt");
            ((string?)granted["hostName"]).ShouldBe($"hub.example:{hub.Server.HttpsPort}");
            ((string?)granted["blobName"]).ShouldBe("d/logs/a b#1.txt");
            using var anyone = hub.MakeHttp(authorization: null);
            var put = await PutAsync(anyone, granted, "content");
            put.StatusCode.ShouldBe(HttpStatusCode.Created);
            put.Headers.ETag.ShouldNotBeNull();
            var ended = await EndAsync(device, granted);
            ended.StatusCode.ShouldBe(HttpStatusCode.NoContent);
            await ShouldFailAsync(await EndAsync(device, granted), 400, "InvalidFileUploadCorrelationId");
        }
        await using var again = await TestHub.StartAsync(dataFolder: folder.Path);
        var file = JsonNode.Parse(await again.Http.GetStringAsync("/devhub/files"))!.AsArray().ShouldHaveSingleItem()!;
        ((string?)file["state"]).ShouldBe("succeeded");
        ((int?)file["size"]).ShouldBe(7);
        ((int?)file["statusCode"]).ShouldBe(200);
        ((string?)file["statusDescription"]).ShouldBe("fine");
        (await again.Http.GetStringAsync($"/devhub/files/{file["correlationId"]}")).ShouldBe("content");
        await ShouldFailAsync(await again.Http.GetAsync("/devhub/files/no"), 400, "InvalidFileUploadCorrelationId");
    }

    [Fact]
    public async Task Put_WithoutTheRightToken_IsRefused()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var hub = await StartAsync(time: time);
        using var device = hub.MakeHttp(hub.Token(new("d"), life: TimeSpan.FromDays(1)));
        var granted = await GrantAsync(device, "a");
        var other = await GrantAsync(device, "b");
        foreach (var token in new[] { "", "?sig=", "?sig=AAAA", (string)other["sasToken"]! })
        {
            var wrong = granted.DeepClone().AsObject();
            wrong["sasToken"] = token;
            var answer = await PutAsync(device, wrong, "x");
            answer.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
            answer.Headers.GetValues("x-ms-error-code").ShouldBe(["AuthenticationFailed"]);
            (await answer.Content.ReadAsStringAsync()).ShouldContain("<Code>AuthenticationFailed</Code>");
        }
        time.Advance(TimeSpan.FromHours(1));
        (await PutAsync(device, granted, "x")).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        await ShouldFailAsync(await EndAsync(device, granted), 400, "ExpiredFileUploadCorrelationId");
    }

    [Theory]
    [InlineData("&comp=appendblock", "BlockBlob", "UnsupportedQueryParameter")]
    [InlineData("", "PageBlob", "InvalidHeaderValue")]
    [InlineData("", null, "InvalidHeaderValue")]
    public async Task Put_WhatIsNoWholeBlob_IsRefused(string more, string? type, string code)
    {
        await using var hub = await StartAsync();
        using var device = hub.MakeHttp(hub.Token(new("d")));
        var answer = await PutAsync(device, await GrantAsync(device, "a"), "x", more, type);
        answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        answer.Headers.GetValues("x-ms-error-code").ShouldBe([code]);
    }

    [Theory]
    [InlineData(1000, false, 201)]
    [InlineData(1001, false, 413)]
    [InlineData(1000, true, 201)]
    [InlineData(1001, true, 413)]
    public async Task Put_Size_IsLimited(int bytes, bool chunked, int status)
    {
        await using var hub = await StartAsync(new(LargestFile: 1000));
        using var device = hub.MakeHttp(hub.Token(new("d")));
        var granted = await GrantAsync(device, "a");
        var answer = await PutAsync(device, granted, new string('x', bytes), chunked: chunked);
        ((int)answer.StatusCode).ShouldBe(status);
        var file = JsonNode.Parse(await hub.Http.GetStringAsync("/devhub/files"))!.AsArray().Single()!;
        ((int?)file["size"]).ShouldBe(status == 201 ? bytes : null);
    }

    [Fact]
    public async Task Grant_BeyondTheLimit_IsRefusedUntilAnEndIsTold()
    {
        await using var hub = await StartAsync(new(MostActive: 2));
        using var device = hub.MakeHttp(hub.Token(new("d")));
        var first = await GrantAsync(device, "a");
        await GrantAsync(device, "b");
        await ShouldFailAsync(await PostAsync(device, "c"), 403, "DeviceMaximumActiveFileUploadLimitExceeded");
        await EndAsync(device, first);
        await GrantAsync(device, "c");
    }

    [Theory]
    [InlineData("")]
    [InlineData("../a")]
    [InlineData("a//b")]
    [InlineData("a/./b")]
    [InlineData("a\u0001")]
    public async Task Grant_NameThatIsNone_IsRefused(string name)
    {
        await using var hub = await StartAsync();
        using var device = hub.MakeHttp(hub.Token(new("d")));
        await ShouldFailAsync(await PostAsync(device, name), 400, "ArgumentInvalid");
    }

    [Fact]
    public async Task Grant_ToAnotherDevice_IsUnauthorized()
    {
        await using var hub = await StartAsync();
        using var gateway = hub.MakeHttp(hub.Token(new("gateway")));
        await ShouldFailAsync(await PostAsync(gateway, "a"), 401, "IotHubUnauthorizedAccess");
    }
}
