using System.Text.Json.Nodes;
using EdgeDm.EndToEnd.Tests;
using EdgeDm.Testing;

namespace EdgeDm.Containers.Tests;

/// <summary>RAUC bundles, on a host with two slots and a boot loader that counts starts.</summary>
public sealed class SlottedHostTests : HostMachineTest
{
    private const string Bundle = "gateway.raucb";
    private const string State = "/var/lib/gateway";

    // HostAccess's socket is in a folder that DeviceManagement, which is not root, can no longer enter after a start of this system.
    private static readonly (string Path, string Content) ShutOut = (
        "usr/lib/tmpfiles.d/gateway.conf",
        $"z {HostMachine.VerbsFolder} 0700 root root"
    );

    /// <summary>Spent in full by a system that keeps DeviceManagement out.</summary>
    protected override int HealthDeadline => 40;

    [Fact]
    public async Task Deploy_Bundle_StartsTheOtherSlotAndIsCommittedThere()
    {
        await MakeBundleAsync();

        await DeployAsync();

        await ShouldSucceedInSlotBAsync();
    }

    [Theory]
    [InlineData("kill")]
    [InlineData("deployment")]
    public async Task HostAccess_GoneWhileRaucInstalls_IsMadeGood(string how)
    {
        await Host.RunAsync("touch", $"{State}/hold");
        await MakeBundleAsync();
        await DeployAsync();
        await Host.WaitForFileAsync($"{State}/held");

        await TakeAwayAsync(how, "HostAccess", "DeviceManagement");
        await Host.RunAsync("rm", $"{State}/hold");

        await ShouldSucceedInSlotBAsync();
    }

    [Fact]
    public async Task Deploy_SystemThatKeepsDeviceManagementOut_IsRolledBackAndTold()
    {
        await MakeBundleAsync(files: ShutOut);

        await DeployAsync();

        var error = await ShouldFailAsync();
        ((string?)error["parameters"]!["name"]).ShouldBe("healthTimedOut", error.ToJsonString());
        ((string?)error["message"])!.ShouldContain("recent evidence", Case.Sensitive);
        ((string?)error["parameters"]!["notUndone"]).ShouldBeNull();
        await ShouldRunSlotAAsync("A", "B", "A");
    }

    [Fact]
    public async Task Deploy_SystemThatDoesNotStart_IsLeftByTheBootLoaderAndTold()
    {
        await MakeBundleAsync(Workshop.Broken);

        await DeployAsync();

        var error = await ShouldFailAsync();
        ((string?)error["message"])!.ShouldContain("its boot loader took rootfs.0", Case.Sensitive);
        const string Vain = "B does not start";
        await ShouldRunSlotAAsync("A", Vain, Vain, Vain, "A");
    }

    [Fact]
    public async Task Deploy_BundleChangedAfterItWasSigned_IsRefusedInRaucsWords()
    {
        var path = await MakeBundleAsync();
        var bundle = await File.ReadAllBytesAsync(path);
        bundle[bundle.Length / 2] ^= 1;
        await File.WriteAllBytesAsync(path, bundle);

        await DeployAsync();

        await ShouldBeRefusedAsync("signature verification failed");
    }

    [Fact]
    public async Task Deploy_BundleForOtherSystems_IsRefused()
    {
        await MakeBundleAsync(compatible: "another-gateway");

        await DeployAsync();

        await ShouldBeRefusedAsync($"made for 'another-gateway', and this host's RAUC is '{Workshop.Compatible}'");
    }

    [Fact]
    public async Task Reboot_ByAnOperator_HasTheSlotThatStartedMarkedGood()
    {
        await WaitUntilGoodAsync("A");

        var (status, answer) = await Gateway.Service.CallAsync("StartRebootCmd", new JsonObject());

        status.ShouldBe(200, answer?.ToJsonString());
        await HubService.WaitAsync(async () =>
            await DockerCli.TryAsync("exec", Host.Name, "cat", $"{State}/boots") == "A\nA" ? "" : null
        );
        // That start took one of the slot's.
        await WaitUntilGoodAsync("A");
        await ShouldHaveStartedAsync(times: 2);
    }

    private async Task<string> MakeBundleAsync(
        string version = "2.0.0",
        string compatible = Workshop.Compatible,
        params (string Path, string Content)[] files
    )
    {
        var path = Path.Combine(Gateway.FilesFolder, Bundle);
        await Workshop.MakeBundleAsync(path, version, compatible, files);
        return path;
    }

    private Task DeployAsync() =>
        Gateway.DeployAsync("2.0.0", "w1", UpdatePublisher.Step("edgedm/rauc:1", [Bundle], "{}"));

    private async Task ShouldSucceedInSlotBAsync()
    {
        await ShouldSucceedAsync();
        await ShouldHaveStartedAsync(times: 2);
        (await Host.StartsAsync()).ShouldBe(["A", "B"]);
        (await Host.LinesAsync($"{State}/installs")).Length.ShouldBe(1);
        await ShouldRunAsync("2.0.0");
        await WaitUntilGoodAsync("B");
    }

    private async Task ShouldRunSlotAAsync(params string[] starts)
    {
        (await Host.StartsAsync()).ShouldBe(starts);
        await ShouldRunAsync("1.0.0");
        await WaitUntilGoodAsync("A");
        (await VariablesAsync()).ShouldContain("BOOT_B_LEFT=0");
        (await VariablesAsync()).ShouldContain("BOOT_ORDER=\"A B\"");
    }

    private async Task ShouldBeRefusedAsync(string words)
    {
        var error = await ShouldFailAsync();
        ((string?)error["message"])!.ShouldContain(words, Case.Sensitive);
        await ShouldHaveStartedAsync(times: 1);
        (await Host.StartsAsync()).ShouldBe(["A"]);
        (await VariablesAsync()).ShouldContain("BOOT_ORDER=\"A B\"");
    }

    // The slot's own file, as the host and HostAccess see it.
    private async Task ShouldRunAsync(string version) =>
        (await Host.LinesAsync("/etc/os-release")).ShouldContain($"IMAGE_VERSION={version}");

    private Task<string> WaitUntilGoodAsync(string slot) =>
        HubService.WaitAsync(async () => (await VariablesAsync()).Contains($"BOOT_{slot}_LEFT=3") ? slot : null);

    private Task<string[]> VariablesAsync() => Host.LinesAsync($"{State}/boot.env");
}
