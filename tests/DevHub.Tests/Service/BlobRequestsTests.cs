using System.Net;
using System.Text.Json.Nodes;
using static EdgeDm.DevHub.Tests.Service.FileUploads;

namespace EdgeDm.DevHub.Tests.Service;

// Files in pieces, as Azure Storage's clients upload what is large: Put Block, then Put Block List.
public sealed class BlobRequestsTests
{
    private const string A = "QUFB",
        B = "QkJC",
        C = "Q0ND";

    [Fact]
    public async Task Commit_BlocksInTheListsOrder_IsTheFile()
    {
        await using var hub = await StartAsync();
        using var device = hub.MakeHttp(hub.Token(new("d")));
        var granted = await GrantAsync(device, "a");
        await StageAsync(device, granted, B, "old");
        await StageAsync(device, granted, A, "one,");
        await StageAsync(device, granted, B, "two,");
        await StageAsync(device, granted, C, "unused");

        var answer = await CommitAsync(device, granted, A, B, A);

        answer.StatusCode.ShouldBe(HttpStatusCode.Created);
        answer.Headers.ETag.ShouldNotBeNull();
        (await FileAsync(hub)).ShouldBe("one,two,one,");
        // What the list did not name is gone.
        await ShouldRefuseAsync(await CommitAsync(device, granted, C), 400, "InvalidBlockList");
        (await FileAsync(hub)).ShouldBe("one,two,one,");
    }

    [Fact]
    public async Task Stage_ThenARestart_TheBlocksAreThere()
    {
        using var folder = new TemporaryFolder();
        JsonObject granted;
        await using (var hub = await StartAsync(dataFolder: folder.Path))
        {
            using var device = hub.MakeHttp(hub.Token(new("d")));
            granted = await GrantAsync(device, "a");
            await StageAsync(device, granted, A, "kept");
            await StageAsync(device, await GrantAsync(device, "b"), A, "another's");
        }
        await using var again = await TestHub.StartAsync(dataFolder: folder.Path);
        using var later = again.MakeHttp(again.Token(new("d")));

        (await CommitAsync(later, granted, A)).StatusCode.ShouldBe(HttpStatusCode.Created);

        (await FileAsync(again)).ShouldBe("kept");
    }

    [Fact]
    public async Task End_WithoutAList_ForgetsTheBlocks()
    {
        using var folder = new TemporaryFolder();
        await using var hub = await StartAsync(dataFolder: folder.Path);
        using var device = hub.MakeHttp(hub.Token(new("d")));
        var granted = await GrantAsync(device, "a");
        await StageAsync(device, granted, A, "x");
        Directory.GetDirectories(folder.File("files", "blocks")).Length.ShouldBe(1);

        (await EndAsync(device, granted)).StatusCode.ShouldBe(HttpStatusCode.NoContent);

        Directory.GetDirectories(folder.File("files", "blocks")).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(500, 500, 201)]
    [InlineData(500, 501, 413)]
    public async Task Stage_AllTogether_AreLimited(int first, int second, int status)
    {
        await using var hub = await StartAsync(new(LargestFile: 1000));
        using var device = hub.MakeHttp(hub.Token(new("d")));
        var granted = await GrantAsync(device, "a");
        await StageAsync(device, granted, A, new string('x', first));

        foreach (var chunked in new[] { false, true })
        {
            var answer = await BlockAsync(device, granted, B, new string('x', second), chunked);
            ((int)answer.StatusCode).ShouldBe(status);
        }
    }

    [Fact]
    public async Task Commit_AListThatNamesABlockOften_IsLimited()
    {
        await using var hub = await StartAsync(new(LargestFile: 1000));
        using var device = hub.MakeHttp(hub.Token(new("d")));
        var granted = await GrantAsync(device, "a");
        await StageAsync(device, granted, A, new string('x', 500));

        await ShouldRefuseAsync(await CommitAsync(device, granted, A, A, A), 413, "RequestBodyTooLarge");
        (await CommitAsync(device, granted, A, A)).StatusCode.ShouldBe(HttpStatusCode.Created);
    }

