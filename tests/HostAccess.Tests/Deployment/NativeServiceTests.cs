using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using EdgeDm.Testing;

namespace EdgeDm.HostAccess.Tests.Deployment;

/// <summary>The files of <c>deployment/host</c>, with which a maker of gateways makes HostAccess a service of the operating system.</summary>
public sealed partial class NativeServiceTests
{
    /// <summary>systemd's measure of what the service may do, 0 to 10. It may fall, and then this number with it.</summary>
    private const double Exposure = 0.9;

    private const string Analyzer = "/usr/bin/systemd-analyze";

    private static readonly string Folder = Path.Combine(RepositoryRoot.Path, "deployment", "host");

    private static string Unit => Path.Combine(Folder, "edgedm-host-access.service");

    [Fact]
    public async Task Exposure_AsSystemdMeasuresIt_DoesNotRise()
    {
        Assert.SkipUnless(File.Exists(Analyzer), "systemd-analyze is missing. Install it: apt-get install systemd");

        var report = await AnalyzeAsync("security", "--offline=true", "--no-pager", Unit);

        var score = Overall().Match(report).Groups["score"];
        score.Success.ShouldBeTrue(report);
        TestContext.Current.TestOutputHelper!.WriteLine($"systemd-analyze security: {score.Value}");
        double.Parse(score.Value, CultureInfo.InvariantCulture).ShouldBeLessThanOrEqualTo(Exposure, report);
    }

    [Fact]
    public void Users_AreThoseOfTheDeployment()
    {
        var deployment = File.ReadAllText(Path.Combine(RepositoryRoot.Path, "deployment.template.json"));
        var users = User()
            .Matches(File.ReadAllText(Path.Combine(Folder, "edgedm.sysusers")))
            .ToDictionary(user => user.Groups["name"].Value, user => user.Groups["id"].Value);

        users.Count.ShouldBe(3);
        users.Values.ShouldAllBe(id => deployment.Contains($"\"User\": \"{id}:{id}\"", StringComparison.Ordinal));
        // The folders of the sockets belong to no other user.
        var owners = Owner().Matches(File.ReadAllText(Path.Combine(Folder, "edgedm.tmpfiles")));
        owners.Select(owner => owner.Groups["name"].Value).Distinct().ShouldBe(users.Keys, ignoreOrder: true);
    }

    private static async Task<string> AnalyzeAsync(params string[] arguments)
    {
        using var analyzer = Process.Start(
            new ProcessStartInfo(Analyzer, arguments) { UseShellExecute = false, RedirectStandardOutput = true }
        )!;
        var report = await analyzer.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await analyzer.WaitForExitAsync(TestContext.Current.CancellationToken);
        return report;
    }

    [GeneratedRegex(
        @"Overall exposure level for edgedm-host-access\.service: (?<score>\d+\.\d)",
        RegexOptions.None,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex Overall();

    [GeneratedRegex(@"(?m)^u (?<name>[a-z-]+) (?<id>\d+) ", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex User();

    [GeneratedRegex(@"(?m)\b(?<name>edgedm-[a-z]+)$", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Owner();
}
