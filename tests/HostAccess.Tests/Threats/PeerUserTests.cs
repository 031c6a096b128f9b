using System.Diagnostics;
using System.Text.Json.Nodes;
using EdgeDm.Contracts;
using EdgeDm.HostAccess.Configuration;
using EdgeDm.HostAccess.Tests.Support;

namespace EdgeDm.HostAccess.Tests.Threats;

/// <summary>A module without the right: processes of other users at the real program's sockets.</summary>
public sealed class PeerUserTests
{
    private const uint DeviceManagement = 13601;
    private const uint FirmwareDownload = 13602;
    private const uint Telemetry = 13603;
    private const string Reboot = """{"commandId":"r1","reason":"threat","delaySeconds":3600}""";

    [Fact]
    public async Task Ask_UsersOfTheDeployment_EachReachesItsOwnSocketOnly()
    {
        RequireOtherUsers();
        await using var gateway = new TestGateway();
        gateway.Configuration["callers"] = new JsonObject
        {
            ["verbs"] = new JsonArray { DeviceManagement },
            ["inventory"] = new JsonArray { DeviceManagement, Telemetry },
        };
        await gateway.StartProcessAsync();
        OpenFolders(gateway);

        (await AskAsync(gateway, FirmwareDownload, "verbs", Reboot)).ShouldContain("deniedByPolicy");
        (await AskAsync(gateway, Telemetry, "verbs", Reboot)).ShouldContain("deniedByPolicy");
        (await AskAsync(gateway, FirmwareDownload, "inventory")).ShouldContain("deniedByPolicy");
        (await AskAsync(gateway, Telemetry, "inventory")).ShouldContain("EdgeDm.HostAccess");
        // Reading is no way to a verb, and root inside a module's container is not the user that is listed.
        (await AskAsync(gateway, Telemetry, "inventory", Reboot)).ShouldContain("deniedByPolicy");
        (await AskAsync(gateway, OwnUser.Id, "verbs", Reboot)).ShouldContain("deniedByPolicy");
        gateway.Audit.ShouldContain(line => line.Contains($"\"userId\":{FirmwareDownload}", StringComparison.Ordinal));
        gateway.Audit.ShouldNotContain(line => line.Contains("accepted", StringComparison.Ordinal));

        (await AskAsync(gateway, DeviceManagement, "verbs", Reboot)).ShouldContain("accepted");
        gateway.Audit[^1].ShouldContain($"\"userId\":{DeviceManagement}");
    }

    [Fact]
    public async Task Connect_NobodyElseIsListed_TheSocketsDoNotOpenForOthers()
    {
        RequireOtherUsers();
        await using var gateway = await new TestGateway().StartProcessAsync();
        File.SetUnixFileMode(Path.GetDirectoryName(gateway.ConfigurationPath)!, Everybody);
        foreach (var socket in new[] { "verbs", "inventory" })
        {
            (await AskAsync(gateway, Telemetry, socket)).ShouldBeEmpty();
        }
    }

    private const UnixFileMode Everybody =
        UnixFileMode.UserRead
        | UnixFileMode.UserWrite
        | UnixFileMode.UserExecute
        | UnixFileMode.GroupExecute
        | UnixFileMode.OtherExecute;

    private static void RequireOtherUsers()
    {
        Assert.SkipUnless(OwnUser.Id == 0, "Processes of other users can be started by root only.");
        Assert.SkipUnless(
            File.Exists("/usr/bin/setpriv") && File.Exists("/usr/bin/curl"),
            "setpriv (util-linux) and curl are needed to ask as another user."
        );
    }

    /// <summary>The temporary folder is the tester's own; a deployment mounts the socket's folder into the module.</summary>
    private static void OpenFolders(TestGateway gateway)
    {
        File.SetUnixFileMode(Path.GetDirectoryName(gateway.ConfigurationPath)!, Everybody);
        foreach (var socket in new[] { "verbs", "inventory" })
        {
            File.SetUnixFileMode(Path.GetDirectoryName(gateway.SocketOf(socket))!, Everybody);
        }
    }

    /// <summary>The answer's body; empty when there was no connection.</summary>
    private static async Task<string> AskAsync(TestGateway gateway, uint user, string socket, string? body = null)
    {
        var start = new ProcessStartInfo(
            "/usr/bin/setpriv",
            [
                $"--reuid={user}",
                $"--regid={user}",
                "--clear-groups",
                "/usr/bin/curl",
                "--silent",
                "--max-time",
                "20",
                "--header",
                $"{HostApiVersion.Header}: {HostApiVersion.Current}",
                "--unix-socket",
                gateway.SocketOf(socket),
                .. body is null ? Array.Empty<string>() : ["--data-binary", body],
                body is null ? "http://host/v1" : "http://host/v1/reboot",
            ]
        )
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
        };
        using var curl = Process.Start(start)!;
        var answer = await curl.StandardOutput.ReadToEndAsync().WaitAsync(TestGateway.Patience);
        await curl.WaitForExitAsync();
        return answer;
    }
}
