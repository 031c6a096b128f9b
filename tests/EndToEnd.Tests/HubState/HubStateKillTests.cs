using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Text;
using EdgeDm.DevHub;
using EdgeDm.Durable;
using EdgeDm.EndToEnd.Tests.Kills;

namespace EdgeDm.EndToEnd.Tests.HubState;

/// <summary>Wherever the dev hub is killed: what it acknowledged is there, what must be done once is, and its records can be read.</summary>
public sealed class HubStateKillTests(ITestOutputHelper output)
{
    private const int RandomKillsOfARun = 4;

    /// <summary>A method has answered, and that is about to be written: the sixth time that a round writes of a device's job.</summary>
    private static readonly (string Point, long Passage) Answered = ("job.device.before", 6);

    /// <summary>All points of the hub's stores, found in its code.</summary>
    private static readonly string[] Points =
    [
        .. typeof(DevHubServer)
            .Assembly.GetTypes()
            .SelectMany(type => type.GetFields(BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public))
            .Where(field => field.FieldType == typeof(Failpoint) && !field.DeclaringType!.ContainsGenericParameters)
            .SelectMany(field => ((Failpoint)field.GetValue(null)!).Points)
            .Order(StringComparer.Ordinal),
    ];

    private static readonly (string Point, long Passage)[] Cases =
    [
        .. Points.SelectMany(point =>
            Enumerable
                .Range(1, point.StartsWith("job.device", StringComparison.Ordinal) ? 6 : 2)
                .Select(n => (point, (long)n))
        ),
    ];

    [Fact]
    public async Task Kill_HubAtSomePoints_NothingIsLostOrDoneTwice()
    {
        var random = new Random(KillSeed.Given);
        await RunAsync([Answered, .. random.GetItems(Cases, RandomKillsOfARun)]);
    }

    /// <summary><c>./scripts/test --campaign hub</c>.</summary>
    [Fact(Explicit = true)]
    public async Task Kill_HubAtEveryPoint_NothingIsLostOrDoneTwice()
    {
        var watch = Stopwatch.StartNew();

        var fired = await RunAsync(Cases);

        if (Environment.GetEnvironmentVariable("EDGEDM_CAMPAIGN_RESULTS") is { Length: > 0 } file)
        {
            var page = new StringBuilder()
                .AppendLine("# Results of the dev hub's campaign")
                .AppendLine()
                .AppendLine("What is killed and what must hold then: [testing.md](../testing.md#kills).")
                .AppendLine()
                .AppendLine("`./scripts/test --campaign hub`")
                .AppendLine()
                .AppendLine(
                    CultureInfo.InvariantCulture,
                    $"{DateTimeOffset.UtcNow:yyyy-MM-dd}, {watch.Elapsed.TotalMinutes:0} minutes: {fired} kills at {Points.Length} points of the dev hub's stores, and one more in each round: **nothing lost, nothing done twice**."
                );
            await File.WriteAllTextAsync(file, page.ToString(), TestContext.Current.CancellationToken);
        }
    }

    private async Task<int> RunAsync((string Point, long Passage)[] kills)
    {
        var fired = 0;
        await using var hub = await MortalHub.StartAsync();
        var rounds = new List<HubRound>();
        try
        {
            foreach (var (index, (point, passage)) in kills.Index())
            {
                hub.Arm(point, passage);
                var round = new HubRound(hub, index);
                await round.RunAsync();
                rounds.Add(round);
                output.WriteLine($"{point}#{passage}: {(hub.HasFired ? "killed" : "not passed so often")}");
                fired += hub.HasFired ? 1 : 0;
                (hub.HasFired || passage > 1).ShouldBeTrue($"{point} was not passed: is it of use?");
            }
            await hub.KillAsync();
            foreach (var round in rounds)
            {
                await round.CheckAsync();
            }
        }
        catch
        {
            output.WriteLine(string.Join('\n', hub.Output));
            throw;
        }
        Directory
            .EnumerateFiles(hub.Data, "*.damaged-*", SearchOption.AllDirectories)
            .ShouldBeEmpty("every record can be read");
        return fired;
    }
}
