using System.Text.Json.Nodes;

namespace EdgeDm.DevHub.Tests.Recording;

public sealed class TrafficRecordTests
{
    [Fact]
    public async Task Record_OfTwoHubs_HasEachPatchAndEachMessageToTheCloudInOrder()
    {
        using var folder = new TemporaryFolder();
        var file = folder.File("record.jsonl");

        for (var run = 1; run <= 2; run++)
        {
            await using var hub = await TestHub.StartAsync(
                options => options with { RecordFile = file },
                dataFolder: folder.File("data")
            );
            hub.Route("FROM /messages/modules/a/outputs/up INTO $upstream");
            await using var client = await MqttTestClient.ConnectAsync(hub, "a");
            await client.OutputAsync(
                "up",
                $$"""{"run":{{run}}}""",
                "%24.ct=application%2Fjson&%24.ce=utf-8&%24.mid=m1"
            );
            await client.OutputAsync("aside", "goes nowhere");
            hub.Server.Twins.Report(hub.Module("a"), new() { ["run"] = run, ["old"] = null });
        }

        var lines = (await File.ReadAllLinesAsync(file))
            .Select(line => JsonNode.Parse(line)!)
            .Where(line => (string?)line["moduleId"] != "$edgeHub") // The hub reports its routes itself, when it comes to it.
            .ToList();
        lines.Select(line => (string?)line["kind"]).ShouldBe(["message", "reported", "message", "reported"]);
        lines[2]["message"]!["body"]!.ToJsonString().ShouldBe("""{"run":2}""");
        ((string?)lines[2]["message"]!["systemProperties"]!["messageId"]).ShouldBe("m1");
        lines[3]["patch"]!.ToJsonString().ShouldBe("""{"run":2,"old":null}""");
        ((string?)lines[3]["moduleId"]).ShouldBe("a");
        ((long)lines[3]["version"]!).ShouldBe((long)lines[1]["version"]! + 1);
    }

    [Fact]
    public async Task Record_WhoseLastLineAKillTore_HasTheNextLineWhole()
    {
        using var folder = new TemporaryFolder();
        var file = folder.File("record.jsonl");
        await File.WriteAllTextAsync(file, """{"kind":"message","mess""");

        await using (
            var hub = await TestHub.StartAsync(
                options => options with { RecordFile = file },
                dataFolder: folder.File("data")
            )
        )
        {
            hub.Server.Twins.Report(hub.Module("a"), new() { ["whole"] = true });
        }

        var lines = await File.ReadAllLinesAsync(file);
        lines[0].ShouldBe("""{"kind":"message","mess""");
        lines[1..].Select(line => JsonNode.Parse(line)!["patch"]?["whole"]).ShouldContain(v => v != null);
    }

    [Fact]
    public async Task Record_ThatCannotBeWritten_EndsTheStartWithTheReason()
    {
        using var folder = new TemporaryFolder();

        var error = await Should.ThrowAsync<EdgeDm.Hosting.MisconfiguredException>(() =>
            TestHub.StartAsync(options => options with { RecordFile = folder.File("none/record.jsonl") })
        );

        error.Message.ShouldContain("none/record.jsonl");
    }
}
