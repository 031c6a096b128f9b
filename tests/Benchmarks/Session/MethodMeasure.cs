using System.Diagnostics;
using System.Text.Json.Nodes;

namespace EdgeDm.Benchmarks.Session;

/// <summary>B2: direct methods, one after the other, from the service's HTTPS request to its answer.</summary>
internal sealed class MethodMeasure : SessionMeasure
{
    private const int WarmUp = 500;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    public override string Id => "B2";

    public override string Title => "methods";

    public override async Task<IReadOnlyList<Row>> RunAsync(BenchPlace place, CancellationToken cancellationToken)
    {
        var count = place.IsQuick ? 200 : 1_000;
        await using var pair = await place.StartPairAsync(null, cancellationToken);
        foreach (var (client, module) in pair.Clients)
        {
            await client.CallAsync("serve", null, Limit, cancellationToken);
            await CallAsync(client, module, WarmUp);
        }
        var samples = await pair.SampleAsync(place.Rounds, (client, module) => CallAsync(client, module, count));
        return
        [
            Pair.Row("B2 method round trip: client CPU", "us a call", samples, s => s.Processor),
            Pair.Row("B2 method round trip: p50", "us", samples, s => Statistics.Quantile(s.Times, 0.5)),
            Pair.Row("B2 method round trip: p99", "us", samples, s => Statistics.Quantile(s.Times, 0.99)),
        ];

        async Task<(double Processor, List<double> Times)> CallAsync(ClientProcess client, string module, int calls)
        {
            var times = new List<double>(calls);
            var before = client.Processor;
            for (var i = 0; i < calls; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var begin = Stopwatch.GetTimestamp();
                var (status, _) = await place.Hub.Service.CallAsync("echo", new JsonObject { ["i"] = i }, module);
                times.Add(Stopwatch.GetElapsedTime(begin).TotalMicroseconds);
                if (status != 200)
                {
                    throw new BenchException($"The method of {module} answered {status}.");
                }
            }
            return ((client.Processor - before).TotalMicroseconds / calls, times);
        }
    }
}
