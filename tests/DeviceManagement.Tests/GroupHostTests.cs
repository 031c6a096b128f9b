using System.Text.Json.Nodes;
using EdgeDm.Contracts;

namespace EdgeDm.DeviceManagement.Tests;

public sealed class GroupHostTests
{
    [Fact]
    public async Task Desired_UnknownGroup_FailsWithItsNameAndTheOthersGoOn()
    {
        await using var bench = await ModuleBench.StartAsync();

        await bench.Hub.DeliverDesiredAsync(
            new JsonObject
            {
                ["frimwareUpdate"] = new JsonObject(),
                ["firmwareUpdate"] = Samples.Group(),
            }.ToJsonString()
        );

        var reported = await bench.WaitForStatusAsync("pending");
        ((int?)reported["frimwareUpdate"]!["__errors"]!["frimwareUpdate"]!["code"]).ShouldBe(
            ErrorRegistry.UnknownGroup.Code
        );
        ((string?)reported["__summary"]!["failedGroups"]).ShouldBe("frimwareUpdate");
        ((string?)reported["__summary"]!["pendingGroups"]).ShouldBe("firmwareUpdate");
    }

    [Fact]
    public async Task Desired_WithDeploymentId_ShowsItInMetaAndSummary()
    {
        await using var bench = await ModuleBench.StartAsync();
        var group = Samples.Group();
        group["__meta"] = new JsonObject { ["deploymentId"] = "ring-1", ["serviceInterfaceVersion"] = "1.2.0" };

        await bench.DesireAsync(group);

        var reported = await bench.WaitForStatusAsync("pending");
        var meta = reported["firmwareUpdate"]!["__meta"]!;
        ((string?)meta["deploymentId"]).ShouldBe("ring-1");
        ((string?)meta["serviceInterfaceVersion"]).ShouldBe("1.2.0");
        ((string?)meta["deviceInterfaceVersion"]).ShouldBe("1.0.0");
        ((string?)reported["__summary"]!["deployments"]).ShouldBe("ring-1");
    }

    [Theory]
    [InlineData("updateManifest", "7", "updateManifest", "invalidValue")]
    [InlineData("updateManifest", "\"\"", "updateManifest", "invalidValue")]
    [InlineData("updateManifest", "null", "updateManifest", "invalidValue")]
    [InlineData("updateManifestSignature", "{}", "updateManifestSignature", "invalidValue")]
    [InlineData("fileUrls", "[]", "fileUrls", "invalidValue")]
    [InlineData("fileUrls", """{"f1":7}""", "fileUrls", "invalidUrl")]
    [InlineData("fileUrls", """{"f1":[]}""", "fileUrls", "invalidValue")]
    [InlineData("fileUrls", """{"f1":"ftp://x/y"}""", "fileUrls", "invalidUrl")]
    [InlineData("fileUrls", """{"f1":["http://x/y","nonsense?sig=secret"]}""", "fileUrls", "invalidUrl")]
    [InlineData("workflow", "\"w\"", "workflow", "invalidValue")]
    [InlineData("workflow", """{"id":7}""", "workflow", "invalidValue")]
    [InlineData("workflow", """{"id":"w","retries":3}""", "workflow", "unknownProperty")]
    [InlineData("packageUri", "\"file:///etc/passwd\"", "packageUri", "invalidUrl")]
    [InlineData("packageUri", "\"https://example.com/b.tar\"", "packageUri", "invalidValue")]
    [InlineData("fileUrl", "{}", "fileUrl", "unknownProperty")]
    [InlineData("__meta", "7", "firmwareUpdate", "invalidValue")]
    [InlineData("__meta", """{"reportingMode":"loud"}""", "firmwareUpdate", "invalidValue")]
    [InlineData("__meta", """{"serviceInterfaceVersion":2}""", "firmwareUpdate", "invalidValue")]
    [InlineData("__meta", """{"serviceInterfaceVersion":"2.0.0"}""", "firmwareUpdate", "interfaceVersion")]
    [InlineData("__meta", """{"color":"red"}""", "firmwareUpdate", "unknownProperty")]
    public async Task Desired_WrongValueAtALeaf_FailsNamingItAndStartsNothing(
        string property,
        string value,
        string key,
        string name
    )
    {
        await using var bench = await ModuleBench.StartAsync();
        var group = Samples.Group();
        group[property] = JsonNode.Parse(value);

        await bench.DesireAsync(group);

        var reported = await bench.WaitForStatusAsync("failed");
        ((string?)reported["firmwareUpdate"]!["__errors"]![key]!["parameters"]!["name"]).ShouldBe(name);
        reported.ToJsonString().ShouldNotContain("secret");
        Directory.GetFiles(bench.JobsFolder).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("7")]
    [InlineData("\"x\"")]
    [InlineData("[]")]
    public async Task Desired_GroupIsNoObject_Fails(string value)
    {
        await using var bench = await ModuleBench.StartAsync();

        await bench.Hub.DeliverDesiredAsync($$"""{"firmwareUpdate":{{value}}}""");

        await bench.WaitForStatusAsync("failed");
    }

