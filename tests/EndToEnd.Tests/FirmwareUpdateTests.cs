using System.Text.Json.Nodes;
using EdgeDm.Contracts;
using EdgeDm.EndToEnd.Tests.Kills;
using EdgeDm.Testing;

namespace EdgeDm.EndToEnd.Tests;

/// <summary>One firmware update through all processes: desired property, download, script, reboot, health gate, report.</summary>
public sealed class FirmwareUpdateTests
{
    private const string OftenReported = "DeviceManagement:EDGEDM_PROGRESS_SECONDS=1";

    [Theory]
    [InlineData("edgeAgent")]
    [InlineData("iotedgehubdev")]
    public async Task Deploy_SignedUpdate_RunsThroughTheRebootAndIsReported(string environment)
    {
        var record = Path.GetTempFileName();
        await using var gateway = await Gateway.StartAsync([
            "--module-environment",
            environment,
            "--record",
            record,
            "--set-env",
            OftenReported,
        ]);

        await gateway.Service.DesireAsync(
            new()
            {
                ["firmwareUpdate"] = gateway.Publisher.Publish(
                    gateway.FilesFolder,
                    gateway.Files.Url,
                    "2.0.0",
                    UpdatePublisher.GoodScript,
                    "w1",
                    installSeconds: 4
                ),
            }
        );
        var group = await gateway.Service.WaitForEndAsync("w1");

        ((string?)group["__meta"]!["deploymentStatus"]).ShouldBe("succeeded", gateway.Output);
        ((string?)group["installedUpdateId"]).ShouldBe("""{"provider":"Contoso","name":"Gateway","version":"2.0.0"}""");
        ((int?)group["lastInstallResult"]!["resultCode"]).ShouldBe(700);
        File.ReadAllLines(Path.Combine(gateway.SimulatedHost, "root", "count")).ShouldBe(["installed"]);
        var (status, job) = await gateway.Service.CallAsync(
            "getJob",
            new JsonObject { ["jobId"] = (string)group["jobId"]! }
        );
        status.ShouldBe(200);
        job!["steps"]!.AsArray().Select(s => (string?)s!["name"]).ShouldBe(["check", "download", "install", "verify"]);
        gateway.Files.Requests.Count(r => r == "/firmware.bin").ShouldBe(1);
        // The second of two steps begins to install at 71 % and ends at 87: what is in between was told while it wrote.
        var percents = new CloudRecord(record).PercentsOf("install");
        percents
            .Distinct()
            .Count(percent => percent is > 71 and < 87)
            .ShouldBeGreaterThanOrEqualTo(2, string.Join(' ', percents));
        File.Delete(record);
    }

    [Theory]
    [InlineData("bundle")]
    [InlineData("folder")]
    public async Task Deploy_DetachedManifestMadeByEdgedm_IsInstalledInEitherForm(string form)
    {
        await using var gateway = await Gateway.StartAsync();
        var package = gateway.MakeFolder("package");
        var samples = Path.Combine(RepositoryRoot.Path, "deployment", "samples", "demo");
        File.Copy(Path.Combine(samples, "install.sh"), Path.Combine(package, "install.sh"));
        File.WriteAllBytes(Path.Combine(package, "firmware.bin"), new byte[1_000_000]);
        for (var i = 0; i < 40; i++)
        {
            // So many files that their manifest does not fit a twin's string.
            File.WriteAllText(Path.Combine(package, $"one-of-many-files-{i}.txt"), $"{i}");
        }
        var steps = File.ReadAllText(Path.Combine(samples, "steps.json"))
            .Replace("[\"install.sh\", \"firmware.bin\"]", "[\"*\"]", StringComparison.Ordinal);
        var stepsFile = Path.Combine(gateway.MakeFolder("steps"), "steps.json");
        File.WriteAllText(stepsFile, steps);
        var (key, sjwk) = gateway.Publisher.WriteKeys(gateway.MakeFolder("keys"));
        var published = Path.Combine(gateway.FilesFolder, form == "bundle" ? "update.edgedm.tar" : "published");

        string[] create =
        [
            .. new[] { "update", "create", package, "--steps", stepsFile, "--out", published },
            .. new[] { "--provider", "Contoso", "--name", "Gateway", "--version", "2.0.0" },
            .. new[] { "--manufacturer", "Contoso", "--model", "Gateway", "--signing-key", key, "--sjwk", sjwk },
            .. form == "bundle" ? new[] { "--bundle" } : [],
        ];
        var created = await gateway.RunEdgeDmAsync(create);
        created.ExitCode.ShouldBe(0, created.Output);
        string[] deploy =
            form == "bundle"
                ? ["update", "deploy", $"{gateway.Files.Url}/update.edgedm.tar", "--watch"]
                : ["update", "deploy", published, "--base-url", $"{gateway.Files.Url}/published", "--watch"];
        var deployed = await gateway.RunEdgeDmAsync(deploy);

        deployed.ExitCode.ShouldBe(0, deployed.Output + gateway.Output);
        created.Output.ShouldContain("detached");
        File.ReadAllText(Path.Combine(gateway.SimulatedHost, "root", "opt", "demo", "version")).ShouldBe("2.0.0\n");
    }

