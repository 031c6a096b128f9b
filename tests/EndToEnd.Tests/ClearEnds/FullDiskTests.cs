using System.Text.Json.Nodes;
using EdgeDm.Contracts;

namespace EdgeDm.EndToEnd.Tests.ClearEnds;

/// <summary>
/// A full disk under each module and under the package store. Where it is seen ahead of the work, the update ends with the figures;
/// where the record itself cannot be written, nothing happens, the twin says why, and it goes on when there is space.
/// </summary>
public sealed class FullDiskTests : IAsyncLifetime
{
    private const int Large = 3_000_000;

    private readonly TroubledGateway gateway = new() { Launcher = SmallDisks.Launcher };

    private Gateway Gateway => gateway.Gateway;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipWhen(SmallDisks.Obstacle is not null, $"A full disk cannot be made: {SmallDisks.Obstacle}");
        await gateway.InitializeAsync();
    }

    public ValueTask DisposeAsync() => gateway.DisposeAsync();

    [Fact]
    public async Task FullDisks_OneAfterTheOther_EndClearlyOrWaitForSpace()
    {
        await ModuleWithoutSpaceForTheRequest("edgedm-device-management", Subsystems.DeviceManagement);
        await ModuleWithoutSpaceForTheRequest("edgedm-firmware-download", Subsystems.FirmwareDownload);
        await DeviceManagementDuringTheDownload();
        await HostAccessWithoutSpaceForItsAudit();
        await HostAccessWithoutSpaceForTheCopies();
        await StoreWithoutSpaceForTheFile();
        await TelemetryWithoutSpace();

        (await gateway.RestartsAsync()).ShouldBe(0, Gateway.Output);
    }

    private async Task ModuleWithoutSpaceForTheRequest(string volume, string subsystem)
    {
        var draft = gateway.Draft();
        using (Fill(volume))
        {
            await gateway.DeployAsync(draft);
            var waiting = await WaitUntilPendingAsync(draft);
            ShouldBeNoSpace(waiting, subsystem);
            gateway.Server.RequestsOf(draft.PathOf("firmware.bin")).ShouldBe(0);
            Gateway.Output.ShouldContain("No space left on device");
        }
        await ShouldSucceedAsync(draft);
    }

    private async Task DeviceManagementDuringTheDownload()
    {
        var draft = gateway.Draft();
        var asked = new TaskCompletionSource();
        var full = new TaskCompletionSource();
        var good = gateway.Server.Serve(draft.Firmware);
        draft.Server = async http =>
        {
            asked.TrySetResult();
            await full.Task.WaitAsync(http.RequestAborted);
            await good(http);
        };
        await gateway.DeployAsync(draft);
        await asked.Task.WaitAsync(Testing.HubService.Patience);
        using (Fill("edgedm-device-management"))
        {
            full.SetResult();
            ShouldBeNoSpace(await WaitUntilPendingAsync(draft), Subsystems.DeviceManagement);
        }
        await ShouldSucceedAsync(draft);
    }

    private async Task HostAccessWithoutSpaceForItsAudit()
    {
        using (Fill("edgedm-host-access"))
        {
            // At the audit line ahead of the check, or, where that still finds room in its last page, at the update's record.
            await ShouldFailAsync(gateway.Draft(), ["check", "install"], Subsystems.HostAccess, "available");
        }
        await gateway.InstallGoodAsync();
    }

    private async Task HostAccessWithoutSpaceForTheCopies()
    {
        using (Fill("edgedm-host-access", leave: 8_000_000))
        {
            await ShouldFailAsync(LargeDraft(), ["install"], Subsystems.HostAccess, "needed", "available");
        }
        await gateway.InstallGoodAsync();
    }

    private async Task StoreWithoutSpaceForTheFile()
    {
        using (Fill("edgedm-store", leave: Large / 2))
        {
            await ShouldFailAsync(LargeDraft(), ["download"], Subsystems.FirmwareDownload, "needed", "available");
        }
        await gateway.InstallGoodAsync();
    }

    private async Task TelemetryWithoutSpace()
    {
        using (Fill("edgedm-telemetry"))
        {
            await gateway.InstallGoodAsync();
        }
    }

    private UpdateDraft LargeDraft()
    {
        var draft = gateway.Draft();
        draft.Firmware = new byte[Large];
        draft.Firmware[0] = (byte)draft.Name[^1];
        return draft;
    }

    private IDisposable Fill(string volume, long leave = 0) =>
        SmallDisks.Fill(Path.Combine(gateway.Volumes, volume), leave);

    private async Task<JsonNode> WaitUntilPendingAsync(UpdateDraft draft)
    {
        var reported = await Gateway.Service.WaitForReportedAsync(r =>
            (string?)r["firmwareUpdate"]?["__meta"]?["deploymentId"] == draft.Name
            && r["firmwareUpdate"]!["__errors"] is not null
        );
        var group = reported["firmwareUpdate"]!;
        ((string?)group["__meta"]!["deploymentStatus"]).ShouldBe("pending", Gateway.Output);
        return group["__errors"]!.AsObject().Single().Value!;
    }

    private async Task ShouldSucceedAsync(UpdateDraft draft)
    {
        var group = await Gateway.Service.WaitForEndAsync(draft.Name);
        ((string?)group["__meta"]!["deploymentStatus"]).ShouldBe("succeeded", Gateway.Output);
        group["__errors"].ShouldBeNull();
        await gateway.WaitUntilNothingIsLeftAsync();
    }

    private async Task ShouldFailAsync(UpdateDraft draft, string[] steps, string subsystem, params string[] figures)
    {
        var files = gateway.HostFiles();
        await gateway.DeployAsync(draft);
        var group = await Gateway.Service.WaitForEndAsync(draft.Name);

        ((string?)group["__meta"]!["deploymentStatus"]).ShouldBe("failed", Gateway.Output);
        var (step, error) = group["__errors"]!.AsObject().Single();
        step.ShouldBeOneOf(steps);
        ShouldBeNoSpace(error!, subsystem);
        foreach (var figure in figures)
        {
            long.Parse((string)error!["parameters"]![figure]!).ShouldBeGreaterThanOrEqualTo(0);
        }
        gateway.HostFiles().ShouldBe(files);
        await gateway.WaitUntilNothingIsLeftAsync();
    }

    private static void ShouldBeNoSpace(JsonNode error, string subsystem)
    {
        var text = error.ToJsonString();
        ((int?)error["code"]).ShouldBe(ErrorRegistry.NoSpace.Code, text);
        ((string?)error["subsystem"]).ShouldBe(subsystem, text);
        ((string)error["message"]!).ShouldEndWith(ErrorRegistry.NoSpace.Mend);
    }
}
