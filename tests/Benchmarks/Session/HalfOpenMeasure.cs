using System.Diagnostics;

namespace EdgeDm.Benchmarks.Session;

/// <summary>B7: a server that is frozen answers nothing and closes nothing; how long an idle client takes to notice.</summary>
internal sealed class HalfOpenMeasure : SessionMeasure
{
    private const double KeepAlive = 5;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    private static readonly Goal InTime = new(KeepAlive * 1.5);

    public override string Id => "B7";

    public override string Title => "half-open link";

    public override async Task<IReadOnlyList<Row>> RunAsync(BenchPlace place, CancellationToken cancellationToken)
    {
        var ours = new List<double>();
        var official = new List<double>();
        var mqttJs = new List<double>();
        for (var round = 0; round < place.Rounds; round++)
        {
            await place.Progress.WriteLineAsync($"  round {round + 1}");
            var atHub = await place.StartPairAsync(new() { ["keepAlive"] = KeepAlive }, cancellationToken);
            await using (atHub)
            {
                await using var frozen = await Frozen.BeginAsync(place.Hub.ProcessId, cancellationToken);
                var times = await Task.WhenAll(atHub.Clients.Select(c => NoticeAsync(c.Client, cancellationToken)));
                ours.Add(times[0]);
                official.AddRange(times.Skip(1));
            }
            if (place is { Broker: { } broker, HasNode: true })
            {
                await using var plain = place.StartNode("plain");
                var connection = broker.PlainConnectionOf("frozen", tls: true);
                connection["keepAlive"] = KeepAlive;
                await plain.CallAsync("connect", connection, Limit, cancellationToken);
                await using var frozen = await Frozen.BeginAsync(broker.ProcessId, cancellationToken);
                mqttJs.Add(await NoticeAsync(plain, cancellationToken));
            }
        }
        return [Row(Pair.PeerName, official), Row(Senders.MqttJs, mqttJs)];

        Row Row(string name, List<double> peer)
        {
            var limit = peer.Any(time => time >= Patience.TotalSeconds) ? $" (waited {Patience.TotalSeconds:0} s)" : "";
            return new(
                $"B7 frozen server, keep-alive {KeepAlive:0} s: noticed | {name}{limit}",
                "s",
                ours,
                peer,
                InTime
            );
        }
    }

    /// <summary>Seconds until the client told, at most the patience.</summary>
    private static async Task<double> NoticeAsync(ClientProcess client, CancellationToken cancellationToken)
    {
        var begin = Stopwatch.GetTimestamp();
        var noticed = client.CallAsync("untilLost", null, Limit, cancellationToken);
        try
        {
            await noticed.WaitAsync(Patience, cancellationToken);
            return Stopwatch.GetElapsedTime(begin).TotalSeconds;
        }
        catch (TimeoutException)
        {
            _ = noticed.ContinueWith(task => _ = task.Exception, TaskScheduler.Default); // The client is ended, and with it this call.
            return Patience.TotalSeconds;
        }
    }
}
