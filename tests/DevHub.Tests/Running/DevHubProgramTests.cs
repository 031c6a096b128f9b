using System.Globalization;
using System.Text.Json.Nodes;
using EdgeDm.DevHub.Launching;
using EdgeDm.DevHub.Tests.Launching;

namespace EdgeDm.DevHub.Tests.Running;

/// <summary>The program as a whole: started, used, ended in each way, and what is left then.</summary>
public sealed class DevHubProgramTests : IDisposable
{
    // Leaves a process that left its session, which only a parent of orphans finds again; prints the ids.
    private const string Scattering =
        "setsid sh -c 'echo far=$$; exec sleep 600' & sleep 600 & echo near=$!; echo self=$$; wait";

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    [InlineData("HUP")]
    public async Task Signal_ThatStopsIt_LeavesNoProcess(string signal)
    {
        Assert.SkipWhen(
            IsIgnored(signal),
            $"These tests were started with SIG{signal} ignored, and the dev hub would be, too."
        );
        using var hub = DevHubProcess.Start(folder, Deployment(Scattering));
        await hub.WaitUntilReadyAsync();
        var ids = await IdsAsync(hub);

        hub.Signal(signal);

        (await hub.WaitForExitAsync()).ShouldBe(0);
        ids.ShouldAllBe(id => !LauncherBench.IsAlive(id));
        File.Exists(folder.File("data", "devhub.json")).ShouldBeFalse();
    }

    [Fact]
    public async Task SetEnv_ForAModule_ReachesItAndNoOther()
    {
        using var hub = DevHubProcess.Start(
            folder,
            [.. Deployment("echo told=$TOLD; exec sleep 600"), "--set-env", "A:TOLD=1", "--set-env", "other:TOLD=2"]
        );
        await hub.WaitUntilReadyAsync();

        (await hub.IdAsync("told")).ShouldBe(1);
        hub.Signal("TERM");
        await hub.WaitForExitAsync();
    }

    [Fact]
    public async Task StandardInput_Closed_StopsItWhenAsked()
    {
        using var hub = DevHubProcess.Start(folder, [.. Deployment(Scattering), "--stop-on-stdin-close"]);
        await hub.WaitUntilReadyAsync();
        var ids = await IdsAsync(hub);

        hub.CloseInput();

        (await hub.WaitForExitAsync()).ShouldBe(0);
        ids.ShouldAllBe(id => !LauncherBench.IsAlive(id));
    }

    [Fact]
    public async Task Kill_OfTheHub_IsClearedUpByTheNextOne()
    {
        int[] ids;
        using (var hub = DevHubProcess.Start(folder, Deployment("sleep 600 & echo near=$!; echo self=$$; wait")))
        {
            await hub.WaitUntilReadyAsync();
            ids = [await hub.IdAsync("near"), await hub.IdAsync("self")];
            hub.Kill();
            await hub.WaitForExitAsync();
        }
        ids.ShouldAllBe(id => LauncherBench.IsAlive(id));

        using var next = DevHubProcess.Start(folder);
        await next.WaitUntilReadyAsync();

        ids.ShouldAllBe(id => !LauncherBench.IsAlive(id));
        next.Signal("TERM");
        await next.WaitForExitAsync();
    }

