using EdgeDm.Contracts;
using EdgeDm.HostAccess.Tests.Support;

namespace EdgeDm.HostAccess.Tests.Threats;

/// <summary>A file is changed through a descriptor that was open before it was verified, and while it is.</summary>
public sealed class OpenDescriptorTests
{
    private const string WaitAtGate = "read line < \"$EDGEDM_SIMULATED_ROOT/gate\"";
    private const string Evil = "#!/bin/sh\ntouch \"$EDGEDM_SIMULATED_ROOT/evil\"\nexit 9\n";

    [Fact]
    public async Task Script_WrittenThroughADescriptorOpenedBefore_RunsAsVerified()
    {
        await using var gateway = new TestGateway();
        var gate = gateway.MakeGate();
        await gateway.StartProcessAsync();
        var update = gateway.Store(new TestUpdate().Script(Scripts.Make(isInstalled: WaitAtGate)));
        var path = gateway.StoredPath(update.Contents.Keys.Single());
        await using (var open = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, 0))
        {
            await gateway.SubmitAsync(update.Submission());
            await using (await gate.ReachedAsync())
            {
                // Verified and running by now; three of its four calls are still to come.
                open.SetLength(0);
                open.Write(System.Text.Encoding.UTF8.GetBytes(Evil));
                open.Flush(flushToDisk: true);
                (await File.ReadAllTextAsync(path)).ShouldBe(Evil);
            }
            await gateway.WaitAsync(update.CommandId, HostUpdateState.Verifying);
        }
        gateway.Calls.ShouldBe(["is-installed", "download", "install", "apply"]);
        File.Exists(Path.Combine(gateway.HostRoot, "evil")).ShouldBeFalse();
    }

    [Fact]
    public async Task Stage_FileThatChangesAllTheTime_IsWhatWasHashedOrIsRefused()
    {
        // Changed again and again while it is copied: whatever is copied at last either has the digest or ends the update.
        await using var gateway = await new TestGateway().StartProcessAsync();
        var update = gateway.Store(
            new TestUpdate().Script(Scripts.Make(), null, ("payload.bin", new string('p', 8 * 1024 * 1024)))
        );
        var payload = update.Contents.Single(content => content.Value.Length > 1024 * 1024);
        using var stop = new CancellationTokenSource();
        var attacker = Task.Run(() => Flicker(gateway.StoredPath(payload.Key), payload.Value, stop.Token));
        await gateway.SubmitAsync(update.Submission());
        var status = await gateway.WaitAsync(update.CommandId, HostUpdateState.Verifying, HostUpdateState.Failed);
        await stop.CancelAsync();
        await attacker;
        if (status.State == HostUpdateState.Failed)
        {
            status.Error!.Name.ShouldBe("digestMismatch");
            gateway.Calls.ShouldBeEmpty();
        }
        else
        {
            var staged = Path.Combine(gateway.Data, "staging", update.CommandId, "step-0", "payload.bin");
            (await File.ReadAllBytesAsync(staged)).ShouldBe(payload.Value);
        }
    }

    private static void Flicker(string path, byte[] good, CancellationToken stop)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, 0);
        while (!stop.IsCancellationRequested)
        {
            foreach (var value in new[] { (byte)'X', good[^1] })
            {
                file.Position = good.Length - 1;
                file.WriteByte(value);
            }
            Thread.Yield();
        }
    }
}
