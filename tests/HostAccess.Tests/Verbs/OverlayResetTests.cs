using System.Diagnostics;
using System.Text.Json.Nodes;
using EdgeDm.Contracts;
using EdgeDm.HostAccess.Tests.Support;
using EdgeDm.Testing;

namespace EdgeDm.HostAccess.Tests.Verbs;

/// <summary>
/// The factory reset of a read-only system with writable layers, as <c>deployment/host/factory-reset</c> ships it: the hook runs as a unit of
/// the simulated host, and the test starts what the host's next start would.
/// </summary>
public sealed class OverlayResetTests : IAsyncLifetime
{
    private const string Program = "edgedm-overlay-reset";

    private readonly TestGateway gateway = new();

    private string List => Path.Combine(gateway.HostRoot, "etc", "edgedm", "overlay-reset.conf");

    private string Mark => Path.Combine(gateway.HostRoot, "var", "lib", "edgedm", "overlay-reset.mark");

    public ValueTask InitializeAsync()
    {
        var hooks = Path.Combine(Path.GetDirectoryName(gateway.ConfigurationPath)!, "factory-reset.d");
        Install("50-overlay", hooks);
        Install(Program, Path.Combine(gateway.HostRoot, "usr", "lib", "edgedm"));
        Write("etc/edgedm/overlay-reset.conf", "# writable layers\n/data/etc/upper\n/data/etc/work/\n");
        Write("data/etc/upper/hostname", "changed");
        Write("data/etc/upper/ssh/keys/host", "key");
        Write("data/etc/work/index", "");
        Write("data/other", "stays");
        gateway.Configuration["verbs"]!["factoryReset"] = new JsonObject { ["enabled"] = true };
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => gateway.DisposeAsync();

    [Fact]
    public async Task Reset_NextStart_FindsTheLayersEmptyAndNothingElse()
    {
        await gateway.StartAsync();
        await ResetAsync();
        (await gateway.EndAsync()).ShouldBe(129); // The host goes down, and nothing was erased under it.
        Files("data/etc/upper").ShouldNotBeEmpty();
        File.Exists(Mark).ShouldBeTrue();

        (await BootAsync()).ShouldBe(0);
        await gateway.StartAsync();

        Files("data/etc").ShouldBeEmpty();
        Files("data").ShouldBe(["other"]);
        File.Exists(Mark).ShouldBeFalse();
        var status = await gateway.GetAsync(
            HostApi.FactoryResetCommand("f1"),
            ContractsJson.Default.FactoryResetStatus
        );
        status.State.ShouldBe(FactoryResetStates.Completed);
    }

    [Fact]
    public async Task Start_WithoutTheMark_ErasesNothing()
    {
        (await BootAsync()).ShouldBe(0);
        Files("data/etc").Length.ShouldBe(3);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/data")]
    [InlineData("data/etc/upper")]
    [InlineData("/data/../etc")]
    [InlineData("/data//etc")]
    [InlineData("/var/lib")]
    [InlineData("/var/lib/edgedm/host-access")]
    [InlineData("/var/lib/aziot/keyd")]
    [InlineData("/data/link")]
    public async Task Reset_ALineThatMustNotBeErased_IsRefusedAsAWhole(string line)
    {
        File.CreateSymbolicLink(
            Path.Combine(gateway.HostRoot, "data", "link"),
            Path.Combine(gateway.HostRoot, "data/etc")
        );
        await File.AppendAllTextAsync(List, line + "\n");
        await gateway.StartAsync();
        await ResetAsync();

        var failed = await FailedAsync();
        failed.Error!.Name.ShouldBe("factoryResetFailed");
        File.Exists(Mark).ShouldBeFalse();
        // Had somebody else left the mark, the start would refuse as well.
        Write("var/lib/edgedm/overlay-reset.mark", "");
        (await BootAsync()).ShouldBe(1);
        Files("data/etc").Length.ShouldBe(3);
    }

    private async Task ResetAsync()
    {
        using var answer = await gateway.PostAsync(
            HostApi.FactoryReset,
            new("f1", "sold"),
            ContractsJson.Default.FactoryResetRequest
        );
        answer.IsSuccessStatusCode.ShouldBeTrue(await answer.Content.ReadAsStringAsync());
    }

    private async Task<FactoryResetStatus> FailedAsync()
    {
        using var patience = new CancellationTokenSource(TestGateway.Patience);
        using var period = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (true)
        {
            var status = await gateway.GetAsync(
                HostApi.FactoryResetCommand("f1"),
                ContractsJson.Default.FactoryResetStatus
            );
            if (status.State == FactoryResetStates.Failed)
            {
                return status;
            }
            await period.WaitForNextTickAsync(patience.Token);
        }
    }

    /// <summary>What the host's own start does before it mounts the layers.</summary>
    private async Task<int> BootAsync()
    {
        // Not executed itself: a program that another test starts at this moment may still have it open to be written (ETXTBSY).
        var start = new ProcessStartInfo(
            "/bin/sh",
            [Path.Combine(gateway.HostRoot, "usr/lib/edgedm", Program), "erase"]
        )
        {
            UseShellExecute = false,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        start.Environment["EDGEDM_SIMULATED_ROOT"] = gateway.HostRoot;
        using var program = Process.Start(start)!;
        await program.WaitForExitAsync().WaitAsync(TestGateway.Patience);
        return program.ExitCode;
    }

    private string[] Files(string folder)
    {
        var full = Path.Combine(gateway.HostRoot, folder);
        return
        [
            .. Directory
                .EnumerateFiles(full, "*", SearchOption.AllDirectories)
                .Select(file => Path.GetRelativePath(full, file)),
        ];
    }

    private void Write(string path, string content)
    {
        var full = Path.Combine(gateway.HostRoot, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, content);
    }

    private static void Install(string name, string folder)
    {
        Directory.CreateDirectory(folder);
        var target = Path.Combine(folder, name);
        File.Copy(Path.Combine(RepositoryRoot.Path, "deployment", "host", "factory-reset", name), target);
        File.SetUnixFileMode(target, (UnixFileMode)0b111_101_101);
    }
}
