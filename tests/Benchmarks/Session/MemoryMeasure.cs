using System.Text.Json.Nodes;

namespace EdgeDm.Benchmarks.Session;

/// <summary>B5: memory of an idle connection: the first of a program, and each of many more.</summary>
internal sealed class MemoryMeasure : SessionMeasure
{
    private const int Many = 1_000;
    private const double Megabyte = 1e6;
    private const double Kibibyte = 1024;

    /// <summary>What connecting leaves to be done is over by then.</summary>
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    /// <summary>Of the session itself: no program with TLS, whatever it speaks on it, does without TLS.</summary>
    private static readonly Goal First = new(3);
    private static readonly Goal Further = new(40);

    public override string Id => "B5";

    public override string Title => "memory of idle connections";

    public override async Task<IReadOnlyList<Row>> RunAsync(BenchPlace place, CancellationToken cancellationToken)
    {
        Difference deployed = new(),
            ofTls = new(),
            built = new(),
            peer = new();
        for (var round = 0; round < place.Rounds; round++)
        {
            await place.Progress.WriteLineAsync($"  one connection, round {round + 1}");
            var connection = place.Hub.ConnectionOf(BenchHub.Ours);
            var (without, tls, with) = (
                await IdleAsync(place.StartOursPublished, "hello", null),
                await IdleAsync(place.StartOursPublished, "tls", connection),
                await IdleAsync(place.StartOursPublished, "connect", connection)
            );
            deployed.Add(without, with);
            ofTls.Add(tls, with);
            built.Add(
                await IdleAsync(() => place.StartOurs(), "hello", null),
                await IdleAsync(() => place.StartOurs(), "connect", connection)
            );
            if (place.HasNode)
            {
                peer.Add(
                    await IdleAsync(() => place.StartNode("azure"), "hello", null),
                    await IdleAsync(() => place.StartNode("azure"), "connect", place.Hub.ConnectionOf(BenchHub.Peer))
                );
            }
        }
        var name = place.HasNode ? $" | {Pair.PeerName}" : "";
        var rows = new List<Row>
        {
            new($"B5 first connection, as deployed: resident{name}", "MB", deployed.Resident, peer.Resident),
            new(
                $"B5 first connection, as deployed: proportional{name}",
                "MB",
                deployed.Proportional,
                peer.Proportional
            ),
            new("B5 the same above a bare TLS stream: resident", "MB", ofTls.Resident, [], First),
            new("B5 the same above a bare TLS stream: proportional", "MB", ofTls.Proportional, []),
            new($"B5 first connection, as built: resident{name}", "MB", built.Resident, peer.Resident),
            new($"B5 first connection, as built: proportional{name}", "MB", built.Proportional, peer.Proportional),
        };
        if (place.Broker is { } broker)
        {
            rows.AddRange(await FurtherAsync(place, broker, cancellationToken));
        }
        return rows;

        async Task<ProcessSample> IdleAsync(Func<ClientProcess> start, string call, JsonObject? connection)
        {
            await using var client = start();
            await client.CallAsync(call, connection, Limit, cancellationToken);
            await Task.Delay(Settle, cancellationToken);
            return ProcessSample.Read(client.Id);
        }
    }

    private static async Task<List<Row>> FurtherAsync(
        BenchPlace place,
        Broker broker,
        CancellationToken cancellationToken
    )
    {
        var rows = new List<Row>();
        foreach (var tls in new[] { false, true })
        {
            List<double> ours = [],
                peer = [];
            for (var round = 0; round < place.Rounds; round++)
            {
                await place.Progress.WriteLineAsync(
                    $"  {Many} connections {(tls ? "with" : "without")} TLS, round {round + 1}"
                );
                ours.Add(await EachAsync(place.StartOursPublished(), broker.ConnectionOf("ours", tls)));
                if (place.HasNode)
                {
                    peer.Add(await EachAsync(place.StartNode("plain"), broker.PlainConnectionOf("peer", tls)));
                }
            }
            var name = place.HasNode ? $" | {Senders.MqttJs}" : "";
            rows.Add(
                new(
                    $"B5 each further connection, {(tls ? "TLS" : "plain")}, as deployed: resident{name}",
                    "KiB",
                    ours,
                    peer,
                    tls ? null : Further
                )
            );
        }
        return rows;

        async Task<double> EachAsync(ClientProcess started, JsonObject connection)
        {
            await using var client = started;
            await client.CallAsync("connect", connection, Limit, cancellationToken);
            await Task.Delay(Settle, cancellationToken);
            var first = ProcessSample.Read(client.Id).ResidentBytes;
            connection["sessions"] = Many;
            await client.CallAsync("connect", connection, Limit, cancellationToken);
            await Task.Delay(Settle, cancellationToken);
            return (ProcessSample.Read(client.Id).ResidentBytes - first) / Kibibyte / Many;
        }
    }

    /// <summary>MB of one program above another, a sample for each round.</summary>
    private sealed class Difference
    {
        public List<double> Resident { get; } = [];

        public List<double> Proportional { get; } = [];

        public void Add(ProcessSample without, ProcessSample with)
        {
            Resident.Add((with.ResidentBytes - without.ResidentBytes) / Megabyte);
            Proportional.Add((with.ProportionalBytes - without.ProportionalBytes) / Megabyte);
        }
    }
}
