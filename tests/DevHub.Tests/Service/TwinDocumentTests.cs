using System.Text.Json.Nodes;
using EdgeDm.Testing;

namespace EdgeDm.DevHub.Tests.Service;

// What a service is told of a twin beside its properties.
public sealed class TwinDocumentTests
{
    [Fact]
    public async Task Metadata_OfDesired_TellsTimeAndVersionOfEachProperty()
    {
        var time = new FakeTimeProvider(new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
        await using var hub = await TestHub.StartAsync(time: time);
        await hub.DoAsync(
            HttpMethod.Patch,
            "/twins/gateway",
            """{"properties":{"desired":{"a":{"b":1,"c":2},"d":[1]}}}"""
        );
        time.Advance(TimeSpan.FromMinutes(1));
        var twin = await hub.DoAsync(
            HttpMethod.Patch,
            "/twins/gateway",
            """{"properties":{"desired":{"a":{"b":null,"c":3}}}}"""
        );
        var metadata = twin["properties"]!["desired"]!["$metadata"]!.AsObject();
        const string First = """{"$lastUpdated":"2026-01-01T00:00:00.0000000Z","$lastUpdatedVersion":2}""";
        const string Second = """{"$lastUpdated":"2026-01-01T00:01:00.0000000Z","$lastUpdatedVersion":3}""";
        metadata["d"]!.ToJsonString().ShouldBe(First);
        metadata["a"]!["c"]!.ToJsonString().ShouldBe(Second);
        metadata["a"]!["b"].ShouldBeNull();
        ((int)metadata["a"]!["$lastUpdatedVersion"]!).ShouldBe(3);
        ((int)metadata["$lastUpdatedVersion"]!).ShouldBe(3);
        twin = await hub.DoAsync(HttpMethod.Put, "/twins/gateway", """{"properties":{"desired":{"d":[1]}}}""");
        metadata = twin["properties"]!["desired"]!["$metadata"]!.AsObject();
        metadata.Select(m => m.Key).ShouldBe(["$lastUpdated", "$lastUpdatedVersion", "d"], ignoreOrder: true);
        ((int)metadata["d"]!["$lastUpdatedVersion"]!).ShouldBe(4);
    }

    [Fact]
    public async Task Metadata_OfReported_TellsTimeAlone_AndSurvivesARestart()
    {
        using var folder = new TemporaryFolder();
        var time = new FakeTimeProvider(new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
        await using (var hub = await TestHub.StartAsync(time: time, dataFolder: folder.Path))
        {
            hub.Server.Twins.Report(new("gateway"), new() { ["r"] = 1 });
            time.Advance(TimeSpan.FromMinutes(1));
            hub.Server.Twins.Report(new("gateway"), new() { ["s"] = 1 });
        }
        await using var again = await TestHub.StartAsync(time: time, dataFolder: folder.Path);
        var twin = await again.DoAsync(HttpMethod.Get, "/twins/gateway");
        var metadata = twin["properties"]!["reported"]!["$metadata"]!;
        metadata["r"]!.ToJsonString().ShouldBe("""{"$lastUpdated":"2026-01-01T00:00:00.0000000Z"}""");
        metadata["s"]!.ToJsonString().ShouldBe("""{"$lastUpdated":"2026-01-01T00:01:00.0000000Z"}""");
    }

    [Fact]
    public async Task Twin_OfADevice_TellsWhatIsKnownOfTheIdentityAndItsConnection()
    {
        await using var hub = await TestHub.StartAsync();
        var device = await hub.DoAsync(HttpMethod.Put, "/devices/d", """{"statusReason":"why"}""");
        var (client, _) = await MqttTestClient.TryConnectAsync(hub, new("d"));
        await using var __ = client;
        var twin = await hub.DoAsync(HttpMethod.Get, "/twins/d");
        twin["deviceEtag"]!.ToString().ShouldBe(device["etag"]!.ToString());
        ((string?)twin["status"]).ShouldBe("enabled");
        ((string?)twin["statusReason"]).ShouldBe("why");
        ((string?)twin["connectionState"]).ShouldBe("Connected");
        ((string)twin["lastActivityTime"]!).ShouldNotStartWith("0001");
        ((string?)twin["authenticationType"]).ShouldBe("sas");
        ((int?)twin["cloudToDeviceMessageCount"]).ShouldBe(0);
        twin["x509Thumbprint"]!.AsObject().Select(p => p.Key).ShouldBe(["primaryThumbprint", "secondaryThumbprint"]);
        ((bool?)twin["capabilities"]!["iotEdge"]).ShouldBe(false);
    }

    [Theory]
    [InlineData(8 * 1024 - 1, 200)]
    [InlineData(8 * 1024, 400)]
    public async Task Tags_AtTheirLimit_AreTakenAndAboveAreNot(int bytes, int status)
    {
        await using var hub = await TestHub.StartAsync();
        // The name counts, too; a string has at most 4096 bytes.
        var tags = new JsonObject { ["a"] = new string('x', 4096), ["b"] = new string('x', bytes - 4096 - 1) };
        var body = new JsonObject { ["tags"] = tags }.ToJsonString();
        var answer = await hub.SendAsync(HttpMethod.Patch, "/twins/gateway", body);
        ((int)answer.StatusCode).ShouldBe(status);
    }
}
