using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using EdgeDm.Contracts;

namespace EdgeDm.VirtualMachine.Tests.PowerCuts;

/// <summary>
/// One update of a gateway whose power is cut once, by SIGKILL of its machine, and comes back at once. It must end committed or with the old
/// version, the running slot must be the one that is reported, and the end must be told once.
/// </summary>
/// <param name="seed">With the number it makes the moment.</param>
/// <param name="number">Of the cut, from 1.</param>
internal sealed partial class PowerCut(int seed, int number)
{
    /// <summary>A cut's update may be begun anew, and wait for a reminder, on processors that others use as well.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(20);

    /// <summary>Some cuts come after the end.</summary>
    private const double Beyond = 1.05;

    /// <summary>When the power is cut, as a part of the time that an update takes undisturbed.</summary>
    public double Part { get; init; } = Beyond * Fraction(seed, number);

    /// <summary>Runs it on a machine of its own.</summary>
    /// <param name="undisturbed">Time that an update takes.</param>
    public async Task<PowerCutResult> RunAsync(TimeSpan undisturbed)
    {
        await using var gateway = await MachineGateway.StartAsync();
        await gateway.DeployAsync(MachineGateway.GoodBundle);
        var watch = Stopwatch.StartNew();
        await WaitForMomentAsync(undisturbed * Part);

        var reported = await gateway.Service.ReportedAsync();
        await gateway.Machine.CutAsync();
        var cutAt = watch.Elapsed;
        var written = gateway.Machine.Journal.Length;
        gateway.Machine.PowerOn();
        await gateway.Machine.WaitUntilUpAsync();
        var group = await gateway.WaitForEndAsync(Patience);
        var took = watch.Elapsed - cutAt;

        var succeeded = (string?)group["__meta"]!["deploymentStatus"] == "succeeded";
        await (
            succeeded
                ? gateway.ShouldHaveBeenToldOnceAsync(group, "succeeded", JobStatuses.Completed)
                : gateway.ShouldHaveBeenToldOnceAsync(group, "failed", JobStatuses.Failed)
        );
        (await gateway.BootedAsync()).ShouldBe(succeeded ? ("B", "2.0.0") : ("A", "1.0.0"), gateway.Output);
        (await gateway.Machine.RunAsync("find /data -name '*.damaged-*'")).ShouldBeEmpty();
        var step = (string?)reported["firmwareUpdate"]?["step"];
        var wasOver = (string?)reported["firmwareUpdate"]?["__meta"]?["deploymentStatus"] is "succeeded" or "failed";
        var wentOn = WentOn().Match(FirstStart(gateway.Machine.Journal[written..])).Groups["state"];
        return new(
            seed,
            number,
            cutAt,
            wentOn.Success ? wentOn.Value
                : wasOver ? "over"
                : step ?? "not begun",
            succeeded ? "committed" : ErrorOf(group),
            took,
            gateway.Machine.HungResets
        );
    }

    /// <summary>What the start behind the cut said before HostAccess served: with which state of the update it began.</summary>
    private static string FirstStart(string journal)
    {
        var serves = journal.IndexOf("HostAccess serves", StringComparison.Ordinal);
        return serves < 0 ? journal : journal[..serves];
    }

    private static string ErrorOf(System.Text.Json.Nodes.JsonObject group) =>
        "old version, " + (string?)group["__errors"]!.AsObject().Single().Value!["parameters"]!["name"];

    private static async Task WaitForMomentAsync(TimeSpan moment)
    {
        // The moment is what is tested: it is a time, not a wait for something.
        using var timer = new PeriodicTimer(moment > TimeSpan.Zero ? moment : TimeSpan.FromMilliseconds(1));
        await timer.WaitForNextTickAsync();
    }

    /// <summary>The same for the same numbers wherever the campaign goes on.</summary>
    private static double Fraction(int seed, int number) => new Random(HashOf(seed, number)).NextDouble();

    private static int HashOf(int seed, int number) => unchecked((seed * 1_000_003) + number);

    [GeneratedRegex(@"Update \S+ goes on in state (?<state>\w+)", RegexOptions.None, matchTimeoutMilliseconds: 5000)]
    private static partial Regex WentOn();
}

/// <summary>What became of a cut.</summary>
/// <param name="Seed">See <see cref="PowerCut"/>.</param>
/// <param name="Number">See <see cref="PowerCut"/>.</param>
/// <param name="At">After the deployment.</param>
/// <param name="Phase">HostAccess's state of the update when the power came back; before it has one, the job's step.</param>
/// <param name="End"><c>committed</c>, the old version and why, or what was wrong.</param>
/// <param name="Took">From the cut to the reported end.</param>
/// <param name="HungResets">Restarts that hung in the emulator's firmware.</param>
internal sealed record PowerCutResult(
    int Seed,
    int Number,
    TimeSpan At,
    string Phase,
    string End,
    TimeSpan Took,
    int HungResets
)
{
    /// <summary>As a row of the page.</summary>
    public override string ToString() =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"| {Seed} | {Number} | {At.TotalSeconds:0} s | {Phase} | {End} | {Took.TotalSeconds:0} s{(HungResets > 0 ? $", {HungResets} reset hung" : "")} |"
        );
}
