namespace EdgeDm.Benchmarks.Session;

/// <summary>B1: telemetry of QoS 1, at the dev hub and, as plain publishes, at mosquitto.</summary>
internal sealed class TelemetryMeasure : SessionMeasure
{
    /// <summary>mosquitto_pub loses lines above 65,535.</summary>
    private const int Most = 60_000;

    // A just-in-time compiler has settled after so many.
    private static readonly Shape WarmUp = new(100_000, 64, 128);
    private static readonly Shape WarmUpOfMosquittoPub = new(1_000, 64, 128);

    private static readonly Shape Judged = new(Most, 64, 128);
    private static readonly Shape[] Shapes = [Judged, new(30_000, 10, 128), new(5_000, 1, 128), new(30_000, 64, 1024)];

    private static readonly Goal AFifth = new(0.2, IsOfRatio: true);
    private static readonly Goal AtLeastAsFast = new(1, IsOfRatio: true, IsLeast: true);

    public override string Id => "B1";

    public override string Title => "telemetry";

    public override async Task<IReadOnlyList<Row>> RunAsync(BenchPlace place, CancellationToken cancellationToken)
    {
        var all = place.IsQuick ? [Judged] : Shapes;
        var rows = await RunAsync(place, "hub, TLS", all, AtHubAsync, cancellationToken);
        if (place.Broker is not null)
        {
            rows.AddRange(await RunAsync(place, "mosquitto, TLS", all, AtBrokerAsync(tls: true), cancellationToken));
            if (!place.IsQuick)
            {
                var plain = AtBrokerAsync(tls: false);
                rows.AddRange(await RunAsync(place, "mosquitto, plain", [Judged], plain, cancellationToken));
            }
        }
        return rows;

        Task AtHubAsync(List<Sender> senders) => Senders.AtHubAsync(place, senders, cancellationToken);

        Func<List<Sender>, Task> AtBrokerAsync(bool tls) =>
            senders => Senders.AtBrokerAsync(place, place.Broker!, tls, senders, cancellationToken);
    }

    private static async Task<List<Row>> RunAsync(
        BenchPlace place,
        string server,
        Shape[] shapes,
        Func<List<Sender>, Task> connect,
        CancellationToken cancellationToken
    )
    {
        var rows = new List<Row>();
        var senders = new List<Sender>();
        try
        {
            await connect(senders);
            foreach (var sender in senders)
            {
                await sender.SendAsync(
                    sender.Name == Senders.MosquittoPub ? WarmUpOfMosquittoPub : WarmUp,
                    cancellationToken
                );
            }
            foreach (var shape in shapes)
            {
                await place.Progress.WriteLineAsync($"  {server}, {shape.Bytes} B, {shape.Window} in flight");
                // mosquitto_pub has a window of its own.
                var able = senders.Where(sender => shape.Window == 64 || sender.Name != Senders.MosquittoPub).ToList();
                var samples = able.Select(_ => new List<SendSample>()).ToList();
                for (var round = 0; round < place.Rounds; round++)
                {
                    for (var i = 0; i < able.Count; i++)
                    {
                        var sample = await able[i].SendAsync(shape, cancellationToken);
                        samples[i].Add(sample);
                        await place.Progress.WriteLineAsync($"    {able[i].Name}: {sample}");
                    }
                }
                rows.AddRange(Rows($"B1 {server}, {shape.Bytes} B, {shape.Window} in flight", shape, able, samples));
            }
            return rows;
        }
        finally
        {
            foreach (var sender in senders)
            {
                await sender.DisposeAsync();
            }
        }
    }

    private static IEnumerable<Row> Rows(string what, Shape shape, List<Sender> senders, List<List<SendSample>> samples)
    {
        var isJudged = shape == Judged && what.Contains("TLS", StringComparison.Ordinal);
        var ours = samples[0];
        for (var i = 1; i < Math.Max(senders.Count, 2); i++)
        {
            var peer = i < senders.Count ? samples[i] : [];
            var name = i < senders.Count ? $" | {senders[i].Name}" : "";
            var isOfficial = i < senders.Count && senders[i].Name == Pair.PeerName;
            yield return Row(
                "client CPU",
                "us a message",
                s => s.ClientMicroseconds,
                isJudged && isOfficial ? AFifth : null
            );
            yield return Row("rate", "1/s", s => s.Rate, isJudged && !isOfficial ? AtLeastAsFast : null);
            yield return Row("server CPU", "us a message", s => s.ServerMicroseconds, null);

            Row Row(string quantity, string unit, Func<SendSample, double> value, Goal? goal) =>
                new($"{what}: {quantity}{name}", unit, [.. ours.Select(value)], [.. peer.Select(value)], goal);
        }
    }
}
