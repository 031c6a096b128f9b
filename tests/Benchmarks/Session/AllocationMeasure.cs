namespace EdgeDm.Benchmarks.Session;

/// <summary>B6: bytes that the process allocates for each message, when all is warm.</summary>
internal sealed class AllocationMeasure : SessionMeasure
{
    private const int InputCount = 10_000;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);
    private static readonly Shape WarmUp = new(100_000, 64, 128);
    private static readonly Shape Sent = new(50_000, 64, 128);
    private static readonly Goal ToSend = new(100);
    private static readonly Goal ToReceive = new(250);

    public override string Id => "B6";

    public override string Title => "allocation";

    public override async Task<IReadOnlyList<Row>> RunAsync(BenchPlace place, CancellationToken cancellationToken)
    {
        await using var ours = place.StartOurs();
        await ours.CallAsync("connect", place.Hub.ConnectionOf(BenchHub.Ours), Limit, cancellationToken);
        await using var feeder = place.StartOurs(place.Cores.Server);
        await feeder.CallAsync("connect", place.Hub.ConnectionOf(BenchHub.Feeder), Limit, cancellationToken);

        var sent = new List<double>();
        await SendAsync(WarmUp);
        for (var round = 0; round < place.Rounds; round++)
        {
            sent.Add(await SendAsync(Sent));
        }
        var received = new List<double>();
        for (var warm = 0; warm < (place.IsQuick ? 20_000 : 100_000); warm += InputCount)
        {
            await ReceiveAsync();
        }
        for (var round = 0; round < place.Rounds; round++)
        {
            received.Add(await ReceiveAsync());
        }
        return
        [
            new("B6 sent, 64 in flight: allocated", "B a message", sent, [], ToSend),
            new("B6 received at an input: allocated", "B a message", received, [], ToReceive),
        ];

        async Task<double> SendAsync(Shape shape) => await AllocatedAsync("send", shape);

        async Task<double> ReceiveAsync()
        {
            // All of them wait in the hub before the first is received.
            var shape = new Shape(InputCount, 64, 128);
            var feed = shape.ToJson();
            feed["output"] = BenchHub.Ours;
            await feeder.CallAsync("send", feed, Limit, cancellationToken);
            return await AllocatedAsync("receive", shape);
        }

        async Task<double> AllocatedAsync(string call, Shape shape)
        {
            var result = await ours.CallAsync(call, shape.ToJson(), Limit, cancellationToken);
            await place.Progress.WriteLineAsync(
                $"  {call} {shape.Count}: {result!["allocated"]} B, {result["seconds"]} s"
            );
            return (double)result!["allocated"]! / shape.Count;
        }
    }
}
