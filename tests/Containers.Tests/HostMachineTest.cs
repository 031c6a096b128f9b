using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using EdgeDm.Testing;

namespace EdgeDm.Containers.Tests;

/// <summary>
/// A gateway whose host is a container with systemd: HostAccess reaches it over D-Bus alone, what updates run are its services, and its
/// reboot takes every module with it.
/// </summary>
public abstract partial class HostMachineTest : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    internal ContainerGateway Gateway { get; private set; } = null!; // Set before each test.

    internal HostMachine Host => Gateway.Host!;

    /// <summary>Seconds that an update has to become healthy.</summary>
    protected virtual int HealthDeadline => 60;

    public async ValueTask InitializeAsync() =>
        Gateway = await ContainerGateway.StartAsync(hasHost: true, HealthDeadline);

    public async ValueTask DisposeAsync()
    {
        await Gateway.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>Waits for the end of the first deployment, which must be a success of version 2.0.0, told once.</summary>
    protected async Task ShouldSucceedAsync()
    {
        var group = await Gateway.Service.WaitForEndAsync("w1", Patience);
        ((string?)group["__meta"]!["deploymentStatus"]).ShouldBe("succeeded", Gateway.Output);
        ((string?)group["installedUpdateId"]).ShouldBe(
            """{"provider":"Contoso","name":"Gateway","version":"2.0.0"}""",
            Gateway.Output
        );
        Gateway.Cloud.EndsOf("w1").ShouldBe(["succeeded"]);
        await Host.WaitUntilUpAsync();
    }

    /// <summary>Waits for the end of the first deployment, which must be a failure, told once; returns its error.</summary>
    protected async Task<JsonNode> ShouldFailAsync()
    {
        var group = await Gateway.Service.WaitForEndAsync("w1", Patience);
        ((string?)group["__meta"]!["deploymentStatus"]).ShouldBe("failed", Gateway.Output);
        Gateway.Cloud.EndsOf("w1").ShouldBe(["failed"]);
        await Host.WaitUntilUpAsync();
        return group["__errors"]!.AsObject().Single().Value!;
    }

    /// <summary>The host lived so many times, as HostAccess tells by its instance ids once it serves.</summary>
    protected async Task ShouldHaveStartedAsync(int times)
    {
        await HubService.WaitAsync(() => Task.FromResult(Instances().Length >= times ? "" : null));
        Instances().Length.ShouldBe(times, Gateway.Output);
    }

    /// <summary>Kills these modules, or makes them anew as a pushed deployment does.</summary>
    protected async Task TakeAwayAsync(string how, params string[] modules)
    {
        if (how == "kill")
        {
            await DockerCli.RunAsync(["kill", .. modules.Select(Gateway.Container)]);
        }
        else
        {
            await Gateway.RecreateAsync(modules);
        }
    }

    private string[] Instances() =>
        [
            .. Instance()
                .Matches(Gateway.Output)
                .Select(match => match.Groups["id"].Value)
                .Distinct(StringComparer.Ordinal),
        ];

    [GeneratedRegex(
        "HostAccess serves a linux host, instance (?<id>[0-9a-f-]+)",
        RegexOptions.None,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex Instance();
}
