using System.Net;
using System.Text.Json.Nodes;
using EdgeDm.Contracts;
using EdgeDm.Durable;
using EdgeDm.HostAccess.Tests.Support;
using EdgeDm.HostAccess.Verbs.FactoryReset;

namespace EdgeDm.HostAccess.Tests.Verbs;

/// <summary>Hooks are real programs; what they did stands in a file outside HostAccess's state.</summary>
public sealed class FactoryResetTests
{
    private const UnixFileMode Executable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    [Fact]
    public async Task Reset_HooksEndWell_RunsEachOnceInOrderAndRestartsTheHost()
    {
        await using var gateway = MakeGateway(("20-second", Note("second")), ("10-first", Note("first")));
        await gateway.StartAsync();
        var accepted = await ResetAsync(gateway, new("f1", "returned"));
        accepted.ShouldBe(new("f1", FactoryResetStates.Erasing, 0, 2, accepted.HostInstanceId));
        await gateway.RebootAsync();

        var completed = await WaitAsync(gateway, "f1", FactoryResetStates.Completed);
        completed.HooksDone.ShouldBe(2);
        completed.HostInstanceId.ShouldNotBe(accepted.HostInstanceId);
        gateway.Calls.ShouldBe(["first", "second"]);

        // The same command once more is no other reset.
        (await ResetAsync(gateway, new("f1", "returned"))).ShouldBe(completed);
        gateway.Calls.Length.ShouldBe(2);
        gateway.Audit.Count(line => line.Contains("\"verb\":\"factoryReset\"", StringComparison.Ordinal)).ShouldBe(2);
    }

    [Fact]
    public async Task Reset_AHookFails_EndsThereAndTheHostStaysUp()
    {
        await using var gateway = MakeGateway(("10-first", Note("first") + "\nexit 3"), ("20-second", Note("second")));
        await gateway.StartAsync();
        await ResetAsync(gateway, new("f1", ""));

        var failed = await WaitAsync(gateway, "f1", FactoryResetStates.Failed);
        failed.Error!.Name.ShouldBe("factoryResetFailed");
        failed.Error.Parameters["hook"].ShouldBe("10-first");
        failed.Error.Message.ShouldContain("exit code 3");
        gateway.Calls.ShouldBe(["first"]);
        // The host's turn is free again.
        using var reboot = await gateway.PostAsync(
            HostApi.Reboot,
            new("r1", "", DelaySeconds: 3600),
            ContractsJson.Default.RebootRequest
        );
        reboot.StatusCode.ShouldBe(HttpStatusCode.Accepted);
    }

    [Fact]
    public async Task Reset_AHookThatNeverEnds_IsEndedAtItsLimit()
    {
        await using var gateway = MakeGateway(("10-endless", Note("endless") + "\nexec sleep 1000"));
        gateway.Configuration["factoryReset"]!["hookTimeoutSeconds"] = 5; // Long enough for its first line on a loaded machine.
        await gateway.StartAsync();
        await ResetAsync(gateway, new("f1", ""));

        var failed = await WaitAsync(gateway, "f1", FactoryResetStates.Failed);
        failed.Error!.Message.ShouldContain("within 5 s");
        gateway.Calls.ShouldBe(["endless"]);
    }

    [Fact]
    public async Task Reset_WhileAHookRuns_HostIsBusyAndAKillOfHostAccessChangesNothing()
    {
        await using var gateway = MakeGateway(("10-slow", SlowHook));
        var gate = gateway.MakeGate();
        await gateway.StartProcessAsync();
        await ResetAsync(gateway, new("f1", ""));
        await using (await gate.ReachedAsync())
        {
            (await RefusedAsync(gateway, new("f2", ""), HttpStatusCode.TooManyRequests)).Name.ShouldBe("rateExceeded");
            var busy = await gateway.RefusedAsync(
                HostApi.Reboot,
                new("r1", ""),
                ContractsJson.Default.RebootRequest,
                HttpStatusCode.Conflict
            );
            busy.Parameters["verb"].ShouldBe("factoryReset");
            await gateway.StopAsync();
            await gateway.StartProcessAsync();
        }
        (await gateway.EndAsync()).ShouldBe(129);
        await gateway.StartProcessAsync();
        await WaitAsync(gateway, "f1", FactoryResetStates.Completed);
        gateway.Calls.ShouldBe(["slow"]);
        await gateway.StopAsync();
    }

