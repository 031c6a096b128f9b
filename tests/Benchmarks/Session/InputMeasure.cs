namespace EdgeDm.Benchmarks.Session;

/// <summary>B4: messages at a module's input, each acknowledged; ours when the application is done with it, the peer's when it comes.</summary>
internal sealed class InputMeasure : SessionMeasure
{
    private const int Count = 10_000;

    public override string Id => "B4";

    public override string Title => "inputs";

    public override async Task<IReadOnlyList<Row>> RunAsync(BenchPlace place, CancellationToken cancellationToken)
    {
        await using var pair = await place.StartPairAsync(null, cancellationToken);
        await using var feeder = await Feeder.StartAsync(place, cancellationToken);
        foreach (var (client, module) in pair.Clients)
        {
            for (var warm = 0; warm < (place.IsQuick ? 2 : 6); warm++)
            {
                await ReceiveAsync(client, module);
            }
        }
        var samples = await pair.SampleAsync(place.Rounds, ReceiveAsync);
        return
        [
            Pair.Row("B4 input messages: client CPU", "us a message", samples, s => s.Processor),
            Pair.Row("B4 input messages: rate", "1/s", samples, s => s.Rate),
        ];

        async Task<(double Processor, double Rate)> ReceiveAsync(ClientProcess client, string module)
        {
            await feeder.FillAsync(module, Count, cancellationToken);
            var before = client.Processor;
            var result = await Feeder.EmptyAsync(client, Count, cancellationToken);
            return ((client.Processor - before).TotalMicroseconds / Count, Count / (double)result["seconds"]!);
        }
    }
}