    [Fact]
    public async Task Desired_LacksTheSignature_FailsNamingIt()
    {
        await using var bench = await ModuleBench.StartAsync();
        var group = Samples.Group();
        group.Remove("updateManifestSignature");

        await bench.DesireAsync(group);

        var reported = await bench.WaitForStatusAsync("failed");
        ((int?)reported["firmwareUpdate"]!["__errors"]!["updateManifestSignature"]!["code"]).ShouldBe(
            ErrorRegistry.MissingProperty.Code
        );
    }

    [Fact]
    public async Task Desired_Mended_LosesItsErrors()
    {
        await using var bench = await ModuleBench.StartAsync();
        var group = Samples.Group();
        group["fileUrl"] = "x";
        await bench.DesireAsync(group);
        await bench.WaitForStatusAsync("failed");

        await bench.DesireAsync(Samples.Group());

        var reported = await bench.WaitForStatusAsync("pending");
        reported["firmwareUpdate"]!.AsObject().ContainsKey("__errors").ShouldBeFalse();
    }

    [Theory]
    [InlineData("minimal", true)]
    [InlineData("none", false)]
    public async Task Desired_ReportingMode_NarrowsWhatIsReported(string mode, bool isReported)
    {
        await using var bench = await ModuleBench.StartAsync();
        var group = Samples.Group();
        group["__meta"] = new JsonObject { ["reportingMode"] = mode };

        await bench.DesireAsync(group);

        var reported = await bench.Hub.WaitForReportedAsync(r => (int?)r["__summary"]?["pendingCount"] == 1);
        reported.ContainsKey("firmwareUpdate").ShouldBe(isReported);
        reported["firmwareUpdate"]?["state"].ShouldBeNull();
    }

    [Fact]
    public async Task Restart_HubAway_GoesOnWithTheDocumentOnDisk()
    {
        await using var bench = await ModuleBench.StartAsync();
        bench.Host.Verify = _ => throw ErrorRegistry.HostBusy.Exception(Subsystems.HostAccess, "x", "Busy.");
        await bench.DesireAsync(Samples.Group());
        await bench.WaitForStatusAsync("failed");

        await bench.RestartAsync();
        await bench.DesireAsync(Samples.Group());

        var jobs = await bench.CallAsync("queryJobs", "{}", ContractsJson.Default.JobList);
        jobs.Jobs.ShouldHaveSingleItem().Status.ShouldBe(JobStatuses.Failed);
    }

    [Fact]
    public async Task Start_TellsGroupsAndMethodsWithTheirVersions()
    {
        await using var bench = await ModuleBench.StartAsync();

        var schemas = bench.Hub.Reported["__deviceSchemas"]!;

        ((string?)schemas["firmwareUpdate"]!["interfaceVersion"]).ShouldBe("1.0.0");
        ((string?)schemas["StartRebootCmd"]!["type"]).ShouldBe("method");
    }

    [Fact]
    public async Task Notification_OfDeviceResources_AppearsInTheDeviceGroup()
    {
        await using var bench = await ModuleBench.StartAsync();
        const string Values =
            """{"values":[{"resource":"device/memoryFree","value":42,"time":"2026-01-01T00:00:00Z"},{"resource":"other/x","value":1,"time":"2026-01-01T00:00:00Z"}]}""";

        await bench.Hub.DeliverInputAsync(
            Routes.Notifications,
            Schemas.Notification,
            Values,
            sender: "gateway/Telemetry"
        );

        bench.Hub.Reported["device"]!.ToJsonString().ShouldBe("""{"memoryFree":42}""");
    }

    [Fact]
    public async Task Input_UnknownSchema_IsDroppedAsBad()
    {
        await using var bench = await ModuleBench.StartAsync();

        await bench.Hub.DeliverInputAsync(Routes.Downloads, "edgedm.other.v1", "{}");

        bench.Hub.Dropped.ShouldHaveSingleItem();
    }
}
