using System.Text.Json.Nodes;
using EdgeDm.Testing;

namespace EdgeDm.Interop.Tests;

/// <summary>The official Node device client, unmodified: a device without modules of its own.</summary>
public abstract class DeviceClientTests<THub> : IClassFixture<THub>
    where THub : InteropHub
{
    private readonly InteropHub hub;

    protected DeviceClientTests(THub hub)
    {
        Assert.SkipWhen(NodePeer.Obstacle is not null, NodePeer.Obstacle ?? "");
        this.hub = hub;
    }

    [Fact]
    public async Task Telemetry_GoesUpstreamAndIsStamped()
    {
        await using var device = await ConnectAsync("talker");

        await device.CallAsync(
            "send",
            new()
            {
                ["body"] = """{"t":21.5}""",
                ["messageId"] = "m 1",
                ["contentType"] = "application/json",
                ["contentEncoding"] = "utf-8",
                ["properties"] = new JsonObject { ["a b"] = "c&d=e/f" },
            }
        );

        var message = (await hub.Service.UpstreamAsync()).Single(m =>
            (string?)m!["systemProperties"]!["connectionDeviceId"] == "talker"
        )!;
        ((double?)message["body"]!["t"]).ShouldBe(21.5);
        ((string?)message["systemProperties"]!["messageId"]).ShouldBe("m 1");
        message["systemProperties"]!["connectionModuleId"].ShouldBeNull();
        ((string?)message["properties"]!["a b"]).ShouldBe("c&d=e/f");
    }

    [Fact]
    public async Task Twin_IsReadReportedAndChanged()
    {
        await using var device = await ConnectAsync("twin");
        await hub.Service.DesireOfDeviceAsync("twin", new() { ["got"] = 1 });
        ((int?)(await device.CallAsync("getTwin"))!["desired"]!["got"]).ShouldBe(1);
        await device.CallAsync("watchDesired");
        device.Drain("desired");

        await device.CallAsync("report", new() { ["patch"] = new JsonObject { ["told"] = new JsonArray(1, 2) } });
        await hub.Service.DesireOfDeviceAsync("twin", new() { ["more"] = 2 });

        var patch = await device.NextAsync("desired");
        ((int?)patch["more"]).ShouldBe(2);
        patch["got"].ShouldBeNull();
        var twin = await hub.Service.GetAsync("twins/twin");
        twin["properties"]!["reported"]!["told"]!.ToJsonString().ShouldBe("[1,2]");
        ((string?)twin["connectionState"]).ShouldBe("Connected");
    }

    [Fact]
    public async Task Method_CalledByTheService_IsAnswered()
    {
        await using var device = await ConnectAsync("callee");
        await device.CallAsync(
            "onMethod",
            new()
            {
                ["name"] = "turn",
                ["status"] = 207,
                ["payload"] = "turned",
            }
        );

        var (status, payload) = await hub.Service.CallDeviceAsync("callee", "turn", new JsonObject { ["x"] = 1 });

        status.ShouldBe(207);
        ((string?)payload).ShouldBe("turned");
        ((int?)(await device.NextAsync("method"))["payload"]!["x"]).ShouldBe(1);
    }

    [Fact]
    public async Task CloudMessages_SentWhileItIsAway_ArriveInOrderAndAreDone()
    {
        await using var device = await hub.StartDeviceAsync("listener");
        await hub.Service.SendToDeviceAsync("listener", "first", "colour=red%20%26&%24.mid=m1");
        await hub.Service.SendToDeviceAsync("listener", "second", "colour=blue");

        await device.CallAsync("connect", new() { ["listen"] = true });

        var first = await device.NextAsync("message");
        ((string?)first["body"]).ShouldBe("first");
        ((string?)first["messageId"]).ShouldBe("m1");
        ((string?)first["properties"]!["colour"]).ShouldBe("red &");
        ((string?)(await device.NextAsync("message"))["body"]).ShouldBe("second");
        await HubService.WaitAsync(async () =>
            (int?)(await hub.Service.GetAsync("devices/listener"))["cloudToDeviceMessageCount"] == 0 ? "done" : null
        );
    }

    [Fact]
    public async Task Upload_LargerThanOneBlock_IsThereInOnePiece()
    {
        const int Mebibytes = 20;
        Assert.SkipUnless(hub.HasMethodPort, "Port 443 may not be bound here, and this client knows no other.");
        await using var device = await ConnectAsync("uploader");

        await device.CallAsync("upload", new() { ["name"] = "logs/a b.txt", ["mebibytes"] = Mebibytes });

        var file = (await hub.Service.RequestAsync(HttpMethod.Get, "devhub/files"))
            .Body!.AsArray()
            .Single(f => (string?)f!["deviceId"] == "uploader")!;
        ((string?)file["state"]).ShouldBe("succeeded");
        ((string?)file["blobName"]).ShouldBe("uploader/logs/a b.txt");
        var text = await hub.Service.TextAsync($"devhub/files/{file["correlationId"]}");
        text.Length.ShouldBe(Mebibytes * 1024 * 1024);
        text.Chunk(1024 * 1024)
            .Index()
            .ShouldAllBe(piece => piece.Item.All(letter => letter == (char)('0' + piece.Index % 10)));
    }

    private async Task<NodePeer> ConnectAsync(string id)
    {
        var device = await hub.StartDeviceAsync(id);
        await device.CallAsync("connect");
        return device;
    }
}

/// <summary>Behind the dev hub as its gateway, by the route for devices.</summary>
public sealed class GatewayDeviceTests(EdgeAgentHub hub) : DeviceClientTests<EdgeAgentHub>(hub);

/// <summary>At the dev hub as IoT Hub.</summary>
public sealed class CloudDeviceTests(CloudHub hub) : DeviceClientTests<CloudHub>(hub);
