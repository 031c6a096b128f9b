using System.Text.Json.Nodes;
using static EdgeDm.DevHub.Tests.Service.ServiceAnswers;

namespace EdgeDm.DevHub.Tests.Service;

// POST /devices/query: headers, pages, errors.
public sealed class QueryRequestsTests
{
    [Theory]
    [InlineData("SELECT * FROM devices", "Twin")]
    [InlineData("SELECT * FROM devices.modules", "Twin")]
    [InlineData("SELECT * FROM devices.jobs", "DeviceJob")]
    [InlineData("SELECT deviceId FROM devices", "Raw")]
    [InlineData("SELECT COUNT() AS n FROM devices", "Raw")]
    public async Task Query_Answer_SaysOfWhatItIs(string query, string type)
    {
        await using var hub = await TestHub.StartAsync();
        var answer = await QueryAsync(hub, query);
        answer.EnsureSuccessStatusCode();
        answer.Headers.GetValues("x-ms-item-type").ShouldBe([type]);
        answer.Headers.Contains("x-ms-continuation").ShouldBeFalse();
    }

    [Fact]
    public async Task Query_Twins_AreAsGottenOneByOne()
    {
        await using var hub = await TestHub.StartAsync();
        await hub.DoAsync(HttpMethod.Patch, "/twins/gateway/modules/$edgeHub", """{"tags":{"a":1}}""");
        var rows = await RowsAsync(
            await QueryAsync(hub, "SELECT * FROM devices.modules WHERE devices.modules.tags.a = 1")
        );
        var twin = await hub.DoAsync(HttpMethod.Get, "/twins/gateway/modules/$edgeHub");
        rows.ShouldHaveSingleItem()!.ToJsonString().ShouldBe(twin.ToJsonString());
    }

    [Fact]
    public async Task Query_InPages_NeitherRepeatsNorLosesWhatStays()
    {
        await using var hub = await TestHub.StartAsync();
        foreach (var id in new[] { "a", "b", "c", "d" })
        {
            await hub.DoAsync(HttpMethod.Put, $"/devices/{id}", "{}");
        }
        const string Query = "SELECT deviceId FROM devices";
        var first = await QueryAsync(hub, Query, ("x-ms-max-item-count", "2"));
        (await RowsAsync(first)).Select(r => (string?)r!["deviceId"]).ShouldBe(["a", "b"]);
        await hub.SendAsync(HttpMethod.Delete, "/devices/b");
        await hub.DoAsync(HttpMethod.Put, "/devices/aa", "{}");
        var second = await QueryAsync(
            hub,
            Query,
            ("x-ms-continuation", first.Headers.GetValues("x-ms-continuation").Single())
        );
        (await RowsAsync(second)).Select(r => (string?)r!["deviceId"]).ShouldBe(["c", "d", "gateway"]);
        second.Headers.Contains("x-ms-continuation").ShouldBeFalse();
    }

    [Theory]
    [InlineData("0", false)]
    [InlineData("1", true)]
    [InlineData("1000", true)]
    [InlineData("1001", false)]
    [InlineData("x", false)]
    public async Task Query_PageSize_IsLimited(string count, bool taken)
    {
        await using var hub = await TestHub.StartAsync();
        var answer = await QueryAsync(hub, "SELECT * FROM devices", ("x-ms-max-item-count", count));
        if (taken)
        {
            answer.EnsureSuccessStatusCode();
        }
        else
        {
            await ShouldFailAsync(answer, 400, "ArgumentInvalid");
        }
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("%%%")]
    [InlineData("of another query")]
    public async Task Query_ContinuationThatIsNone_IsRefused(string continuation)
    {
        await using var hub = await TestHub.StartAsync();
        if (continuation == "of another query")
        {
            var other = await QueryAsync(hub, "SELECT * FROM devices.modules", ("x-ms-max-item-count", "1"));
            continuation = other.Headers.GetValues("x-ms-continuation").Single();
        }
        var answer = await QueryAsync(hub, "SELECT * FROM devices", ("x-ms-continuation", continuation));
        await ShouldFailAsync(answer, 400, "ArgumentInvalid");
    }

    [Fact]
    public async Task Query_Wrong_SaysAtWhichCharacter()
    {
        await using var hub = await TestHub.StartAsync();
        var answer = await QueryAsync(hub, "SELECT * FROM devices WHERE tags.a == 1");
        var body = await ReadAsync(answer);
        ((string?)body["Message"]).ShouldBe(
            "ErrorCode:ArgumentInvalid;The query is wrong at character 37: a value is expected instead of '='."
        );
        await ShouldFailAsync(await hub.SendAsync(HttpMethod.Post, "/devices/query", "{}"), 400, "ArgumentInvalid");
    }

    private static Task<HttpResponseMessage> QueryAsync(
        TestHub hub,
        string query,
        params (string Name, string Value)[] headers
    ) =>
        hub.SendAsync(
            HttpMethod.Post,
            "/devices/query?api-version=2021-04-12",
            new JsonObject { ["query"] = query }.ToJsonString(),
            ifMatch: null,
            headers
        );

    private static async Task<JsonArray> RowsAsync(HttpResponseMessage answer)
    {
        answer.EnsureSuccessStatusCode();
        return JsonNode.Parse(await answer.Content.ReadAsStringAsync())!.AsArray();
    }
}
