using System.Diagnostics;
using System.Text.Json.Nodes;
using EdgeDm.Testing;

namespace EdgeDm.EndToEnd.Tests;

/// <summary>
/// The modules as they are deployed. What the trimmer cut off and a program needs shows only when it runs, so one update goes through
/// all that an update needs, and one that is refused through what tells of errors.
/// </summary>
public sealed class PublishedProgramsTests
{
    /// <summary>A publish takes half a minute on an idle machine with two cores.</summary>
    private static readonly TimeSpan LongestPublish = TimeSpan.FromMinutes(10);

    [Fact]
    public async Task Deploy_ToPublishedPrograms_RefusesATamperedUpdateAndInstallsAGoodOne()
    {
        var programs = BuiltProgram.Published ?? await PublishAsync();
        await using var gateway = await Gateway.StartAsync("--programs", programs);

        await gateway.DeployAsync("2.0.0", "tampered", spoil: UpdatePublisher.Tamper);
        var tampered = await gateway.Service.WaitForEndAsync("tampered");
        await gateway.DeployAsync("2.0.0", "good");
        var good = await gateway.Service.WaitForEndAsync("good");
        var (status, job) = await gateway.Service.CallAsync(
            "getJob",
            new JsonObject { ["jobId"] = (string)good["jobId"]! }
        );

        var error = tampered["__errors"]!.AsObject().Single().Value!;
        ((string?)error["parameters"]!["name"]).ShouldBe("manifestTampered", gateway.Output);
        ((string?)good["__meta"]!["deploymentStatus"]).ShouldBe("succeeded", gateway.Output);
        File.ReadAllLines(Path.Combine(gateway.SimulatedHost, "root", "count")).ShouldBe(["installed"]);
        status.ShouldBe(200);
        job!["steps"]!.AsArray().Select(s => (string?)s!["name"]).ShouldBe(["check", "download", "install", "verify"]);
    }

    private static async Task<string> PublishAsync()
    {
        var start = new ProcessStartInfo(Path.Combine(RepositoryRoot.Path, "scripts", "publish"))
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var publish = Process.Start(start)!;
        using var limit = new CancellationTokenSource(LongestPublish);
        try
        {
            var error = publish.StandardError.ReadToEndAsync(limit.Token);
            var output = await publish.StandardOutput.ReadToEndAsync(limit.Token);
            await publish.WaitForExitAsync(limit.Token);
            publish.ExitCode.ShouldBe(0, await error);
            return output.Trim();
        }
        catch (OperationCanceledException)
        {
            publish.Kill(entireProcessTree: true);
            throw;
        }
    }
}
