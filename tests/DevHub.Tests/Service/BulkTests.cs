using System.Text.Json.Nodes;
using static EdgeDm.DevHub.Tests.Service.ServiceAnswers;

namespace EdgeDm.DevHub.Tests.Service;

// POST /devices, in the form in which the SDKs send it.
public sealed class BulkTests
{
    [Fact]
    public async Task Bulk_EachEntry_IsDoneOnItsOwn()
    {
        await using var hub = await TestHub.StartAsync();
        var answer = await PostAsync(
            hub,
            """
            [{"id":"a","importMode":"create","tags":{"t":1},"properties":{"desired":{"d":2}}},
             {"id":"gateway","importMode":"create"},
             {"id":"a","moduleId":"m","importMode":"Create"},
             {"id":"nobody","importMode":"Update","status":"disabled"}]
            """
        );
        ((bool)answer["isSuccessful"]!).ShouldBeFalse();
        answer["warnings"]!.AsArray().ShouldBeEmpty();
        answer["errors"]!
            .AsArray()
            .Select(e => $"{e!["deviceId"]} {e["errorCode"]}")
            .ShouldBe(["gateway DeviceAlreadyExists", "nobody DeviceNotFound"]);
        var twin = await hub.DoAsync(HttpMethod.Get, "/twins/a");
        ((int)twin["tags"]!["t"]!).ShouldBe(1);
        ((int)twin["properties"]!["desired"]!["d"]!).ShouldBe(2);
        hub.Server.Identities.Find(new("a", "m")).ShouldNotBeNull();
    }

    [Fact]
    public async Task Bulk_IfMatchModes_CompareTheEtag()
    {
        await using var hub = await TestHub.StartAsync();
        var etag = (string)(await hub.DoAsync(HttpMethod.Put, "/devices/a", "{}"))["etag"]!;
        var stale = await PostAsync(hub, Entry("UpdateIfMatchETag", "stale"));
        ((string)stale["errors"]![0]!["errorCode"]!).ShouldBe("PreconditionFailed");
        ((bool)(await PostAsync(hub, Entry("UpdateIfMatchETag", etag)))["isSuccessful"]!).ShouldBeTrue();
        hub.Server.Identities.Find(new("a"))!.Disabled.ShouldBeTrue();
        ((bool)(await PostAsync(hub, Entry("DeleteIfMatchETag", etag)))["isSuccessful"]!).ShouldBeFalse();
        ((bool)(await PostAsync(hub, Entry("Delete", etag)))["isSuccessful"]!).ShouldBeTrue();
        hub.Server.Identities.Find(new("a")).ShouldBeNull();

        static string Entry(string mode, string etag) =>
            $$"""[{"id":"a","importMode":"{{mode}}","eTag":"{{etag}}","status":"disabled"}]""";
    }

    [Theory]
    [InlineData(100, true)]
    [InlineData(101, false)]
    public async Task Bulk_Entries_AreLimited(int count, bool taken)
    {
        await using var hub = await TestHub.StartAsync();
        var entries = new JsonArray([
            .. Enumerable
                .Range(0, count)
                .Select(i => (JsonNode)new JsonObject { ["id"] = $"d{i}", ["importMode"] = "create" }),
        ]);
        var answer = await hub.SendAsync(HttpMethod.Post, "/devices", entries.ToJsonString());
        if (!taken)
        {
            await ShouldFailAsync(answer, 413, "TooManyDevices");
        }
        hub.Server.Identities.Devices().Count.ShouldBe(taken ? count + 1 : 1);
    }

    private static Task<JsonObject> PostAsync(TestHub hub, string entries) =>
        hub.DoAsync(HttpMethod.Post, "/devices", entries);
}
