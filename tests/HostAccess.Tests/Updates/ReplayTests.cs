using System.Text.Json.Nodes;
using EdgeDm.Contracts;
using EdgeDm.HostAccess.Tests.Support;

namespace EdgeDm.HostAccess.Tests.Updates;

/// <summary>An older, signed manifest comes again: what was committed is the lowest version, whatever happened to slots and files.</summary>
public sealed class ReplayTests
{
    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("{\"format\":1,\"value\":")]
    public async Task Start_InstalledRecordLostOrDamaged_IsMadeAgainFromTheJournal(string? damage)
    {
        await using var gateway = new TestGateway();
        gateway.Configuration["updates"]!["maxManifestAgeDays"] = 1;
        await gateway.StartAsync();
        await CommitAsync(gateway, "1.5.0", "2.0.0");
        await gateway.StopAsync();
        var record = Path.Combine(gateway.Data, "installed.json");
        File.Delete(record);
        if (damage is not null)
        {
            await File.WriteAllTextAsync(record, damage);
        }

        await gateway.StartAsync();

        await RefusedAsync(gateway, "1.9.0", "notNewer");
        await RefusedAsync(gateway, "2.0.0", "notNewer");
        var old = new TestUpdate
        {
            CommandId = "old",
            Name = "Other",
            Created = new TestUpdate().Created.AddDays(-2),
        }.Firmware("9.0.0");
        (await gateway.RefusedAsync(old.Submission())).Name.ShouldBe("manifestTooOld");
        gateway.Logs.Text.ShouldContain("made again from the journal");
        File.Exists(record).ShouldBeTrue();
    }

    [Fact]
    public async Task Start_RecordLostAfterAnOwnersDowngrade_TheVersionCommittedLastCounts()
    {
        await using var gateway = new TestGateway();
        gateway.Configuration["updates"]!["allowReinstallOf"] = new JsonArray { "Contoso/Gateway" };
        await gateway.StartAsync();
        await CommitAsync(gateway, "3.0.0", "2.0.0");
        await gateway.StopAsync();
        File.Delete(Path.Combine(gateway.Data, "installed.json"));
        gateway.Configuration["updates"]!["allowReinstallOf"] = new JsonArray();
        await gateway.StartAsync();
        await RefusedAsync(gateway, "1.9.0", "notNewer");
        await CommitAsync(gateway, "2.5.0");
    }

    [Fact]
    public async Task Submit_AfterAnUpdateWasRolledBack_OlderOnesStayRefused()
    {
        await using var gateway = await new TestGateway().StartAsync();
        await CommitAsync(gateway, "2.0.0");
        var bad = gateway.Store(
            new TestUpdate { CommandId = "bad", Version = "3.0.0" }.Firmware("3.0.0", failAt: "boot")
        );
        await gateway.SubmitAsync(bad.Submission());
        await gateway.RebootAsync();
        (await gateway.WaitAsync("bad")).State.ShouldBe(HostUpdateState.RolledBack);
        await RefusedAsync(gateway, "1.5.0", "notNewer");
        await RefusedAsync(gateway, "2.0.0", "notNewer");
        // What failed was never the lowest version.
        await CommitAsync(gateway, "2.5.0");
    }

    [Fact]
    public async Task Submit_HostCameBackWithAnOlderSlot_OlderOnesStayRefused()
    {
        await using var gateway = await new TestGateway().StartAsync();
        await CommitAsync(gateway, "3.0.0");
        await gateway.StopAsync();
        // As if somebody had switched the slot by hand, or written an old image: the slots know nothing of 3.0.0 any more.
        Directory.Delete(Path.GetDirectoryName(gateway.HostRoot)!, recursive: true);
        await gateway.StartAsync();
        var inventory = await gateway.GetAsync(HostApi.Inventory, ContractsJson.Default.HostInventory);
        inventory.FirmwareVersion.ShouldBe("1.0.0");
        await RefusedAsync(gateway, "2.5.0", "notNewer");
        await CommitAsync(gateway, "3.0.1");
    }

    private static async Task CommitAsync(TestGateway gateway, params string[] versions)
    {
        foreach (var version in versions)
        {
            var update = Update(version);
            await gateway.RunAsync(update, HostUpdateState.Verifying);
            await gateway.BringEvidenceAsync(update.CommandId);
            (await gateway.WaitAsync(update.CommandId)).State.ShouldBe(HostUpdateState.Committed);
        }
    }

    private static async Task RefusedAsync(TestGateway gateway, string version, string error)
    {
        var update = Update(version);
        var submission = update.Submission() with { CommandId = $"again-{version}" };
        (await gateway.RefusedAsync(submission)).Name.ShouldBe(error);
    }

    private static TestUpdate Update(string version) =>
        new TestUpdate { CommandId = $"to-{version}", Version = version }.Firmware(version, reboot: false);
}