    [Fact]
    public async Task Stage_Count_IsLimited()
    {
        await using var hub = await StartAsync(new(MostBlocks: 2));
        using var device = hub.MakeHttp(hub.Token(new("d")));
        var granted = await GrantAsync(device, "a");
        await StageAsync(device, granted, A, "1");
        await StageAsync(device, granted, B, "2");
        await StageAsync(device, granted, B, "again");

        await ShouldRefuseAsync(await BlockAsync(device, granted, C, "3"), 409, "BlockCountExceedsLimit");
        await ShouldRefuseAsync(await CommitAsync(device, granted, A, B, A), 400, "BlockListTooLong");
    }

    [Theory]
    [InlineData("", "InvalidQueryParameterValue")]
    [InlineData("no-base64", "InvalidQueryParameterValue")]
    [InlineData("longer", "InvalidQueryParameterValue")]
    [InlineData("QUFBQQ==", "InvalidBlobOrBlock")] // Another length than the first block's.
    public async Task Stage_WrongId_IsRefused(string id, string code)
    {
        await using var hub = await StartAsync();
        using var device = hub.MakeHttp(hub.Token(new("d")));
        var granted = await GrantAsync(device, "a");
        await StageAsync(device, granted, A, "1");
        var text = id == "longer" ? Convert.ToBase64String(new byte[65]) : id;

        await ShouldRefuseAsync(await BlockAsync(device, granted, text, "x"), 400, code);
    }

    [Fact]
    public async Task Stage_LongestId_IsTaken()
    {
        await using var hub = await StartAsync();
        using var device = hub.MakeHttp(hub.Token(new("d")));
        await StageAsync(device, await GrantAsync(device, "a"), Convert.ToBase64String(new byte[64]), "1");
    }

    [Theory]
    [InlineData("<BlockList><Latest>QUFB</Latest>", "InvalidXmlDocument")]
    [InlineData("<Blocks/>", "InvalidXmlDocument")]
    [InlineData("<BlockList><Block>QUFB</Block></BlockList>", "InvalidXmlDocument")]
    [InlineData("{}", "InvalidXmlDocument")]
    [InlineData("<!DOCTYPE a [<!ENTITY b 'c'>]><BlockList><Latest>&b;</Latest></BlockList>", "InvalidXmlDocument")]
    [InlineData("<BlockList><Latest>QkJC</Latest></BlockList>", "InvalidBlockList")]
    [InlineData("<BlockList><Committed>QUFB</Committed></BlockList>", "InvalidBlockList")]
    public async Task Commit_WrongList_IsRefusedAndChangesNothing(string list, string code)
    {
        await using var hub = await StartAsync();
        using var device = hub.MakeHttp(hub.Token(new("d")));
        var granted = await GrantAsync(device, "a");
        await StageAsync(device, granted, A, "1");

        await ShouldRefuseAsync(await PutAsync(device, granted, list, "&comp=blocklist", type: null), 400, code);

        (await CommitAsync(device, granted, A)).StatusCode.ShouldBe(HttpStatusCode.Created);
    }

    private static Task<HttpResponseMessage> BlockAsync(
        HttpClient http,
        JsonObject granted,
        string id,
        string content,
        bool chunked = false
    ) =>
        PutAsync(
            http,
            granted,
            content,
            $"&comp=block&blockid={Uri.EscapeDataString(id)}",
            type: null,
            chunked: chunked
        );

    private static async Task StageAsync(HttpClient http, JsonObject granted, string id, string content) =>
        (await BlockAsync(http, granted, id, content)).StatusCode.ShouldBe(HttpStatusCode.Created);

    private static Task<HttpResponseMessage> CommitAsync(HttpClient http, JsonObject granted, params string[] ids) =>
        PutAsync(
            http,
            granted,
            $"<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>{string.Concat(ids.Select(id => $"<Latest>{id}</Latest>"))}</BlockList>",
            "&comp=blocklist",
            type: null
        );

    private static async Task ShouldRefuseAsync(HttpResponseMessage answer, int status, string code)
    {
        ((int)answer.StatusCode).ShouldBe(status, await answer.Content.ReadAsStringAsync());
        answer.Headers.GetValues("x-ms-error-code").ShouldBe([code]);
    }

    private static async Task<string> FileAsync(TestHub hub)
    {
        var files = JsonNode.Parse(await hub.Http.GetStringAsync("/devhub/files"))!.AsArray();
        var written = files.Single(file => (string?)file!["state"] == "written")!;
        return await hub.Http.GetStringAsync($"/devhub/files/{written["correlationId"]}");
    }
}
