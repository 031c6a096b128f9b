using System.Text.Json.Nodes;
using EdgeDm.Contracts;

namespace EdgeDm.DeviceManagement.Tests.Host;

/// <summary>This DeviceManagement beside a HostAccess of another version.</summary>
public sealed class HostVersionTests
{
    [Theory]
    [InlineData("0.2.0")]
    [InlineData("0.3.0")]
    public async Task Update_WithAnEarlierHostAccess_Succeeds(string landing)
    {
        await using var host = await RecordedHostAccess.StartAsync(landing, "1.1");
        await UpdateAsync(host);
    }

    [Fact]
    public async Task Update_WithALaterHostAccess_Succeeds()
    {
        var next = HostApiVersion.Current with { Minor = HostApiVersion.Current.Minor + 1 };
        await using var host = await RecordedHostAccess.StartAsync("0.3.0", next.ToString(), Extend);
        await UpdateAsync(host);
    }

    [Theory]
    [InlineData("1.0")]
    [InlineData("1.4")]
    [InlineData("2.0")]
    [InlineData("nonsense")]
    public async Task Update_WithAHostAccessTooFarAway_EndsWithTheReasonAndAsksNothing(string version)
    {
        await using var bench = await ModuleBench.StartAsync();
        bench.Host.ApiVersion = version;

        await bench.DesireAsync(Samples.Group());
        var group = (await bench.WaitForStatusAsync(DeploymentStatuses.Failed))["firmwareUpdate"]!;

        NameOf(group["__errors"]!["check"]).ShouldBe("hostApiVersion");
        bench.Host.Verifications.ShouldBe(0);
        var schemas = bench.Hub.Reported["__deviceSchemas"]!;
        NameOf(schemas["firmwareUpdate"]!["error"]).ShouldBe("hostApiVersion");
        NameOf(schemas["HostAccess"]!["error"]).ShouldBe("hostApiVersion");
        NameOf(schemas["StartRebootCmd"]!["error"]).ShouldBe("hostApiVersion");
        schemas["getJob"]!["error"].ShouldBeNull();
    }

    [Fact]
    public async Task Schemas_TheRightHostAccessComes_NameItAndNoError()
    {
        await using var bench = await ModuleBench.StartAsync(new() { FirstApiVersion = "1.9" });
        await bench.Hub.WaitForReportedAsync(r => r["__deviceSchemas"]?["HostAccess"]?["error"] is not null);

        bench.Host.ApiVersion = "1.2";
        var reported = await bench.Hub.WaitForReportedAsync(r =>
            (string?)r["__deviceSchemas"]?["HostAccess"]?["interfaceVersion"] == "1.2"
        );

        reported["__deviceSchemas"]!["HostAccess"]!["error"].ShouldBeNull();
        reported["__deviceSchemas"]!["firmwareUpdate"]!["error"].ShouldBeNull();
    }

    [Fact]
    public async Task Install_AHostAccessTooFarAwayTakesItsPlace_WaitsAndGoesOnWithTheRightOne()
    {
        await using var bench = await ModuleBench.StartAsync();
        await bench.DesireAsync(Samples.Group());
        await bench.CompleteDownloadAsync();
        var job = (await ModuleBench.NextAsync(bench.Host.Submissions)).CommandId;

        await ReplaceAsync(bench.Host, "2.0");
        var waiting = await bench.Hub.WaitForReportedAsync(r =>
            NameOf(r["__deviceSchemas"]?["HostAccess"]?["error"]) == "hostApiVersion"
        );
        ((string?)waiting["firmwareUpdate"]!["__meta"]!["deploymentStatus"]).ShouldBe(DeploymentStatuses.Pending);
        await ReplaceAsync(bench.Host, HostApiVersion.Current.ToString());
        bench.Host.Set(job, HostUpdateState.Committed);

        await bench.WaitForStatusAsync(DeploymentStatuses.Succeeded);
        bench.Host.Submissions.ShouldBeEmpty();
    }

    /// <summary>Another version takes HostAccess's place: every connection ends.</summary>
    private static async Task ReplaceAsync(FakeHostAccess host, string version)
    {
        await host.StopAsync();
        host.ApiVersion = version;
        await host.StartAsync();
    }

    private static async Task UpdateAsync(RecordedHostAccess host)
    {
        await using var bench = await ModuleBench.StartAsync(new() { HostEndpoint = host.Endpoint });

        await bench.DesireAsync(host.Group);
        await bench.CompleteDownloadAsync();
        var group = (await bench.WaitForStatusAsync(DeploymentStatuses.Succeeded))["firmwareUpdate"]!;
        await bench.CallAsync("StartRebootCmd", """{"commandId":"r1"}""", ContractsJson.Default.JobDocument);
        await bench.Hub.WaitForPostAsync(p => p.MessageId == "r1-completed");

        ((int?)group["lastInstallResult"]!["resultCode"]).ShouldBe(700);
        foreach (var path in new[] { HostApi.VerifyUpdate, HostApi.Updates, HostApi.Reboot })
        {
            var asked = host.Requests.First(r => r.Path == path && r.Body is not null).Body!.AsObject();
            foreach (var (name, value) in host.RecordedBody(path)!.AsObject())
            {
                JsonNode.DeepEquals(asked[name], value).ShouldBeTrue($"{path} {name}: {asked[name]}");
            }
        }
    }

    /// <summary>An answer with members that a later version could have, everywhere.</summary>
    private static JsonNode Extend(JsonNode answer)
    {
        switch (answer)
        {
            case JsonObject members:
                foreach (var inner in members.Select(m => m.Value).OfType<JsonNode>().ToList())
                {
                    Extend(inner);
                }
                members["ofTheNextVersion"] = new JsonObject { ["words"] = new JsonArray("a", 1, null) };
                break;
            case JsonArray items:
                foreach (var item in items.OfType<JsonNode>().ToList())
                {
                    Extend(item);
                }
                break;
        }
        return answer;
    }

    private static string? NameOf(JsonNode? error) => (string?)error?["parameters"]?["name"];
}
