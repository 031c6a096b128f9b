using System.Text.Json.Nodes;
using EdgeDm.Contracts;

namespace EdgeDm.EndToEnd.Tests.ClearEnds;

/// <summary>
/// Every bad update ends with an error object that says what to do, the old version running, and nothing left behind; and the
/// next good one succeeds. All processes are real; one gateway goes through the whole table.
/// </summary>
[Collection(TroubledGatewayCollection.Name)]
public sealed class ClearEndsTests(TroubledGateway gateway)
{
    public static TheoryData<string> BadInputs => [.. BadInput.All.Select(bad => bad.Name)];

    private Gateway Gateway => gateway.Gateway;

    [Theory]
    [MemberData(nameof(BadInputs))]
    public async Task Deploy_BadInput_EndsClearlyAndLeavesNothing(string name)
    {
        var bad = BadInput.All.Single(b => b.Name == name);
        var before = (await Gateway.Service.ReportedAsync())["firmwareUpdate"]!;
        var files = gateway.HostFiles();
        var draft = gateway.Draft();
        bad.Spoil(draft, gateway);

        await gateway.DeployAsync(draft);
        var group = await Gateway.Service.WaitForEndAsync(draft.Name);

        ((string?)group["__meta"]!["deploymentStatus"]).ShouldBe("failed", Gateway.Output);
        var (step, error) = group["__errors"]!.AsObject().Single();
        ShouldBe(error!, bad);
        step.ShouldBe(bad.Step);
        ((int?)group["lastInstallResult"]!["resultCode"]).ShouldBe(0);
        ((string?)group["state"]).ShouldBe("idle");
        gateway.Server.RequestsOf(draft.PathOf("firmware.bin")).ShouldBeLessThanOrEqualTo(bad.MostRequests);
        ((string?)group["installedUpdateId"]).ShouldBe((string?)before["installedUpdateId"]);
        gateway.HostFiles().ShouldBe(files);
        await gateway.WaitUntilNothingIsLeftAsync();
        await gateway.InstallGoodAsync();
    }

    [Fact]
    public async Task Deploy_ScriptThatSucceedsAndLeavesADaemon_SucceedsAndTheDaemonIsEnded()
    {
        var draft = gateway.Draft();
        draft.Script = Scripts.SucceedsAndLeavesADaemon;

        await gateway.DeployAsync(draft);
        var group = await Gateway.Service.WaitForEndAsync(draft.Name);

        ((string?)group["__meta"]!["deploymentStatus"]).ShouldBe("succeeded", Gateway.Output);
        await gateway.WaitUntilNothingIsLeftAsync();
    }

    [Theory]
    [InlineData("\"{\"", "invalidValue")]
    [InlineData("7", "invalidValue")]
    [InlineData("""{"updateManifest":{"manifestVersion":"5"}}""", "invalidValue")]
    [InlineData("""{"updateManifest":"{}","updateManifestSignature":7}""", "invalidValue")]
    [InlineData("""{"updateManifest":"{}"}""", "missingProperty")]
    [InlineData("""{"updateManifst":"{}"}""", "unknownProperty")]
    public async Task Desire_GroupOfTheWrongShape_EndsClearlyAndStartsNothing(string group, string error)
    {
        var jobs = await JobsAsync();

        await gateway.DesireAsync(JsonNode.Parse(group)!);
        var reported = await Gateway.Service.WaitForReportedAsync(r =>
            r["firmwareUpdate"]?["__errors"] is JsonObject errors
            && errors.All(e => (string?)e.Value!["subsystem"] == Subsystems.DeviceManagement)
            && errors.Any(e => (string?)e.Value!["parameters"]!["name"] == error)
        );

        ((string?)reported["firmwareUpdate"]!["__meta"]!["deploymentStatus"]).ShouldBe("failed");
        (await JobsAsync()).ShouldBe(jobs);
        await gateway.InstallGoodAsync();
    }

    private static void ShouldBe(JsonNode error, BadInput bad)
    {
        var text = error.ToJsonString();
        ((string?)error["parameters"]!["name"]).ShouldBe(bad.Error.Name, text);
        ((int?)error["code"]).ShouldBe(bad.Error.Code, text);
        ((string?)error["subsystem"]).ShouldBe(bad.Subsystem, text);
        ((string?)error["message"])!.ShouldEndWith(bad.Error.Mend, customMessage: text);
        foreach (var parameter in bad.Tells)
        {
            ((string?)error["parameters"]![parameter]).ShouldNotBeNullOrEmpty($"{parameter} in {text}");
        }
    }

    private async Task<string[]> JobsAsync()
    {
        var (_, list) = await Gateway.Service.CallAsync("queryJobs", new JsonObject { ["maxCount"] = 100 });
        return [.. list!["jobs"]!.AsArray().Select(job => (string)job!["jobId"]!)];
    }
}
