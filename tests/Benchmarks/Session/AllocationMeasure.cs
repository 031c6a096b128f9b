using System.Text.Json.Nodes;

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
        await using var feeder = await Feeder.StartAsync(place, cancellationToken);

        await SendAsync(WarmUp);
        var sent = await SampleAsync(() => SendAsync(Sent));
        for (var warm = 0; warm < (place.IsQuick ? 20_000 : WarmUp.Count); warm += InputCount)
        {
            await ReceiveAsync();
        }
        var received = await SampleAsync(ReceiveAsync);
        return
        [
            new("B6 sent, 64 in flight: allocated", "B a message", sent, [], ToSend),
            new("B6 received at an input: allocated", "B a message", received, [], ToReceive),
        ];

        async Task<List<double>> SampleAsync(Func<Task<double>> sample)
        {
            var samples = new List<double>();
            for (var round = 0; round < place.Rounds; round++)
            {
                samples.Add(await sample());
            }
            return samples;
        }

        async Task<double> SendAsync(Shape shape) =>
            Allocated(await ours.CallAsync("send", shape.ToJson(), Limit, cancellationToken)) / shape.Count;

        async Task<double> ReceiveAsync()
        {
            await feeder.FillAsync(BenchHub.Ours, InputCount, cancellationToken);
            return Allocated(await Feeder.EmptyAsync(ours, InputCount, cancellationToken)) / InputCount;
        }
    }

    private static double Allocated(JsonNode? result) => (double)result!["allocated"]!;
}
