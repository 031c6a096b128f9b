using System.Text.RegularExpressions;
using EdgeDm.Testing;

namespace EdgeDm.Containers.Tests;

/// <summary>
/// A gateway whose host is a container with systemd: HostAccess reaches it over D-Bus alone, scripts run as its transient units, and its
/// reboot takes every module with it.
/// </summary>
public sealed partial class HostMachineTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    // Keeps its witness in the host's own file system, which survives the host's reboot. Asks for that reboot when it is applied.
    private const string Script = """
        #!/bin/sh
        while [ $# -gt 0 ]; do
          case $1 in
            --action-*) action=${1#--action-} ;;
            --work-folder) shift; work=$1 ;;
            --result-file) shift; result=$1 ;;
          esac
          shift
        done
        root=/var/lib/gateway
        case $action in
          is-installed) if cmp -s "$work/firmware.bin" "$root/firmware.bin"; then code=900; else code=901; fi ;;
          download) code=500 ;;
          install) mkdir -p "$root"; WAIT; cp "$work/firmware.bin" "$root/firmware.bin"; echo installed >>"$root/count"; code=600 ;;
          apply) code=705 ;;
        esac
        printf '{"resultCode":%d,"extendedResultCode":0,"resultDetails":""}' $code >"$result"
        """;

    private ContainerGateway gateway = null!;

    public async ValueTask InitializeAsync() => gateway = await ContainerGateway.StartAsync(hasHost: true);

    public ValueTask DisposeAsync() => gateway.DisposeAsync();

    [Fact]
    public async Task Deploy_ScriptThatAsksForAReboot_RebootsTheHostAndIsCommittedByItsNextLife()
    {
        var before = await gateway.IdsAsync();

        await DeployAsync(wait: "true");

        await ShouldSucceedAsync();
        // Two lives of the host, told by HostAccess, and none of the containers of the first.
        Instances().Distinct(StringComparer.Ordinal).Count().ShouldBe(2, gateway.Output);
        gateway.Output.ShouldContain("The host has died: kills every module");
        (await gateway.IdsAsync()).Intersect(before, StringComparer.Ordinal).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("kill")]
    [InlineData("deployment")]
    public async Task HostAccess_GoneWhileTheHostInstalls_IsMadeGood(string how)
    {
        await DeployAsync(wait: "touch $root/installing; while [ ! -e $root/go ]; do sleep 0.2; done");
        await HubService.WaitAsync(async () =>
            await DockerCli.TryAsync("exec", gateway.Host!.Name, "ls", "/var/lib/gateway") is { } files
            && files.Contains("installing", StringComparison.Ordinal)
                ? files
                : null
        );

        if (how == "kill")
        {
            await DockerCli.RunAsync("kill", gateway.Container("HostAccess"), gateway.Container("DeviceManagement"));
        }
        else
        {
            await gateway.RecreateAsync("HostAccess", "DeviceManagement");
        }
        await DockerCli.RunAsync("exec", gateway.Host!.Name, "touch", "/var/lib/gateway/go");

        await ShouldSucceedAsync();
    }

    private Task DeployAsync(string wait) =>
        gateway.DeployAsync("2.0.0", "w1", Script.Replace("WAIT", wait, StringComparison.Ordinal));

    private async Task ShouldSucceedAsync()
    {
        var group = await gateway.Service.WaitForEndAsync("w1", Patience);
        ((string?)group["__meta"]!["deploymentStatus"]).ShouldBe("succeeded", gateway.Output);
        ((string?)group["installedUpdateId"]).ShouldBe(
            """{"provider":"Contoso","name":"Gateway","version":"2.0.0"}""",
            gateway.Output
        );
        await gateway.Host!.WaitUntilUpAsync();
        var installed = await DockerCli.RunAsync("exec", gateway.Host.Name, "cat", "/var/lib/gateway/count");
        installed.ShouldBe("installed"); // Once.
    }

    private IEnumerable<string> Instances() =>
        Instance().Matches(gateway.Output).Select(match => match.Groups["id"].Value);

    [GeneratedRegex(
        "HostAccess serves a linux host, instance (?<id>[0-9a-f-]+)",
        RegexOptions.None,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex Instance();
}