    [Fact]
    public async Task Orphan_ThatEnds_IsReaped()
    {
        var deployment = Deployment("(setsid sh -c 'echo far=$$; read x < " + folder.File("fifo") + "' &) ; sleep 600");
        System.Diagnostics.Process.Start("mkfifo", folder.File("fifo")).WaitForExit();
        using var hub = DevHubProcess.Start(folder, deployment);
        await hub.WaitUntilReadyAsync();
        var far = await hub.IdAsync("far");
        ProcessTable.Find(far)!.Parent.ShouldBe(hub.Id);

        await File.WriteAllTextAsync(folder.File("fifo"), "go\n");

        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (ProcessTable.Find(far) is not null)
        {
            limit.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
        hub.Signal("TERM");
        await hub.WaitForExitAsync();
    }

    [Fact]
    public async Task Except_Module_PrintsItsEnvironmentInBothFlavours()
    {
        using var hub = DevHubProcess.Start(
            folder,
            [.. Deployment("exec sleep 600"), "--except", "A", "--module-environment", "iotedgehubdev"]
        );
        await hub.WaitUntilReadyAsync();

        await hub.Output.WaitForAsync("export EdgeHubConnectionString='HostName=127.0.0.1;");
        await hub.Output.WaitForAsync("export EdgeModuleCACertificateFile=" + folder.File("data", "ca", "root.pem"));
        File.ReadAllText(folder.File("data", "env", "A.env")).ShouldContain("EdgeHubConnectionString");
        hub.Output.Lines.ShouldNotContain(line => line.Contains("A runs as process", StringComparison.Ordinal));
        hub.Signal("TERM");
        await hub.WaitForExitAsync();
    }

    [Fact]
    public async Task Deployment_ChangedWhileItRuns_RestartsWhatChangedAndNothingElse()
    {
        const string Same = "echo same=$$; exec sleep 600";
        const string Gone = "echo gone=$$; exec sleep 600";
        using var hub = DevHubProcess.Start(
            folder,
            [
                .. Deployment(("Changed", "echo before=$$; exec sleep 600"), ("Same", Same), ("Gone", Gone)),
                .. new[] { "--program", "New=/bin/sh" },
            ]
        );
        await hub.WaitUntilReadyAsync();
        int[] ids = [await hub.IdAsync("before"), await hub.IdAsync("same"), await hub.IdAsync("gone")];

        Deployment(
            ("Changed", "echo after=$$; exec sleep 600"),
            ("Same", Same),
            ("New", "echo new=$$; exec sleep 600")
        );
        int[] after = [await hub.IdAsync("after"), await hub.IdAsync("new")];
        folder.Write("deployment.json", "{\n  \"modulesContent\": 5\n}");
        await hub.Output.WaitForAsync("is not followed: ");

        ids.Select(LauncherBench.IsAlive).ShouldBe([false, true, false]);
        after.Select(LauncherBench.IsAlive).ShouldBe([true, true]);
        hub.Signal("TERM");
        (await hub.WaitForExitAsync()).ShouldBe(0);
    }

    [Fact]
    public async Task Start_OnADataFolderInUse_IsRefused()
    {
        using var first = DevHubProcess.Start(folder);
        await first.WaitUntilReadyAsync();

        using var second = DevHubProcess.Start(folder);

        (await second.WaitForExitAsync()).ShouldBe(2);
        await second.Output.WaitForAsync("Another dev hub uses the data folder");
        first.Signal("TERM");
        (await first.WaitForExitAsync()).ShouldBe(0);
    }

    [Theory]
    [InlineData("--address 192.0.2.1", "no loopback address")]
    [InlineData("--program nothing", "NAME=PATH")]
    [InlineData("--deployment /nowhere/deployment.json", "/nowhere/deployment.json")]
    [InlineData("--set-env A", "MODULE:NAME=VALUE")]
    [InlineData("--set-env A:NAME", "MODULE:NAME=VALUE")]
    [InlineData("--set-env A:=x", "MODULE:NAME=VALUE")]
    [InlineData("--set-env :NAME=x", "MODULE:NAME=VALUE")]
    [InlineData("--record /nowhere/record.jsonl", "/nowhere/record.jsonl")]
    [InlineData("--unknown", "--unknown")]
    public async Task Start_WrongCommandLine_SaysWhatIsWrong(string arguments, string what)
    {
        using var hub = DevHubProcess.Start(folder, arguments.Split(' '));

        (await hub.WaitForExitAsync()).ShouldBe(2);
        await hub.Output.WaitForAsync(what);
    }

    [Fact]
    public async Task Start_WrongManifest_SaysWhere()
    {
        var file = folder.Write("deployment.json", "{\n  \"modulesContent\": 5\n}");
        using var hub = DevHubProcess.Start(folder, "--deployment", file);

        (await hub.WaitForExitAsync()).ShouldBe(2);
        await hub.Output.WaitForAsync(file + ":1:1: ");
    }

    /// <summary>Under nohup, or in the background of a script; what is ignored is inherited.</summary>
    private static bool IsIgnored(string signal)
    {
        var number = signal switch
        {
            "HUP" => 1,
            "INT" => 2,
            _ => 15,
        };
        const string name = "SigIgn:";
        var line = File.ReadLines("/proc/self/status").Single(l => l.StartsWith(name, StringComparison.Ordinal));
        var ignored = ulong.Parse(line.AsSpan(name.Length), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        return (ignored >> (number - 1) & 1) != 0;
    }

    private string[] Deployment(string script) => Deployment(("A", script));

    private string[] Deployment(params (string Name, string Script)[] modules)
    {
        var content = ShellModules.Content(modules);
        content["$edgeHub"] = JsonNode.Parse("""{"properties.desired":{"schemaVersion":"1.1","routes":{}}}""");
        var manifest = new JsonObject { ["modulesContent"] = content };
        return
        [
            .. new[] { "--deployment", folder.Write("deployment.json", manifest.ToJsonString()) },
            .. ShellModules.Programs(modules.Select(module => module.Name)),
        ];
    }

    private static async Task<int[]> IdsAsync(DevHubProcess hub) =>
        [await hub.IdAsync("far"), await hub.IdAsync("near"), await hub.IdAsync("self")];
}
