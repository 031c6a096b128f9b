using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using EdgeDm.DevHub.Tests.Launching;
using EdgeDm.DevHub.Tests.Running;
using EdgeDm.Testing;

namespace EdgeDm.DevHub.Tests.Agent;

/// <summary>Modules by REST, as operators deploy them: real processes of a real dev hub.</summary>
public sealed class EdgeAgentTests : IDisposable
{
    private const string Agent = "$edgeAgent";
    private const string Sleeps = "exec sleep 600";

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Apply_OtherModules_StopsStartsAndRestartsWhatChanged_AndReportsIt()
    {
        using var hub = Start(
            ("Changed", $"echo before=$$; {Sleeps}"),
            ("Same", $"echo same=$$; {Sleeps}"),
            ("Gone", $"echo gone=$$; {Sleeps}")
        );
        await hub.WaitUntilReadyAsync();
        using var service = Service();
        int[] ids = [await hub.IdAsync("before"), await hub.IdAsync("same"), await hub.IdAsync("gone")];

        await service.ApplyAsync(
            ShellModules.Content(
                ("Changed", $"echo after=$$; {Sleeps}"),
                ("Same", $"echo same=$$; {Sleeps}"),
                ("New", $"echo new=$$; {Sleeps}")
            )
        );
        int[] after = [await hub.IdAsync("after"), await hub.IdAsync("new")];
        var reported = await service.WaitForReportedAsync(
            r => (string?)r["modules"]?["New"]?["runtimeStatus"] == "running" && r["modules"]!["Gone"] is null,
            Agent
        );

        ids.Select(LauncherBench.IsAlive).ShouldBe([false, true, false]);
        after.Select(LauncherBench.IsAlive).ShouldBe([true, true]);
        var desired = (await service.TwinAsync(Agent))["properties"]!["desired"]!;
        ((long)reported["lastDesiredVersion"]!).ShouldBe((long)desired["$version"]!);
        ((int)reported["lastDesiredStatus"]!["code"]!).ShouldBe(200);
        var module = reported["modules"]!["New"]!;
        ((string?)module["settings"]!["image"]).ShouldBe("contoso/a:1");
        ((int)module["restartCount"]!).ShouldBe(0);
        DateTimeOffset
            .Parse((string)module["lastStartTimeUtc"]!, CultureInfo.InvariantCulture)
            .ShouldBe(DateTimeOffset.UtcNow, TimeSpan.FromMinutes(1));
        ((string?)reported["systemModules"]!["edgeHub"]!["runtimeStatus"]).ShouldBe("running");
        await StopAsync(hub);
    }

    [Fact]
    public async Task Apply_WrongDeployment_IsReportedAndChangesNothing()
    {
        using var hub = Start(("A", $"echo self=$$; {Sleeps}"));
        await hub.WaitUntilReadyAsync();
        using var service = Service();
        var id = await hub.IdAsync("self");
        var wrong = ShellModules.Content(("A", "exit 0"));
        wrong["$edgeAgent"]!["properties.desired"]!["modules"]!["A"]!["status"] = "sometimes";

        await service.ApplyAsync(wrong);
        var reported = await service.WaitForReportedAsync(r => (int?)r["lastDesiredStatus"]?["code"] == 400, Agent);

        ((string)reported["lastDesiredStatus"]!["description"]!).ShouldContain("'status' must be");
        ((string?)reported["modules"]!["A"]!["runtimeStatus"]).ShouldBe("running");
        LauncherBench.IsAlive(id).ShouldBeTrue();
        await StopAsync(hub);
    }

    [Fact]
    public async Task Restart_WithoutADeployment_RunsWhatWasDeployedLast()
    {
        using (var hub = Start(("A", $"echo first=$$; {Sleeps}")))
        {
            await hub.WaitUntilReadyAsync();
            await StopAsync(hub);
        }

        using var again = DevHubProcess.Start(folder, "--program", "A=/bin/sh");
        await again.WaitUntilReadyAsync();

        LauncherBench.IsAlive(await again.IdAsync("first")).ShouldBeTrue();
        await StopAsync(again);
    }

    [Fact]
    public async Task Module_ThatEnds_IsReportedWithItsExitCodeAndRestarts()
    {
        using var hub = Start(("A", $"[ -e {folder.File("once")} ] && {Sleeps}; touch {folder.File("once")}; exit 7"));
        await hub.WaitUntilReadyAsync();
        using var service = Service();

        var reported = await service.WaitForReportedAsync(r => (int?)r["modules"]?["A"]?["restartCount"] == 1, Agent);

        var module = reported["modules"]!["A"]!;
        ((int)module["exitCode"]!).ShouldBe(7);
        ((string)module["lastExitTimeUtc"]!).ShouldNotStartWith("0001");
        ((string)module["lastRestartTimeUtc"]!).ShouldNotStartWith("0001");
        await StopAsync(hub);
    }

