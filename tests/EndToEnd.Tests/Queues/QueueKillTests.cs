using System.Diagnostics;
using System.Globalization;
using System.Text;
using EdgeDm.EndToEnd.Tests.Kills;

namespace EdgeDm.EndToEnd.Tests.Queues;

/// <summary>Whenever the dev hub is killed: what it acknowledged arrives.</summary>
public sealed class QueueKillTests(ITestOutputHelper output)
{
    private const int KillsOfARun = 10;
    private const int KillsOfTheCampaign = 200;

    /// <summary>Messages between two kills, at most.</summary>
    private const int MostBetween = 300;

    [Fact]
    public async Task Kill_HubWhileMessagesPass_NothingAcknowledgedIsLost() => await RunAsync(KillsOfARun);

    /// <summary><c>./scripts/test --campaign queues</c>.</summary>
    [Fact(Explicit = true)]
    public async Task Kill_HubManyTimes_NothingAcknowledgedIsLost()
    {
        var watch = Stopwatch.StartNew();

        var (acknowledged, duplicates) = await RunAsync(KillsOfTheCampaign);

        if (Environment.GetEnvironmentVariable("EDGEDM_CAMPAIGN_RESULTS") is { Length: > 0 } file)
        {
            var page = new StringBuilder()
                .AppendLine("# Results of the queue campaign")
                .AppendLine()
                .AppendLine("What is killed and what must hold then: [testing.md](../testing.md#kills).")
                .AppendLine()
                .AppendLine("`./scripts/test --campaign queues`")
                .AppendLine()
                .AppendLine(
                    CultureInfo.InvariantCulture,
                    $"{DateTimeOffset.UtcNow:yyyy-MM-dd}, seed {KillSeed.Given}, {watch.Elapsed.TotalMinutes:0} minutes: {KillsOfTheCampaign} kills of the dev hub, {acknowledged} messages acknowledged, **0 lost**, {duplicates} received more than once."
                );
            await File.WriteAllTextAsync(file, page.ToString(), TestContext.Current.CancellationToken);
        }
    }

    private async Task<(int Acknowledged, int Duplicates)> RunAsync(int kills)
    {
        var random = new Random(KillSeed.Given);
        await using var traffic = await QueueTraffic.StartAsync();
        for (var kill = 1; kill <= kills; kill++)
        {
            await traffic.ReceiveAsync(isThere: random.Next(2) == 0);
            await traffic.WaitForMoreAsync(random.Next(1, MostBetween));
            await traffic.KillAsync();
        }
        await traffic.FinishAsync();
        output.WriteLine($"{traffic.Acknowledged} acknowledged, {traffic.Duplicates} more than once");

        traffic.Missing.ShouldBeEmpty("the hub said that it had them");
        traffic.Acknowledged.ShouldBeGreaterThan(kills);
        return (traffic.Acknowledged, traffic.Duplicates);
    }
}
