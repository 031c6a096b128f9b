namespace EdgeDm.Containers.Tests;

/// <summary>Scripts, as transient units of a host with systemd.</summary>
public sealed class ScriptedHostTests : HostMachineTest
{
    private const string Root = "/var/lib/gateway";

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
          install) WAIT; cp "$work/firmware.bin" "$root/firmware.bin"; echo installed >>"$root/count"; code=600 ;;
          apply) code=705 ;;
        esac
        printf '{"resultCode":%d,"extendedResultCode":0,"resultDetails":""}' $code >"$result"
        """;

    [Fact]
    public async Task Deploy_ScriptThatAsksForAReboot_RebootsTheHostAndIsCommittedByItsNextLife()
    {
        var before = await Gateway.IdsAsync();

        await DeployAsync(wait: "true");

        await ShouldSucceedOnceAsync();
        // Two lives of the host, and none of the containers of the first.
        await ShouldHaveStartedAsync(times: 2);
        Gateway.Output.ShouldContain("The host has died: kills every module");
        (await Gateway.IdsAsync()).Intersect(before, StringComparer.Ordinal).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("kill")]
    [InlineData("deployment")]
    public async Task HostAccess_GoneWhileTheHostInstalls_IsMadeGood(string how)
    {
        await DeployAsync(wait: "touch $root/installing; while [ ! -e $root/go ]; do sleep 0.2; done");
        await Host.WaitForFileAsync($"{Root}/installing");

        await TakeAwayAsync(how, "HostAccess", "DeviceManagement");
        await Host.RunAsync("touch", $"{Root}/go");

        await ShouldSucceedOnceAsync();
    }

    private Task DeployAsync(string wait) =>
        Gateway.DeployAsync("2.0.0", "w1", Script.Replace("WAIT", wait, StringComparison.Ordinal));

    private async Task ShouldSucceedOnceAsync()
    {
        await ShouldSucceedAsync();
        (await Host.LinesAsync($"{Root}/count")).ShouldBe(["installed"]);
    }
}