    [Fact]
    public async Task Deploy_RefusedUpdates_TellWhyAndTheOldVersionRunsOn()
    {
        await using var gateway = await Gateway.StartAsync();
        var stranger = UpdatePublisher.Stranger;

        await gateway.DeployAsync("2.0.0", "unknown-key", publisher: stranger);
        var unknownKey = await gateway.Service.WaitForEndAsync("unknown-key");
        await gateway.DeployAsync("2.0.0", "tampered", spoil: UpdatePublisher.Tamper);
        var tampered = await gateway.Service.WaitForEndAsync("tampered");
        await gateway.DeployAsync(
            "2.0.0",
            "wrong-digest",
            spoil: _ => SpoilOneByte(Path.Combine(gateway.FilesFolder, "firmware.bin"))
        );
        var wrongDigest = await gateway.Service.WaitForEndAsync("wrong-digest");
        await gateway.DeployAsync("2.0.0", "failing-script", UpdatePublisher.FailingScript);
        var failingScript = await gateway.Service.WaitForEndAsync("failing-script");
        await gateway.DeployAsync("2.0.0", "good");
        var good = await gateway.Service.WaitForEndAsync("good");

        ErrorOf(unknownKey).ShouldBe((Subsystems.HostAccess, "unknownRoot"), gateway.Output);
        ErrorOf(tampered).ShouldBe((Subsystems.HostAccess, "manifestTampered"), gateway.Output);
        ErrorOf(wrongDigest).ShouldBe((Subsystems.FirmwareDownload, "digestMismatch"), gateway.Output);
        ErrorOf(failingScript).ShouldBe((Subsystems.HostAccess, "stepFailed"), gateway.Output);
        ((string?)failingScript["installedUpdateId"]).ShouldBeNull();
        ((string?)good["__meta"]!["deploymentStatus"]).ShouldBe("succeeded", gateway.Output);
    }

    [Fact]
    public async Task Reboot_ByMethod_IsProvedByANewHostInstance()
    {
        await using var gateway = await Gateway.StartAsync();

        var (status, _) = await gateway.Service.CallAsync("StartRebootCmd", new JsonObject { ["commandId"] = "r1" });
        var job = await gateway.Service.WaitForJobEndAsync("r1");

        status.ShouldBe(200);
        ((string?)job["status"]).ShouldBe("completed", gateway.Output);
    }

    [Fact]
    public async Task Modules_StartedBeforeTheHub_WaitForItAndComeBackAfterItsKill()
    {
        await using var gateway = await Gateway.StartAsync(
            Gateway.Modules.SelectMany(m => new[] { "--except", m }).ToArray()
        );
        var (mqtt, https) = gateway.Ports;
        await gateway.StopHubAsync();

        using var modules = gateway.StartModules();
        await modules.WaitForLineAsync("DeviceManagement", "No connection to the hub");
        await gateway.StartHubAsync(mqtt, https);
        var before = await gateway.Service.CallAsync("queryJobs", new JsonObject());
        await gateway.StopHubAsync(kill: true);
        await gateway.StartHubAsync(mqtt, https);
        var after = await gateway.Service.CallAsync("queryJobs", new JsonObject());
        await gateway.DeployAsync("2.0.0", "w1", UpdatePublisher.FailingScript);
        var group = await gateway.Service.WaitForEndAsync("w1");

        before.Status.ShouldBe(200);
        after.Status.ShouldBe(200);
        ErrorOf(group).ShouldBe((Subsystems.HostAccess, "stepFailed"), modules.Output);
    }

    private static void SpoilOneByte(string path)
    {
        using var file = File.Open(path, FileMode.Open);
        var first = file.ReadByte();
        file.Position = 0;
        file.WriteByte((byte)~first);
    }

    private static (string?, string?) ErrorOf(JsonObject group)
    {
        var error = group["__errors"]!.AsObject().Single().Value!;
        return ((string?)error["subsystem"], (string?)error["parameters"]!["name"]);
    }
}
