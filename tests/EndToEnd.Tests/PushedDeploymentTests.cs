using System.Text.Json.Nodes;
using EdgeDm.Testing;

namespace EdgeDm.EndToEnd.Tests;

/// <summary>All modules restart in the middle of an update: the job goes on, and everything is done once.</summary>
public sealed class PushedDeploymentTests
{
    [Theory]
    [InlineData("push")]
    [InlineData("kill")]
    public async Task Restart_InEachStep_TheJobGoesOn(string how)
    {
        await using var gateway = await Gateway.StartAsync(LengthenVerification);
        Func<Task> restart = how == "push" ? gateway.PushDeploymentAsync : gateway.KillModulesAsync;
        var gate = gateway.MakeFolder("gate");
        gateway.Files.BreakAfter("/firmware.bin", 1_000_000);

        await gateway.DeployAsync("2.0.0", "w1", GatedScript(gate));
        await HubService.WaitAsync(() =>
            Task.FromResult(gateway.Files.Requests.Contains("/firmware.bin") ? gateway.Files : null)
        );
        await restart();
        gateway.Files.Mend("/firmware.bin");
        await HubService.WaitAsync(() => Task.FromResult(File.Exists(Path.Combine(gate, "begun")) ? gate : null));
        await restart();
        File.WriteAllText(Path.Combine(gate, "go"), "");
        var verifying = await gateway.Service.WaitForReportedAsync(r =>
            (string?)r["firmwareUpdate"]?["step"] == "verify"
        );
        await restart();
        var group = await gateway.Service.WaitForEndAsync("w1");

        ((string?)verifying["firmwareUpdate"]!["__meta"]!["deploymentStatus"]).ShouldBe("pending", gateway.Output);
        ((string?)group["__meta"]!["deploymentStatus"]).ShouldBe("succeeded", gateway.Output);
        File.ReadAllLines(Path.Combine(gate, "begun")).ShouldHaveSingleItem();
        var (_, jobs) = await gateway.Service.CallAsync("queryJobs", new JsonObject());
        jobs!["jobs"]!.AsArray().ShouldHaveSingleItem();
    }

    /// <summary>Installs only when told to, and counts how often it began.</summary>
    private static string GatedScript(string gate) =>
        UpdatePublisher.GoodScript.Replace(
            "  install) ",
            $"  install) echo begun >>{gate}/begun; while [ ! -e {gate}/go ]; do sleep 0.1; done; ",
            StringComparison.Ordinal
        );

    /// <summary>Long enough to restart the modules in it.</summary>
    private static void LengthenVerification(Gateway gateway)
    {
        var file = Path.Combine(gateway.MakeFolder("etc"), "host-access.json");
        var configuration = JsonNode.Parse(File.ReadAllText(file))!;
        configuration["health"]!["stableSeconds"] = 10;
        configuration["health"]!["deadlineSeconds"] = 120;
        File.WriteAllText(file, configuration.ToJsonString());
    }
}
