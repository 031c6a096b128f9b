using System.Text.Json.Nodes;
using EdgeDm.DevHub.Deployment;
using EdgeDm.DevHub.Launching.Containers;

namespace EdgeDm.DevHub.Tests.Launching.Containers;

/// <summary>What Docker is asked for.</summary>
public sealed class ContainerLaunchTests : IDisposable
{
    private static readonly ContainerNames Names = new("edgedm-1");

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Options_OfAModule_KeepWhatTheDeploymentSaysAndAddWhatEdgeAgentAdds()
    {
        var launch = Launch(
            """
            {
              "User": "13601:13601",
              "Labels": { "a": "b" },
              "HostConfig": {
                "ReadonlyRootfs": true,
                "CapDrop": ["ALL"],
                "Binds": ["store:/store:ro", "/etc/edgedm:/etc/edgedm:ro", "/dev/ttyS0:/dev/ttyS0"],
                "Tmpfs": { "/tmp": "size=1m" },
                "RestartPolicy": { "Name": "always" }
              }
            }
            """
        );

        launch.Name.ShouldBe("edgedm-1-A");
        launch.Volumes.ShouldBe(["edgedm-1-store"]);
        JsonNode
            .DeepEquals(
                launch.Options,
                JsonNode.Parse(
                    $$"""
                    {
                      "User": "13601:13601",
                      "Labels": { "a": "b", "net.edgedm.devhub": "edgedm-1" },
                      "HostConfig": {
                        "ReadonlyRootfs": true,
                        "CapDrop": ["ALL"],
                        "Binds": [
                          "edgedm-1-store:/store:ro",
                          "{{folder.File("etc")}}:/etc/edgedm:ro",
                          "{{folder.File("data/host/dev/ttyS0")}}:/dev/ttyS0",
                          "/sockets/A.sock:/var/run/iotedge/workload.sock"
                        ],
                        "Tmpfs": { "/tmp": "size=1m" },
                        "LogConfig": { "Type": "json-file", "Config": { "max-size": "8m" } },
                        "NetworkMode": "edgedm-1"
                      },
                      "Image": "contoso/a:1",
                      "Env": ["X=1", "Y=a=b"],
                      "NetworkingConfig": { "EndpointsConfig": { "edgedm-1": {} } }
                    }
                    """
                )
            )
            .ShouldBeTrue(launch.Options.ToJsonString());
    }

    [Fact]
    public void Options_ThatNameAnEndPoint_StayWithoutTheHubsNetwork()
    {
        const string none = """
            { "NetworkingConfig": { "EndpointsConfig": { "none": {} } }, "HostConfig": { "NetworkMode": "none" } }
            """;

        var options = Launch(none).Options;

        options["HostConfig"]!["NetworkMode"]!.GetValue<string>().ShouldBe("none");
        options["NetworkingConfig"]!["EndpointsConfig"]!.AsObject().Select(point => point.Key).ShouldBe(["none"]);
    }

    [Fact]
    public void Options_WithMounts_NameTheHubsVolumesAndFolders()
    {
        var options = Launch(
            """
            { "HostConfig": { "Mounts": [
              { "Type": "volume", "Source": "store", "Target": "/store" },
              { "Type": "bind", "Source": "/etc/edgedm/roots", "Target": "/roots" },
              { "Type": "tmpfs", "Target": "/tmp" } ] } }
            """
        ).Options;

        options["HostConfig"]!["Mounts"]!
            .AsArray()
            .Select(mount => mount!["Source"]?.GetValue<string>())
            .ShouldBe(["edgedm-1-store", folder.File("etc/roots"), null]);
    }

    [Fact]
    public void Options_WithoutWorkloadApi_MountTheCertificateInstead() =>
        Launch("{}", workload: false).Options["HostConfig"]!["Binds"]!
            .AsArray()
            .Select(bind => bind!.GetValue<string>())
            .ShouldBe(["/ca/root.pem:/var/run/iotedge/trust-bundle.pem:ro"]);

    [Fact]
    public void Names_OfTwoDataFolders_AreDifferentAndOfOneTheSame()
    {
        ContainerNames.Of("/a").ShouldNotBe(ContainerNames.Of("/b"));
        ContainerNames.Of("/a").ShouldBe(ContainerNames.Of("/b/../a"));
    }

    private ContainerLaunch Launch(string options, bool workload = true) =>
        new(
            Module(options),
            new Dictionary<string, string>(StringComparer.Ordinal) { ["X"] = "1", ["Y"] = "a=b" },
            new(
                Names,
                new(
                    folder.File("data"),
                    new Dictionary<string, string>(StringComparer.Ordinal) { ["/etc/edgedm"] = folder.File("etc") }
                ),
                workload ? id => $"/sockets/{id}.sock" : null,
                "/ca/root.pem"
            ),
            Names
        );

    private ModuleDeployment Module(string options)
    {
        var settings = new JsonObject { ["image"] = "contoso/a:1", ["createOptions"] = JsonNode.Parse(options) };
        var manifest = new JsonObject
        {
            ["modulesContent"] = new JsonObject
            {
                ["$edgeAgent"] = new JsonObject
                {
                    ["properties.desired"] = new JsonObject
                    {
                        ["modules"] = new JsonObject
                        {
                            ["A"] = new JsonObject
                            {
                                ["type"] = "docker",
                                ["status"] = "running",
                                ["settings"] = settings,
                            },
                        },
                    },
                },
            },
        };
        var file = folder.Write("deployment.json", manifest.ToJsonString());
        var variables = new TemplateVariables(new Dictionary<string, string>(StringComparer.Ordinal), []);
        return DeploymentReader.Read(file, variables, new ModuleCatalog(folder.Path, variables)).Modules.Single();
    }
}
