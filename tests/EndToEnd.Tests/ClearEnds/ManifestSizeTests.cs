using System.Text.Json.Nodes;

namespace EdgeDm.EndToEnd.Tests.ClearEnds;

/// <summary>
/// A manifest at the edge of what a twin's string holds, 4,096 bytes (IoT Hub, device twins, limits). <c>edgedm update create</c>
/// stays below it by publishing larger ones detached.
/// </summary>
[Collection(TroubledGatewayCollection.Name)]
public sealed class ManifestSizeTests(TroubledGateway gateway)
{
    private const int Limit = 4_096;

    private Gateway Gateway => gateway.Gateway;

    [Theory]
    [InlineData(Limit - 1)]
    [InlineData(Limit)]
    public async Task Deploy_ManifestThatTheTwinHolds_IsInstalled(int bytes)
    {
        var draft = DraftOf(bytes);

        await gateway.DeployAsync(draft);
        var group = await Gateway.Service.WaitForEndAsync(draft.Name);

        ((string?)group["__meta"]!["deploymentStatus"]).ShouldBe("succeeded", Gateway.Output);
    }

    [Fact]
    public async Task SetTwin_ManifestBeyondTheLimit_IsRefusedByTheHubAndTheOperatorIsTold()
    {
        var desired = new JsonObject { ["firmwareUpdate"] = DraftOf(Limit + 1).Publish(gateway.Server) };
        var file = Path.Combine(Gateway.MakeFolder("twin"), "desired.json");
        await File.WriteAllTextAsync(file, desired.ToJsonString());
        var before = await Gateway.Service.TwinAsync();

        var (exitCode, output) = await Gateway.RunEdgeDmAsync("twin", "set", "--file", file);

        exitCode.ShouldBe(1, output);
        output.ShouldContain("updateManifest");
        output.ShouldContain($"{Limit}");
        JsonNode.DeepEquals((await Gateway.Service.TwinAsync())["properties"], before["properties"]).ShouldBeTrue();
    }

    [Fact]
    public async Task DeployByEdgedm_ManifestBeyondTheLimit_SaysHowToPublishItInstead()
    {
        var draft = DraftOf(Limit + 1);
        var group = draft.Publish(gateway.Server);
        var folder = Gateway.MakeFolder("published");
        await File.WriteAllTextAsync(Path.Combine(folder, "update.manifest.json"), (string?)group["updateManifest"]);
        await File.WriteAllTextAsync(
            Path.Combine(folder, "update.manifest.jws"),
            (string?)group["updateManifestSignature"]
        );
        await File.WriteAllBytesAsync(Path.Combine(folder, "firmware.bin"), draft.Firmware);

        var (exitCode, output) = await Gateway.RunEdgeDmAsync(
            "update",
            "deploy",
            folder,
            "--base-url",
            gateway.Server.Url
        );

        exitCode.ShouldBe(1, output);
        output.ShouldContain($"firmwareUpdate.updateManifest has {Limit + 1} bytes");
        output.ShouldContain("edgedm update create");
    }

    /// <summary>White space behind a JSON text changes nothing but its size.</summary>
    private UpdateDraft DraftOf(int bytes)
    {
        var draft = gateway.Draft();
        draft.BeforeSigning = manifest => manifest.PadRight(bytes);
        return draft;
    }
}
