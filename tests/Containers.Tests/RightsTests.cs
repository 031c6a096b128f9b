using System.Net;
using System.Text.RegularExpressions;
using EdgeDm.Hosting;

namespace EdgeDm.Containers.Tests;

/// <summary>What each container may, by the kernel's word: users, capabilities, file systems, networks, sockets.</summary>
public sealed partial class RightsTests : IAsyncLifetime
{
    private ContainerGateway gateway = null!;

    public async ValueTask InitializeAsync() => gateway = await ContainerGateway.StartAsync();

    public ValueTask DisposeAsync() => gateway.DisposeAsync();

    [Fact]
    public async Task Container_OfEachModule_HasItsUserAndNoRightBesides()
    {
        var users = new Dictionary<string, int>(StringComparer.Ordinal)
        {
            ["HostAccess"] = 0,
            ["DeviceManagement"] = 13601,
            ["FirmwareDownload"] = 13602,
            ["Telemetry"] = 13603,
        };
        foreach (var (module, user) in users)
        {
            var process = await gateway.ProcessAsync(module);
            var status = await File.ReadAllTextAsync($"/proc/{process}/status");

            status.ShouldMatch($@"(?m)^Uid:\s+{user}\s+{user}\s+{user}\s+{user}$", module);
            foreach (var set in new[] { "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb" })
            {
                status.ShouldMatch($@"(?m)^{set}:\s+0+$", $"{module} {set}");
            }
            status.ShouldMatch(@"(?m)^NoNewPrivs:\s+1$", module);
            var root = (await File.ReadAllLinesAsync($"/proc/{process}/mountinfo")).Single(line =>
                line.Split(' ')[4] == "/"
            );
            root.Split(' ')[5].Split(',').ShouldContain("ro", module);
            Directory.Exists($"/proc/{process}/root/bin").ShouldBeFalse($"{module} has no shell");
        }
    }

    [Fact]
    public async Task Network_OfHostAccess_IsTheLoopbackInterfaceAlone()
    {
        (await InterfacesAsync("HostAccess")).ShouldBe(["lo"]);
        (await InterfacesAsync("Telemetry")).ShouldBe(["eth0", "lo"]);
    }

    [Fact]
    public async Task Folders_OfEachModule_HoldOnlyTheSocketsThatItMayUse()
    {
        await gateway.Service.WaitForReportedAsync(reported => reported["device"] is not null);

        (await SocketsAsync("DeviceManagement")).ShouldBe(["verbs"]);
        (await SocketsAsync("Telemetry")).ShouldBe(["inventory"]);
        (await SocketsAsync("FirmwareDownload")).ShouldBeEmpty();
        (await SocketsAsync("HostAccess")).ShouldBe(["inventory", "verbs"]);
    }

    [Fact]
    public async Task Socket_ReachedByAUserWhoIsNotListed_RefusesEvenRoot()
    {
        var process = await gateway.ProcessAsync("DeviceManagement");
        using var client = UnixHttp.CreateClient(
            $"unix:/proc/{process}/root/run/edgedm/verbs/host-access.sock",
            TimeSpan.FromSeconds(20)
        );

        using var answer = await client.GetAsync(new Uri("/v1", UriKind.Relative));

        answer.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await answer.Content.ReadAsStringAsync()).ShouldContain("deniedByPolicy");
    }

    [Fact]
    public async Task Status_OfTheHub_ShowsTheContainers()
    {
        var modules = (await gateway.Service.StatusAsync())["modules"]!.AsArray();

        modules
            .Select(module => (string?)module!["container"])
            .ShouldBe(ContainerGateway.Modules.Select(gateway.Container), ignoreOrder: true);
    }

    private async Task<string[]> InterfacesAsync(string module)
    {
        var lines = await File.ReadAllTextAsync($"/proc/{await gateway.ProcessAsync(module)}/net/dev");
        return
        [
            .. Interface().Matches(lines).Select(match => match.Groups["name"].Value).Order(StringComparer.Ordinal),
        ];
    }

    private async Task<string[]> SocketsAsync(string module)
    {
        var run = $"/proc/{await gateway.ProcessAsync(module)}/root/run/edgedm";
        return
        [
            .. Directory
                .EnumerateDirectories(run)
                .Where(folder => File.Exists(Path.Combine(folder, "host-access.sock")))
                .Select(folder => Path.GetFileName(folder))
                .Order(StringComparer.Ordinal),
        ];
    }

    [GeneratedRegex(@"(?m)^\s*(?<name>[^\s:|]+):", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Interface();
}
