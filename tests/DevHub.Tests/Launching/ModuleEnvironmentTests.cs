using System.Diagnostics;
using System.Text.Json.Nodes;
using EdgeDm.DevHub.Deployment;
using EdgeDm.DevHub.Launching;

namespace EdgeDm.DevHub.Tests.Launching;

public sealed class ModuleEnvironmentTests : IAsyncLifetime
{
    private readonly LauncherBench bench = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => bench.DisposeAsync();

    [Fact]
    public void Of_EdgeAgent_IsWhatEdgeAgentSets()
    {
        var environment = bench.Environment().Of(Module());

        environment.Keys.ShouldBe([
            "EDGEDM_HUB_HTTPS_PORT",
            "EDGEDM_HUB_PORT",
            "IOTEDGE_APIVERSION",
            "IOTEDGE_AUTHSCHEME",
            "IOTEDGE_DEVICEID",
            "IOTEDGE_GATEWAYHOSTNAME",
            "IOTEDGE_IOTHUBHOSTNAME",
            "IOTEDGE_MODULEGENERATIONID",
            "IOTEDGE_MODULEID",
            "IOTEDGE_WORKLOADURI",
            "RuntimeLogLevel",
        ]);
        environment["IOTEDGE_GATEWAYHOSTNAME"].ShouldBe("gateway.local");
        environment["IOTEDGE_IOTHUBHOSTNAME"].ShouldBe("hub.local");
        environment["IOTEDGE_MODULEGENERATIONID"].ShouldBe("637");
        environment["EDGEDM_HUB_PORT"].ShouldBe("8884");
        environment["EDGEDM_HUB_HTTPS_PORT"].ShouldBe("8443");
        environment["IOTEDGE_WORKLOADURI"]
            .ShouldBe("unix://" + ShortPaths.Open(bench.Data, bench.Folder.Path).WorkloadSocket("A"));
    }

    [Fact]
    public void Of_IotEdgeHubDev_IsExactlyWhatIotedgehubdevSets()
    {
        var environment = bench.Environment(EnvironmentFlavour.IotEdgeHubDev).Of(Module());

        environment.Keys.ShouldBe([
            "EDGEDM_HUB_HTTPS_PORT",
            "EDGEDM_HUB_PORT",
            "EdgeHubConnectionString",
            "EdgeModuleCACertificateFile",
        ]);
        environment["EdgeHubConnectionString"]
            .ShouldBe(
                "HostName=hub.local;GatewayHostName=gateway.local;DeviceId=gateway;ModuleId=A;SharedAccessKey=MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
            );
        environment["EdgeModuleCACertificateFile"].ShouldBe("/data/ca/root.pem");
    }

    [Fact]
    public void Of_NamesSetTwice_TheManifestWinsOverOptionsAndTheHubOverBoth()
    {
        var environment = bench
            .Environment()
            .Of(
                Module(
                    options: [("X", "options"), ("Y", "options")],
                    manifest: [("X", "manifest"), ("IOTEDGE_MODULEID", "forged"), ("RuntimeLogLevel", "debug")]
                )
            );

        environment["X"].ShouldBe("manifest");
        environment["Y"].ShouldBe("options");
        environment["IOTEDGE_MODULEID"].ShouldBe("A");
        environment["RuntimeLogLevel"].ShouldBe("debug");
    }

    [Theory]
    [InlineData("store", "/in", "/in/x", "VOLUME/x")]
    [InlineData("/etc/edgedm", "/in", "/in/x", "MAPPED/x")]
    [InlineData("/etc/edgedm/roots", "/in", "/in", "MAPPED/roots")]
    [InlineData("/etc/edgedm-other", "/in", "/in", "HOST/etc/edgedm-other")]
    [InlineData("/srv/files/", "/in", "/in/x", "HOST/srv/files/x")]
    public void Of_PathUnderAMount_IsThePlaceOnTheHost(string source, string target, string value, string expected)
    {
        var volume = ShortPaths.Open(bench.Data, bench.Folder.Path).Volume("store");

        bench
            .Environment()
            .Of(Module([new(source, target)], manifest: [("V", value)]))["V"]
            .ShouldBe(
                expected
                    .Replace("VOLUME", volume, StringComparison.Ordinal)
                    .Replace("MAPPED", bench.Folder.File("etc"), StringComparison.Ordinal)
                    .Replace("HOST", Path.Combine(bench.Data, "host"), StringComparison.Ordinal)
            );
    }

    [Fact]
    public void Write_EnvironmentFile_IsPrivateAndAShellReadsBackTheValues()
    {
        const string odd = "it's $HOME \"and\" `more`;\\ #x";
        var file = EnvironmentFile.Write(bench.Data, "A", new Dictionary<string, string> { ["V"] = odd, ["W"] = "" });

        File.GetUnixFileMode(file).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        using var shell = Process.Start(
            new ProcessStartInfo("/bin/sh", ["-c", $". {file}; printf '%s|%s' \"$V\" \"$W\""])
            {
                RedirectStandardOutput = true,
                UseShellExecute = false,
            }
        )!;
        shell.StandardOutput.ReadToEnd().ShouldBe(odd + "|");
    }

    private static ModuleDeployment Module(
        ContainerMount[]? mounts = null,
        (string, string)[]? options = null,
        (string, string)[]? manifest = null
    ) =>
        new(
            "A",
            "contoso/a:1",
            IsWanted: true,
            RestartPolicy.Always,
            0,
            Dictionary(manifest),
            new(
                mounts ?? [],
                Dictionary(options),
                new Dictionary<string, string>(StringComparer.Ordinal),
                [],
                new JsonObject()
            )
        );

    private static Dictionary<string, string> Dictionary((string Name, string Value)[]? pairs) =>
        (pairs ?? []).ToDictionary(pair => pair.Name, pair => pair.Value, StringComparer.Ordinal);
}
