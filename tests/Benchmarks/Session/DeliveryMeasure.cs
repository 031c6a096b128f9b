namespace EdgeDm.Benchmarks.Session;

/// <summary>B8: numbered messages to the cloud while the hub is killed and started again; what the hub recorded is counted.</summary>
internal sealed class DeliveryMeasure : SessionMeasure
{
    private const int Count = 10_000;

    /// <summary>The hub dies when so much is recorded: about a third of them.</summary>
    private const int BytesBeforeTheKill = 1_000_000;

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);
    private static readonly Goal None = new(0);

    public override string Id => "B8";

    public override string Title => "delivery across a kill";

    public override async Task<IReadOnlyList<Row>> RunAsync(BenchPlace place, CancellationToken cancellationToken)
    {
        List<Outcome>[] samples =
        [
            [],
            [],
        ];
        for (var round = 0; round < place.Rounds; round++)
        {
            await using var pair = new Pair(place.StartOurs(), place.HasNode ? place.StartNode("azure") : null);
            for (var i = 0; i < pair.Clients.Count; i++)
            {
                samples[i]
                    .Add(await DeliverAsync(place, pair.Clients[i].Client, pair.Clients[i].Module, cancellationToken));
                await place.Progress.WriteLineAsync($"  {pair.Clients[i].Module}: {samples[i][^1]}");
            }
        }
        return
        [
            Pair.Row($"B8 {Count} messages, hub killed: lost", "messages", samples, s => s.Lost, None),
            Pair.Row($"B8 {Count} messages, hub killed: duplicated", "messages", samples, s => s.Duplicated),
            Pair.Row($"B8 {Count} messages, hub killed: longest gap", "s", samples, s => s.LongestGap),
        ];
    }

    private static async Task<Outcome> DeliverAsync(
        BenchPlace place,
        ClientProcess client,
        string module,
        CancellationToken cancellationToken
    )
    {
        var hub = place.Hub;
        File.Delete(hub.RecordFile);
        await hub.RestartAsync(); // It has the old file open.
        var call = hub.ConnectionOf(module);
        call["count"] = Count;
        call["window"] = 64;
        call["output"] = BenchHub.UpstreamOutput;
        var delivering = client.CallAsync("deliver", call, Limit, cancellationToken);
        using (var period = new PeriodicTimer(TimeSpan.FromMilliseconds(1)))
        {
            while (new FileInfo(hub.RecordFile).Length < BytesBeforeTheKill && !delivering.IsCompleted)
            {
                await period.WaitForNextTickAsync(cancellationToken);
            }
        }
        var wasUnderWay = !delivering.IsCompleted;
        await hub.RestartAsync();
        var result = await delivering;
        return wasUnderWay
            ? Outcome.Of(Numbers.In(File.ReadLines(hub.RecordFile)), Count, (double)result!["longestGap"]!)
            : throw new BenchException("All messages were delivered before the hub could be killed.");
    }
}

/// <summary>What became of numbered messages.</summary>
/// <param name="Lost">Never came.</param>
/// <param name="Duplicated">Came more than once, each surplus counted.</param>
/// <param name="LongestGap">Seconds without an acknowledgement.</param>
internal sealed record Outcome(int Lost, int Duplicated, double LongestGap)
{
    /// <summary>Counts numbers from 0 to below <paramref name="count"/>.</summary>
    public static Outcome Of(IEnumerable<int> numbers, int count, double longestGap)
    {
        var seen = new int[count];
        foreach (var number in numbers)
        {
            seen[number]++;
        }
        return new(seen.Count(times => times == 0), seen.Sum(times => Math.Max(times - 1, 0)), longestGap);
    }
}
