namespace EdgeDm.EndToEnd.Tests;

/// <summary>New root keys for a gateway: made and signed by <c>edgedm roots</c>, through the twin, judged by HostAccess.</summary>
public sealed class TrustedRootsTests
{
    [Fact]
    public async Task Deploy_ListSignedByThePresentRoot_UpdatesOfTheNewRootAreTaken()
    {
        await using var gateway = await Gateway.StartAsync();
        var next = UpdatePublisher.Stranger;
        var keys = gateway.MakeFolder("keys");
        var list = Path.Combine(keys, "roots.json");
        File.WriteAllText(Path.Combine(keys, "old.jwk.json"), gateway.Publisher.RootJwk);
        File.WriteAllText(Path.Combine(keys, "new.jwk.json"), next.RootJwk);

        await gateway.DeployAsync("2.0.0", "before", UpdatePublisher.FailingScript, publisher: next);
        var before = await gateway.Service.WaitForEndAsync("before");
        string[] roots = ["--root", Path.Combine(keys, "old.jwk.json"), "--root", Path.Combine(keys, "new.jwk.json")];
        await RunAsync(gateway, ["roots", "create", "--out", list, .. roots]);
        (await gateway.RunEdgeDmAsync("roots", "deploy", list)).Output.ShouldContain("not signed");
        await RunAsync(gateway, "roots", "sign", list, "--root-key", gateway.Publisher.WriteRootKey(keys));
        await RunAsync(gateway, "roots", "deploy", list, "--deployment", "new-roots");
        var reported = await gateway.Service.WaitForReportedAsync(r =>
            (string?)r["trustedRoots"]?["__meta"]?["deploymentStatus"] == "succeeded"
        );
        await gateway.DeployAsync("2.0.0", "after", UpdatePublisher.FailingScript, publisher: next);
        var after = await gateway.Service.WaitForEndAsync("after");

        ErrorOf(before).ShouldBe("unknownRoot", gateway.Output);
        ((string?)reported["trustedRoots"]!["__meta"]!["deploymentId"]).ShouldBe("new-roots");
        ((long?)reported["trustedRoots"]!["version"]).ShouldBe(1);
        reported["trustedRoots"]!["rootKeyIds"]!.AsArray().Count.ShouldBe(2);
        ErrorOf(after).ShouldBe("stepFailed", gateway.Output); // Its script ran, so its signature held.
    }

    private static async Task RunAsync(Gateway gateway, params string[] arguments)
    {
        var result = await gateway.RunEdgeDmAsync(arguments);
        result.ExitCode.ShouldBe(0, result.Output);
    }

    private static string? ErrorOf(System.Text.Json.Nodes.JsonObject group) =>
        (string?)group["__errors"]!.AsObject().Single().Value!["parameters"]!["name"];
}
