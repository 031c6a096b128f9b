using System.Text.Json.Nodes;
using EdgeDm.Contracts;
using Microsoft.AspNetCore.Http;

namespace EdgeDm.EndToEnd.Tests.ClearEnds;

/// <summary>A signed address that has expired is no end: the job waits, says for what, and keeps what it has.</summary>
[Collection(TroubledGatewayCollection.Name)]
public sealed class ExpiredAddressTests(TroubledGateway gateway)
{
    private const int Size = 400_000;
    private const int SentByTheOldAddress = 250_000;

    private Gateway Gateway => gateway.Gateway;

    [Fact]
    public async Task Download_AddressExpiresHalfWay_WaitsAndGoesOnWithFreshOnesFromTheSameByte()
    {
        var before = (string?)(await Gateway.Service.ReportedAsync())["firmwareUpdate"]!["installedUpdateId"];
        var draft = Draft();
        await gateway.DeployAsync(draft);
        var waiting = await WaitForExplanationAsync(draft);
        var kept = await KeptBytesAsync();
        var sent = gateway.Server.BodyBytes;

        var fresh = new JsonObject { ["fileUrls"] = Addresses(draft, "new") };
        await Gateway.Service.DesireAsync(new() { ["firmwareUpdate"] = fresh });
        var group = await Gateway.Service.WaitForEndAsync(draft.Name);

        ((string?)waiting["installedUpdateId"]).ShouldBe(before);
        ((string?)waiting["state"]).ShouldBe("downloading");
        kept.ShouldBeInRange(1, SentByTheOldAddress);
        ((string?)group["__meta"]!["deploymentStatus"]).ShouldBe("succeeded", Gateway.Output);
        group["__errors"].ShouldBeNull();
        (gateway.Server.BodyBytes - sent).ShouldBe(Size - kept);
        ((long)group["bytes"]!["fetched"]!).ShouldBe(Size);
        Gateway.Output.ShouldNotContain("sig=");
        await gateway.WaitUntilNothingIsLeftAsync();
    }

    [Fact]
    public async Task Download_AnotherUpdateIsDesiredInstead_TheWaitingOneMakesRoom()
    {
        var draft = Draft();
        await gateway.DeployAsync(draft);
        await WaitForExplanationAsync(draft);

        await gateway.InstallGoodAsync();

        // Kept for a later job with the same file, which does not come here; the other tests look for what is left.
        gateway.Parts.ToList().ForEach(File.Delete);
    }

    private UpdateDraft Draft()
    {
        var draft = gateway.Draft();
        draft.Firmware = new byte[Size];
        draft.Firmware[0] = (byte)draft.Name[^1];
        var good = gateway.Server.Serve(draft.Firmware);
        var half = gateway.Server.Serve(draft.Firmware, SentByTheOldAddress);
        draft.Server = http =>
            http.Request.Query["sig"] == "new" ? good(http)
            : http.Request.Headers.Range.Count == 0 ? half(http)
            : TroubledServer.Status(StatusCodes.Status403Forbidden)(http);
        draft.Group = group => group["fileUrls"] = Addresses(draft, "old");
        return draft;
    }

    private JsonObject Addresses(UpdateDraft draft, string signature) =>
        new()
        {
            [Updates.ManifestBuilder.FileIdOf("firmware.bin")] =
                $"{gateway.Server.Url}{draft.PathOf("firmware.bin")}?sig={signature}",
        };

    private async Task<JsonObject> WaitForExplanationAsync(UpdateDraft draft)
    {
        var reported = await Gateway.Service.WaitForReportedAsync(r =>
            (string?)r["firmwareUpdate"]?["__meta"]?["deploymentId"] == draft.Name
            && r["firmwareUpdate"]!["__errors"] is not null
        );
        var group = reported["firmwareUpdate"]!.AsObject();
        ((string?)group["__meta"]!["deploymentStatus"]).ShouldBe("pending", Gateway.Output);
        ((string?)reported["__summary"]!["pendingGroups"]).ShouldBe("firmwareUpdate");
        var error = group["__errors"]!["download"]!;
        ((int?)error["code"]).ShouldBe(ErrorRegistry.UrlRefused.Code);
        ((string?)error["parameters"]!["status"]).ShouldBe("403");
        ((string)error["message"]!).ShouldEndWith(ErrorRegistry.UrlRefused.Mend);
        error.ToJsonString().ShouldNotContain("sig=");
        return group;
    }

    /// <summary>What the checkpoint of the only part vouches for.</summary>
    private async Task<long> KeptBytesAsync()
    {
        var checkpoint = gateway.Parts.Single(path => path.EndsWith(".json", StringComparison.Ordinal));
        var record = JsonNode.Parse(await File.ReadAllTextAsync(checkpoint))!;
        return (long)record["value"]!["length"]!;
    }
}
