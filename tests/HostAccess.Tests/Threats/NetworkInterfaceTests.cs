using System.Diagnostics;
using System.Net;
using EdgeDm.Contracts;
using EdgeDm.HostAccess.Configuration;
using EdgeDm.HostAccess.Tests.Support;

namespace EdgeDm.HostAccess.Tests.Threats;

/// <summary>An interface other than <c>lo</c>: a real one, in a network namespace that the real program runs in.</summary>
public sealed class NetworkInterfaceTests
{
    [Fact]
    public async Task Post_InterfaceComesAndGoes_VerbsAreRefusedExactlyWhileItIsThere()
    {
        Assert.SkipUnless(OwnUser.Id == 0, "A network namespace can be made by root only.");
        Assert.SkipUnless(
            await RunAsync("unshare", "-n", "true") == 0,
            "This system lets no process have a network namespace of its own (unshare -n)."
        );
        await using var gateway = new TestGateway { Launcher = ["unshare", "-n"] };
        gateway.Configuration["requireNoNetwork"] = true;
        await gateway.StartProcessAsync();
        (await AskAsync(gateway, "r1")).ShouldBe(HttpStatusCode.Accepted);

        var added = await RunIpAsync(gateway, "link", "add", "edgedm0", "type", "veth", "peer", "name", "edgedm1");
        Assert.SkipUnless(added == 0, "This system can make no virtual interface (ip link add type veth).");
        var refused = await gateway.RefusedAsync(
            HostApi.Reboot,
            new("r2", "test", 3600),
            ContractsJson.Default.RebootRequest,
            HttpStatusCode.Forbidden
        );
        refused.Name.ShouldBe("networkPresent");
        refused.Parameters["interface"].ShouldBeOneOf("edgedm0", "edgedm1");
        var update = gateway.Store(new TestUpdate().Firmware("2.0.0"));
        (await gateway.RefusedAsync(update.Submission(), HttpStatusCode.Forbidden)).Name.ShouldBe("networkPresent");
        gateway.Audit[^1].ShouldContain("networkPresent");
        // Reading goes on: somebody has to see what is wrong.
        (await gateway.GetAsync(HostApi.Root, ContractsJson.Default.HostAccessInfo)).HostKind.ShouldBe("simulated");

        (await RunIpAsync(gateway, "link", "delete", "edgedm0")).ShouldBe(0);
        (await AskAsync(gateway, "r1")).ShouldBe(HttpStatusCode.Accepted);
    }

    private static async Task<HttpStatusCode> AskAsync(TestGateway gateway, string commandId)
    {
        using var answer = await gateway.PostAsync(
            HostApi.Reboot,
            new(commandId, "test", 3600),
            ContractsJson.Default.RebootRequest
        );
        return answer.StatusCode;
    }

    private static Task<int> RunIpAsync(TestGateway gateway, params string[] arguments) =>
        RunAsync("nsenter", ["-t", $"{gateway.ProcessId}", "-n", "ip", .. arguments]);

    private static async Task<int> RunAsync(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(
                new ProcessStartInfo(program, arguments)
                {
                    UseShellExecute = false,
                    RedirectStandardError = true,
                    RedirectStandardOutput = true,
                }
            )!;
            await process.WaitForExitAsync().WaitAsync(TestGateway.Patience);
            return process.ExitCode;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return -1; // The program is not installed.
        }
    }
}
