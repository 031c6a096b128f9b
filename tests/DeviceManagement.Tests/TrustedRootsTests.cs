using System.Text.Json.Nodes;
using EdgeDm.Contracts;

namespace EdgeDm.DeviceManagement.Tests;

/// <summary>Group <c>trustedRoots</c>: from the twin to the host, which alone judges, and back.</summary>
public sealed class TrustedRootsTests
{
    private const string List = """{ "protected": { "version": 1 } }""";

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(16)]
    public async Task Desired_ListInAnyNumberOfParts_ReachesTheHostAsItWasSigned(int parts)
    {
        await using var bench = await ModuleBench.StartAsync();

        await DesireAsync(bench, Parts(parts));
        var reported = await WaitForStatusAsync(bench, "succeeded");

        bench.Host.RootLists.ShouldBe([List]);
        ((long?)reported["version"]).ShouldBe(1);
        reported["rootKeyIds"]!.AsArray().Select(id => (string?)id).ShouldBe(["EDGEDM.first.R"]);
        ((int?)reported["requiredSignatures"]).ShouldBe(1);
    }

    [Fact]
    public async Task Desired_ListThatTheHostRefuses_FailsWithItsWordsAndTellsWhatHolds()
    {
        await using var bench = await ModuleBench.StartAsync();
        bench.Host.ReplaceRoots = _ =>
            throw ErrorRegistry.RootListNotSigned.Exception(Subsystems.HostAccess, "signatures", "Nobody signed.");

        await DesireAsync(bench, List);
        var reported = await WaitForStatusAsync(bench, "failed");

        ((string?)reported["__errors"]!["rootList"]!["parameters"]!["name"]).ShouldBe("rootListNotSigned");
        ((string?)reported["__errors"]!["rootList"]!["subsystem"]).ShouldBe(Subsystems.HostAccess);
        ((long?)reported["version"]).ShouldBe(0);
    }

    [Theory]
    [InlineData("""{"rootList":7}""", "rootList", "invalidValue")]
    [InlineData("""{"rootList":""}""", "rootList", "invalidValue")]
    [InlineData("""{"rootList":[]}""", "rootList", "invalidValue")]
    [InlineData("""{"rootList":["a",1]}""", "rootList", "invalidValue")]
    [InlineData(
        """{"rootList":["1","2","3","4","5","6","7","8","9","10","11","12","13","14","15","16","17"]}""",
        "rootList",
        "invalidValue"
    )]
    [InlineData("""{}""", "rootList", "missingProperty")]
    [InlineData("""{"rootList":"a","roots":"b"}""", "roots", "unknownProperty")]
    public async Task Desired_NotAList_FailsWithThePathAndReachesNobody(string group, string path, string error)
    {
        await using var bench = await ModuleBench.StartAsync();

        await bench.Hub.DeliverDesiredAsync($$"""{"trustedRoots":{{group}}}""");
        var reported = await WaitForStatusAsync(bench, "failed");

        ((string?)reported["__errors"]![path]!["parameters"]!["name"]).ShouldBe(error);
        bench.Host.RootLists.ShouldBeEmpty();
    }

    [Fact]
    public async Task Desired_WithAnUpdate_IsJudgedByTheHostBeforeTheUpdateIs()
    {
        await using var bench = await ModuleBench.StartAsync();
        var taken = new TaskCompletionSource();
        bench.Host.ReplaceRoots = async _ =>
        {
            await taken.Task;
            return bench.Host.Roots with { Version = 1 };
        };
        var versions = new List<long>();
        bench.Host.Verify = _ =>
        {
            versions.Add(bench.Host.Roots.Version);
            return new(Samples.UpdateId("2.0.0"), false, [Samples.File], true);
        };

        // The update stands first in the document.
        var document = new JsonObject
        {
            ["firmwareUpdate"] = Samples.Group(),
            ["trustedRoots"] = new JsonObject { ["rootList"] = List },
        };
        await bench.Hub.DeliverDesiredAsync(document.ToJsonString());
        await ModuleBench.NextAsync(bench.Host.RootLists);
        await bench.JobIdAsync();
        taken.SetResult();
        await bench.Hub.WaitForPostAsync(Schemas.DownloadRequest);

        versions.ShouldBe([1]);
    }

    [Fact]
    public async Task Restarted_AfterItsEnd_HandsNothingOverAndReadsWhatHolds()
    {
        await using var bench = await ModuleBench.StartAsync();
        await DesireAsync(bench, List);
        await WaitForStatusAsync(bench, "succeeded");
        bench.Host.Roots = bench.Host.Roots with { Version = 5 };

        await bench.RestartAsync();

        await bench.Hub.WaitForReportedAsync(r => (long?)r["trustedRoots"]?["version"] == 5);
        bench.Host.RootLists.ShouldBe([List]);
    }

    [Fact]
    public async Task Desired_NoMore_ReportsItselfGone()
    {
        await using var bench = await ModuleBench.StartAsync();
        await DesireAsync(bench, List);
        await WaitForStatusAsync(bench, "succeeded");

        await bench.Hub.DeliverDesiredAsync("{}");

        await bench.Hub.WaitForReportedAsync(r => r["trustedRoots"] is null);
    }

    [Fact]
    public async Task Desired_WhileHostAccessIsAway_IsHandedOverWhenItIsBack()
    {
        await using var bench = await ModuleBench.StartAsync();
        await bench.Host.StopAsync();

        await DesireAsync(bench, List);
        await WaitForStatusAsync(bench, "pending");
        await bench.Host.StartAsync();

        await WaitForStatusAsync(bench, "succeeded");
        bench.Host.RootLists.ShouldBe([List]);
    }

    private static Task DesireAsync(ModuleBench bench, JsonNode list) =>
        bench.Hub.DeliverDesiredAsync(
            new JsonObject { ["trustedRoots"] = new JsonObject { ["rootList"] = list } }.ToJsonString()
        );

    private static async Task<JsonNode> WaitForStatusAsync(ModuleBench bench, string status)
    {
        var reported = await bench.Hub.WaitForReportedAsync(r =>
            (string?)r["trustedRoots"]?["__meta"]?["deploymentStatus"] == status
            && (
                status == "pending"
                || r["trustedRoots"]?["version"] is not null
                || r["trustedRoots"]?["__errors"] is not null
            )
        );
        return reported["trustedRoots"]!;
    }

    /// <summary>The list as one text, or as so many parts.</summary>
    private static JsonNode Parts(int count)
    {
        if (count == 1)
        {
            return List;
        }
        var length = List.Length / count;
        var parts = new JsonArray();
        for (var i = 0; i < count; i++)
        {
            parts.Add((JsonNode)(i == count - 1 ? List[(i * length)..] : List.Substring(i * length, length)));
        }
        return parts;
    }
}