    [Fact]
    public async Task Reset_HostGoesDownInAHook_RunsItAgainButNotForEver()
    {
        await using var gateway = MakeGateway(("10-slow", SlowHook));
        var gate = gateway.MakeGate();
        await gateway.StartProcessAsync();
        await ResetAsync(gateway, new("f1", ""));
        for (var i = 0; i < FactoryResetVerb.MostAttempts; i++)
        {
            await using var here = await gate.ReachedAsync();
            await gateway.StopAsync();
            gateway.GoDown();
            await gateway.StartProcessAsync();
        }

        var failed = await WaitAsync(gateway, "f1", FactoryResetStates.Failed);
        failed.Error!.Message.ShouldContain("went down 3 times");
        gateway.Calls.ShouldBe(["slow", "slow", "slow"]);
        await gateway.StopAsync();
    }

    [Theory]
    [InlineData("host.reset.before", 1)]
    [InlineData("host.reset.after", 1)]
    [InlineData("host.reset.before", 2)]
    [InlineData("host.reset.after", 2)]
    [InlineData("host.reset.before", 3)]
    [InlineData("host.reset.after", 3)]
    [InlineData("host.reset.before", 4)]
    [InlineData("host.reset.after", 4)]
    [InlineData("host.reset.before", 5)]
    [InlineData("host.reset.after", 5)]
    public async Task Reset_HostAccessKilledAtAWrite_ErasesOnceAndRestartsTheHost(string failpoint, int passage)
    {
        await using var gateway = MakeGateway(("10-first", Note("first")));
        var points = Path.Combine(gateway.HostRoot, "points");
        Directory.CreateDirectory(points);
        FailpointFolder.Arm(points, failpoint, passage);
        gateway.Environment[FailpointFolder.Variable] = points;
        await StartAsync(gateway);

        for (var ends = 0; ends < 4 && !await IsCompletedAsync(gateway); ends++)
        {
            await gateway.EndAsync(); // Killed, or the host goes down.
            await StartAsync(gateway);
        }

        FailpointFolder.HasFired(points).ShouldBeTrue();
        await WaitAsync(gateway, "f1", FactoryResetStates.Completed);
        gateway.Calls.ShouldBe(["first"]);
        await gateway.StopAsync();
    }

    [Theory]
    [InlineData("none", "has no hook")]
    [InlineData("folder", "does not exist")]
    [InlineData("writable", "may be written by others")]
    [InlineData("mode", "regular, executable")]
    [InlineData("link", "regular, executable")]
    [InlineData("subfolder", "regular, executable")]
    [InlineData("name", "must have a name")]
    [InlineData("many", "more than 32")]
    public async Task Reset_HooksThatMustNotRun_IsRefusedAndNothingRuns(string trouble, string says)
    {
        await using var gateway = MakeGateway(("10-first", Note("first")));
        Spoil(HooksOf(gateway), trouble);
        await gateway.StartAsync();

        var error = await RefusedAsync(gateway, new("f1", ""), HttpStatusCode.NotFound);

        error.Name.ShouldBe("notSupportedOnHost");
        error.Message.ShouldContain(says);
        gateway.Calls.ShouldBeEmpty();
        gateway.Audit.ShouldHaveSingleItem().ShouldContain("\"outcome\":\"refused\"");
    }

    [Fact]
    public async Task Reset_AsManyHooksAsMayBe_AreTaken()
    {
        var hooks = Enumerable.Range(0, FactoryResetHooks.Most).Select(i => ($"{i:00}", "exit 1"));
        await using var gateway = MakeGateway([.. hooks]);
        await gateway.StartAsync();
        (await ResetAsync(gateway, new("f1", new('r', 256)))).Hooks.ShouldBe(FactoryResetHooks.Most);
        await WaitAsync(gateway, "f1", FactoryResetStates.Failed);
    }

    [Fact]
    public async Task Reset_NotEnabled_IsRefused()
    {
        await using var gateway = MakeGateway(("10-first", Note("first")));
        gateway.Configuration["verbs"]!.AsObject().Remove("factoryReset");
        await gateway.StartAsync();
        (await RefusedAsync(gateway, new("f1", ""), HttpStatusCode.Forbidden)).Name.ShouldBe("verbDisabled");
    }

    [Fact]
    public async Task Reset_SameIdOtherReason_IsAConflict()
    {
        await using var gateway = MakeGateway(("10-first", "exit 1"));
        await gateway.StartAsync();
        await ResetAsync(gateway, new("f1", "one"));
        await WaitAsync(gateway, "f1", FactoryResetStates.Failed);
        (await RefusedAsync(gateway, new("f1", "two"), HttpStatusCode.Conflict)).Name.ShouldBe("commandConflict");
    }

