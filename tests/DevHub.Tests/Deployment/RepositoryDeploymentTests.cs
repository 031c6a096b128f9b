using System.Text.Json.Nodes;
using EdgeDm.DevHub.Deployment;
using EdgeDm.DevHub.Launching;

namespace EdgeDm.DevHub.Tests.Deployment;

/// <summary>The repository's own deployment.template.json.</summary>
public sealed class RepositoryDeploymentTests
{
    private static readonly DeploymentManifest Manifest = Read();

    [Fact]
    public void Template_Read_HasTheFourModulesInStartOrder() =>
        Manifest
            .Modules.Select(module => module.Id)
            .ShouldBe(["HostAccess", "FirmwareDownload", "Telemetry", "DeviceManagement"]);

    [Fact]
    public void Template_ForDeviceManagement_SetsNoDesiredProperties() =>
        // It would replace the operators' settings at every deployment.
        Manifest.Desired.Select(section => section.Key).ShouldBe(["$edgeAgent", "$edgeHub"]);

    [Fact]
    public void Template_PathsInEnvironments_LieUnderMounts()
    {
        foreach (var module in Manifest.Modules)
        {
            var paths = new ContainerPaths(module.CreateOptions.Mounts.Select(mount => (mount.Target, "/HOST")));
            foreach (
                var (name, value) in module.Env.Where(variable =>
                    variable.Value.Contains('/', StringComparison.Ordinal)
                )
            )
            {
                paths.Rewrite(value).ShouldContain("/HOST", Case.Sensitive, $"{module.Id} {name}");
            }
        }
    }

    [Fact]
    public void Template_HostAccess_HasNoNetworkBothWaysAndReadsTheStoreOnly()
    {
        var options = Manifest.Find("HostAccess")!.CreateOptions;

        options.Document["HostConfig"]!["NetworkMode"]!.GetValue<string>().ShouldBe("none");
        options.Document["NetworkingConfig"]!["EndpointsConfig"]!["none"].ShouldNotBeNull();
        Binds("HostAccess").ShouldContain("edgedm-store:/var/lib/edgedm-store:ro");
        options.Labels[ModuleLauncher.HostRebootLabel].ShouldBe("129");
    }

    [Fact]
    public void Template_Rights_AreMountedWhereTheyAreNeededAndNowhereElse()
    {
        Holders("edgedm-verbs").ShouldBe(["HostAccess", "DeviceManagement"]);
        Holders("edgedm-inventory").ShouldBe(["HostAccess", "Telemetry"]);
        Holders("edgedm-store").ShouldBe(["HostAccess", "FirmwareDownload"]);
        Holders("/etc/edgedm").ShouldBe(["HostAccess"]);
        Holders("/run/dbus").ShouldBe(["HostAccess"]);
    }

    [Fact]
    public void Template_EveryModule_HasAReadOnlyRootAndNoCapability()
    {
        foreach (var host in Manifest.Modules.Select(module => module.CreateOptions.Document["HostConfig"]!))
        {
            host["ReadonlyRootfs"]!.GetValue<bool>().ShouldBeTrue();
            host["CapDrop"]!.AsArray().Select(name => name!.GetValue<string>()).ShouldBe(["ALL"]);
            host["SecurityOpt"]!.AsArray().Select(name => name!.GetValue<string>()).ShouldBe(["no-new-privileges"]);
            host["CapAdd"].ShouldBeNull();
            host["Privileged"].ShouldBeNull();
        }
    }

    [Fact]
    public void Template_HostAccessFolder_HasOnePathOnBothSides() =>
        // The host's services are given paths of staged files.
        Binds("HostAccess").ShouldContain("/var/lib/edgedm/host-access:/var/lib/edgedm/host-access");

    [Fact]
    public void Dockerfiles_OfAllModules_ExistForEachPlatformAndBeginAlike()
    {
        var root = Path.GetDirectoryName(Manifest.File)!;
        foreach (var platform in new[] { "amd64", "arm64v8" })
        {
            var beginnings = Manifest.Modules.Select(module =>
            {
                var text = File.ReadAllText(Path.Combine(root, "modules", module.Id, "Dockerfile." + platform));
                text.ShouldContain($"USER {module.CreateOptions.Document["User"]}\n");
                text.ShouldContain($"ENTRYPOINT [\"/opt/edgedm/EdgeDm.{module.Id}\"]");
                var begin = text.IndexOf("ARG BASE", StringComparison.Ordinal);
                return text[begin..text.IndexOf("# The module's own.", StringComparison.Ordinal)];
            });
            // One layer on disk, wire and in memory only if they do.
            beginnings.Distinct(StringComparer.Ordinal).Count().ShouldBe(1, platform);
        }
    }

    [Fact]
    public void Template_Modules_RunUnderTheirOwnUsers() =>
        Manifest
            .Modules.ToDictionary(
                module => module.Id,
                module => module.CreateOptions.Document["User"]!.GetValue<string>(),
                StringComparer.Ordinal
            )
            .ShouldBe(
                new Dictionary<string, string>(StringComparer.Ordinal)
                {
                    ["HostAccess"] = "0:0",
                    ["FirmwareDownload"] = "13602:13602",
                    ["Telemetry"] = "13603:13603",
                    ["DeviceManagement"] = "13601:13601",
                }
            );

    [Fact]
    public void Template_Routes_ShipNothingUpstreamByAWildcard()
    {
        var routes = (JsonObject)Manifest.Desired.Single(section => section.Key == "$edgeHub").Value["routes"]!;

        routes.Count.ShouldBe(6);
        routes
            .Select(route => route.Value!["route"]!.GetValue<string>())
            .ShouldAllBe(route => !route.Contains('*', StringComparison.Ordinal));
    }

    private static string[] Binds(string module) =>
        [
            .. ((JsonArray)Manifest.Find(module)!.CreateOptions.Document["HostConfig"]!["Binds"]!).Select(bind =>
                bind!.GetValue<string>()
            ),
        ];

    private static string[] Holders(string source) =>
        [
            .. Manifest
                .Modules.Where(module => module.CreateOptions.Mounts.Any(mount => mount.Source == source))
                .Select(module => module.Id),
        ];

    private static DeploymentManifest Read()
    {
        var root = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(root, "EdgeDm.sln")))
        {
            root =
                Path.GetDirectoryName(root) ?? throw new FileNotFoundException("The repository's root was not found.");
        }
        var variables = new TemplateVariables(new Dictionary<string, string>(StringComparer.Ordinal), []);
        return DeploymentReader.Read(
            Path.Combine(root, "deployment.template.json"),
            variables,
            new ModuleCatalog(root, variables)
        );
    }
}
