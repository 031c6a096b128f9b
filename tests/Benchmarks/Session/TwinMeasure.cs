using System.Diagnostics;

namespace EdgeDm.Benchmarks.Session;

/// <summary>B3: a reported patch until its answer, and a desired change from the service's request to the application.</summary>
internal sealed class TwinMeasure : SessionMeasure
{
    private const int WarmUp = 500;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    public override string Id => "B3";

    public override string Title => "twin";

    public override async Task<IReadOnlyList<Row>> RunAsync(BenchPlace place, CancellationToken cancellationToken)
    {
        var count = place.IsQuick ? 200 : 1_000;
        await using var pair = await place.StartPairAsync(null, cancellationToken);
        foreach (var (client, module) in pair.Clients)
        {
            await PatchAsync(client, WarmUp);
            await client.CallAsync("watch", null, Limit, cancellationToken);
            await DesireAsync(client, module, WarmUp);
        }
        var patches = await pair.SampleAsync(place.Rounds, (client, _) => PatchAsync(client, count));
        var desired = await pair.SampleAsync(place.Rounds, (client, module) => DesireAsync(client, module, count));
        return [.. Rows("B3 reported patch", patches), .. Rows("B3 desired change", desired)];

        Task<Sample> PatchAsync(ClientProcess client, int times) =>
            TimedAsync(client, "patch", times, () => Task.CompletedTask);

        Task<Sample> DesireAsync(ClientProcess client, string module, int times) =>
            TimedAsync(
                client,
                "watched",
                times,
                async () =>
                {
                    for (var i = 0; i < times; i++)
                    {
                        cancellationToken.ThrowIfCancellationRequested();
                        await place.Hub.Service.DesireAsync(new() { ["sent"] = Stopwatch.GetTimestamp() }, module);
                    }
                }
            );

        async Task<Sample> TimedAsync(ClientProcess client, string call, int times, Func<Task> meanwhile)
        {
            var before = client.Processor;
            var result = client.CallAsync(call, new() { ["count"] = times }, Limit, cancellationToken);
            await meanwhile();
            var latencies = (await result)!.AsArray().Select(value => (double)value!).ToList();
            return new((client.Processor - before).TotalMicroseconds / times, latencies);
        }
    }

    private static IEnumerable<Row> Rows(string what, List<Sample>[] samples) =>
        [
            Pair.Row($"{what}: client CPU", "us a change", samples, s => s.Processor),
            Pair.Row($"{what}: p50", "us", samples, s => Statistics.Quantile(s.Times, 0.5)),
            Pair.Row($"{what}: p99", "us", samples, s => Statistics.Quantile(s.Times, 0.99)),
        ];

    private sealed record Sample(double Processor, List<double> Times);
}
