using System.Diagnostics;

namespace EdgeDm.Benchmarks.Session;

/// <summary>B9: from the start of the program to the acknowledgement of its first message.</summary>
internal sealed class ColdStartMeasure : SessionMeasure
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);
    private static readonly Shape One = new(1, 1, 128);

    public override string Id => "B9";

    public override string Title => "cold start";

    public override async Task<IReadOnlyList<Row>> RunAsync(BenchPlace place, CancellationToken cancellationToken)
    {
        List<double> published = [],
            built = [],
            peer = [];
        await StartAsync(() => place.StartOurs(), BenchHub.Ours); // The hub's own first connection takes it a second.
        for (var round = 0; round < place.Rounds; round++)
        {
            published.Add(await StartAsync(place.StartOursPublished, BenchHub.Ours));
            built.Add(await StartAsync(() => place.StartOurs(), BenchHub.Ours));
            if (place.HasNode)
            {
                peer.Add(await StartAsync(() => place.StartNode("azure"), BenchHub.Peer));
            }
        }
        var name = place.HasNode ? $" | {Pair.PeerName}" : "";
        return
        [
            new($"B9 start to first acknowledgement, as deployed{name}", "s", published, peer),
            new($"B9 start to first acknowledgement, as built{name}", "s", built, peer),
        ];

        async Task<double> StartAsync(Func<ClientProcess> start, string module)
        {
            var begin = Stopwatch.GetTimestamp();
            await using var client = start();
            await client.CallAsync("connect", place.Hub.ConnectionOf(module), Limit, cancellationToken);
            await client.CallAsync("send", One.ToJson(), Limit, cancellationToken);
            return Stopwatch.GetElapsedTime(begin).TotalSeconds;
        }
    }
}