    [Fact]
    public async Task Methods_OfTheAgent_PingAndRestart()
    {
        using var hub = Start(("A", $"echo self=$$; {Sleeps}"));
        await hub.WaitUntilReadyAsync();
        using var service = Service();
        var id = await hub.IdAsync("self");

        (await service.CallAsync("ping", null, Agent)).Status.ShouldBe(200);
        var restarted = await service.CallAsync(
            "RestartModule",
            new JsonObject { ["schemaVersion"] = "1.0", ["id"] = "A" },
            Agent
        );
        var unknown = await service.CallAsync(
            "RestartModule",
            new JsonObject { ["schemaVersion"] = "1.0", ["id"] = "B" },
            Agent
        );
        var noSuch = await service.CallAsync("Reboot", new JsonObject(), Agent);

        restarted.Status.ShouldBe(200);
        LauncherBench.IsAlive(id).ShouldBeFalse();
        unknown.Status.ShouldBe(400);
        ((string)unknown.Payload!["message"]!).ShouldContain("'B'");
        noSuch.Status.ShouldBe(400);
        ((string)noSuch.Payload!["message"]!).ShouldContain("GetModuleLogs");
        await StopAsync(hub);
    }

    [Fact]
    public async Task GetModuleLogs_WithFilters_GivesTheLinesAsked()
    {
        const string Lines =
            "echo '<6> 2026-01-31 12:00:00.000 +00:00 [INF] - one'; echo '<3> 2026-01-31 12:00:01.000 +00:00 [ERR] - two'; echo '   at three'; echo ready=1;";
        using var hub = Start(("Aa", $"{Lines} {Sleeps}"), ("Ab", $"echo other; {Sleeps}"));
        await hub.WaitUntilReadyAsync();
        using var service = Service();
        await hub.IdAsync("ready");
        await hub.Output.WaitForAsync("| other");

        (await LogsAsync("Aa", new() { ["loglevel"] = 3 })).ShouldBe([
            "<3> 2026-01-31 12:00:01.000 +00:00 [ERR] - two",
        ]);
        (await LogsAsync("Aa", new() { ["tail"] = 2 })).ShouldBe(["   at three", "ready=1"]);
        (await LogsAsync("Aa", new() { ["regex"] = "o[nt]e", ["until"] = "2026-01-31T12:00:00Z" })).ShouldBe([
            "<6> 2026-01-31 12:00:00.000 +00:00 [INF] - one",
        ]);
        (await LogsAsync("Aa", new() { ["since"] = "2026-01-31T12:00:01Z", ["tail"] = 3 })).Count.ShouldBe(3);
        (await LogsAsync("Ab", new() { ["since"] = "1h" })).ShouldBeEmpty("its line does not say when");

        var both = await CallAsync(Request("^A", null));
        both.Payload!.AsArray().Select(item => (string?)item!["id"]).ShouldBe(["Aa", "Ab"], ignoreOrder: true);

        var json = Request("Ab", null);
        json["contentType"] = "json";
        json["encoding"] = "gzip";
        var packed = Convert.FromBase64String((string)(await CallAsync(json)).Payload![0]!["payloadBytes"]!);
        await using var unpacked = new GZipStream(new MemoryStream(packed), CompressionMode.Decompress);
        var line = JsonNode.Parse(unpacked)![0]!;
        ((string?)line["text"]).ShouldBe("other");
        ((string?)line["id"]).ShouldBe("Ab");
        ((int)line["loglevel"]!).ShouldBe(6);
        await StopAsync(hub);

        JsonObject Request(string id, JsonObject? filter) =>
            new()
            {
                ["schemaVersion"] = "1.0",
                ["items"] = new JsonArray(new JsonObject { ["id"] = id, ["filter"] = filter }),
            };

        Task<(int Status, JsonNode? Payload)> CallAsync(JsonObject request) =>
            service.CallAsync("GetModuleLogs", request, Agent);

        async Task<IReadOnlyList<string>> LogsAsync(string id, JsonObject filter)
        {
            var (status, payload) = await CallAsync(Request(id, filter));
            status.ShouldBe(200, payload?.ToJsonString());
            return ((string)payload![0]!["payload"]!).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        }
    }

    private DevHubProcess Start(params (string Name, string Script)[] modules)
    {
        var manifest = new JsonObject { ["modulesContent"] = ShellModules.Content(modules) };
        return DevHubProcess.Start(
            folder,
            [
                .. new[] { "--deployment", folder.Write("deployment.json", manifest.ToJsonString()) },
                .. ShellModules.Programs([.. modules.Select(module => module.Name), "New"]),
            ]
        );
    }

    private HubService Service()
    {
        var roots = new X509Certificate2Collection();
        roots.ImportFromPemFile(folder.File("data", "ca", "root.pem"));
        return new(File.ReadAllText(folder.File("data", "iothubowner.connection-string")), roots, "gateway");
    }

    private static async Task StopAsync(DevHubProcess hub)
    {
        hub.Signal("TERM");
        (await hub.WaitForExitAsync()).ShouldBe(0);
    }
}
