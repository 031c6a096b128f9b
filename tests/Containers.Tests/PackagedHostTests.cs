using EdgeDm.EndToEnd.Tests;

namespace EdgeDm.Containers.Tests;

/// <summary>Packages from the host's own signed repository, which lies in a folder of the host.</summary>
public sealed class PackagedHostTests : HostMachineTest
{
    private const string Package = "contoso-agent";

    [Fact]
    public async Task Deploy_PackageWhoseAgentMustRestart_IsInstalledOnceAndCommittedByTheHostsNextLife()
    {
        await OfferAsync("1.2.0");

        await DeployAsync("1.2.0");

        await ShouldSucceedAsync();
        await ShouldHaveStartedAsync(times: 2);
        (await InstalledAsync()).ShouldBe("1.2.0 installed");
        (await Host.LinesAsync("/var/lib/gateway/configured")).ShouldBe([$"configure {Package}"]);
    }

    [Fact]
    public async Task Deploy_VersionThatTheRepositoryDoesNotHave_FailsWithAptsWordsAndChangesNothing()
    {
        await OfferAsync("1.2.0");

        await DeployAsync("1.3.0");

        var error = await ShouldFailAsync();
        ((string?)error["message"])!.ShouldContain($"Version '1.3.0' for '{Package}' was not found", Case.Sensitive);
        await ShouldHaveStartedAsync(times: 1);
        (await InstalledAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task Deploy_PackageListThatWasChangedAfterItWasSigned_FailsWithAptsWordsAndChangesNothing()
    {
        await OfferAsync("1.2.0");
        await Host.RunAsync(
            "sed",
            "-i",
            "s/^Date: .*/Date: Thu, 01 Jan 2026 00:00:00 UTC/",
            "/var/lib/gateway/packages/InRelease"
        );

        await DeployAsync("1.2.0");

        var error = await ShouldFailAsync();
        ((string?)error["message"])!.ShouldContain("is not signed", Case.Sensitive);
        await ShouldHaveStartedAsync(times: 1);
        (await InstalledAsync()).ShouldBeEmpty();
    }

    private async Task OfferAsync(string version)
    {
        var packages = Path.Combine(Gateway.FilesFolder, "packages");
        Directory.CreateDirectory(packages);
        await Workshop.MakePackagesAsync(packages, Package, version);
        await Host.CopyAsync(packages, "/var/lib/gateway/packages");
    }

    private async Task DeployAsync(string version)
    {
        await File.WriteAllTextAsync(
            Path.Combine(Gateway.FilesFolder, "packages.json"),
            $$"""
            {"name":"{{Package}}","version":"1","packages":[{"name":"{{Package}}","version":"{{version}}"}],"agentRestartRequired":true}
            """
        );
        await Gateway.DeployAsync("2.0.0", "w1", UpdatePublisher.Step("microsoft/apt:1", ["packages.json"], "{}"));
    }

    private Task<string> InstalledAsync() =>
        DockerCli.TryAsync("exec", Host.Name, "dpkg-query", "-W", "-f=${Version} ${db:Status-Status}", Package);
}