    [Theory]
    [InlineData("", 0, "commandId")]
    [InlineData("f1", 257, "reason")]
    public async Task Reset_ValueBeyondItsRange_IsRefused(string id, int reason, string context)
    {
        await using var gateway = MakeGateway(("10-first", Note("first")));
        await gateway.StartAsync();
        var error = await RefusedAsync(gateway, new(id, new('r', reason)), HttpStatusCode.BadRequest);
        error.Context.ShouldBe(context);
    }

    /// <summary>One that goes on with a reset may restart the host before it serves.</summary>
    private static async Task StartAsync(TestGateway gateway)
    {
        try
        {
            await gateway.StartProcessAsync();
        }
        catch (InvalidOperationException)
        {
            (await gateway.EndAsync()).ShouldBe(129);
            await gateway.StartProcessAsync();
        }
    }

    private static TestGateway MakeGateway(params (string Name, string Script)[] hooks)
    {
        var gateway = new TestGateway();
        gateway.Configuration["verbs"]!["factoryReset"] = new JsonObject { ["enabled"] = true };
        gateway.Configuration["factoryReset"] = new JsonObject { ["hooks"] = "hooks" };
        var folder = Directory.CreateDirectory(HooksOf(gateway)).FullName;
        foreach (var (name, script) in hooks)
        {
            var path = Path.Combine(folder, name);
            File.WriteAllText(path, $"#!/bin/sh\n{script}\n");
            File.SetUnixFileMode(path, Executable);
        }
        return gateway;
    }

    /// <summary>Waits at the gateway's gate.</summary>
    private static string SlowHook => Note("slow") + "\nread line < \"$EDGEDM_SIMULATED_ROOT/gate\"\nexit 0";

    private static string Note(string line) => $"echo {line} >> \"$EDGEDM_SIMULATED_ROOT/calls\"";

    private static string HooksOf(TestGateway gateway) =>
        Path.Combine(Path.GetDirectoryName(gateway.ConfigurationPath)!, "hooks");

    private static void Spoil(string folder, string trouble)
    {
        var hook = Path.Combine(folder, "10-first");
        switch (trouble)
        {
            case "none":
                File.Delete(hook);
                break;
            case "folder":
                Directory.Delete(folder, recursive: true);
                break;
            case "writable":
                File.SetUnixFileMode(hook, Executable | UnixFileMode.GroupWrite);
                break;
            case "mode":
                File.SetUnixFileMode(hook, UnixFileMode.UserRead);
                break;
            case "link":
                File.CreateSymbolicLink(Path.Combine(folder, "20-link"), hook);
                break;
            case "subfolder":
                Directory.CreateDirectory(Path.Combine(folder, "20-folder"));
                break;
            case "name":
                File.Copy(hook, Path.Combine(folder, "20.sh~"));
                break;
            default:
                for (var i = 0; i < FactoryResetHooks.Most; i++)
                {
                    File.Copy(hook, Path.Combine(folder, $"a{i}"));
                }
                break;
        }
    }

    private static async Task<FactoryResetStatus> ResetAsync(TestGateway gateway, FactoryResetRequest request)
    {
        using var answer = await gateway.PostAsync(
            HostApi.FactoryReset,
            request,
            ContractsJson.Default.FactoryResetRequest
        );
        answer.StatusCode.ShouldBe(HttpStatusCode.Accepted, await answer.Content.ReadAsStringAsync());
        return await TestGateway.ReadAsync(answer, ContractsJson.Default.FactoryResetStatus);
    }

    private static Task<ErrorObject> RefusedAsync(
        TestGateway gateway,
        FactoryResetRequest request,
        HttpStatusCode status
    ) => gateway.RefusedAsync(HostApi.FactoryReset, request, ContractsJson.Default.FactoryResetRequest, status);

    /// <summary>Asks until the answer is final, as an operator would, through kills of HostAccess.</summary>
    private static async Task<bool> IsCompletedAsync(TestGateway gateway)
    {
        try
        {
            await ResetAsync(gateway, new("f1", ""));
            return (await WaitAsync(gateway, "f1", FactoryResetStates.Completed)).Error is null;
        }
        catch (HttpRequestException)
        {
            return false; // HostAccess ended.
        }
    }

    private static async Task<FactoryResetStatus> WaitAsync(TestGateway gateway, string id, string state)
    {
        using var patience = new CancellationTokenSource(TestGateway.Patience);
        using var period = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (true)
        {
            var status = await gateway.GetAsync(
                HostApi.FactoryResetCommand(id),
                ContractsJson.Default.FactoryResetStatus
            );
            if (status.State == state)
            {
                return status;
            }
            FactoryResetStates.IsTerminal(status.State).ShouldBeFalse(status.ToString());
            await period.WaitForNextTickAsync(patience.Token);
        }
    }
}
