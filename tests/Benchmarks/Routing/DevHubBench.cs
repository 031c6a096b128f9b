using System.CommandLine;
using System.Diagnostics;
using System.Text.Json.Nodes;
using EdgeDm.Benchmarks.Session;
using EdgeDm.Testing;

namespace EdgeDm.Benchmarks.Routing;

/// <summary>
/// What the dev hub can take: messages from modules to modules, each receiver with one at a time as edgeHub delivers them, beside
/// mosquitto with <c>max_inflight_messages 1</c>. The server has a core of its own, all clients another.
/// </summary>
internal sealed class DevHubBench : Bench
{
    private const int Pairs = 16;
    private const int Window = 16;
    private const int Sessions = 1_000;
    private const double Mebibyte = 1024 * 1024;
    private const string MosquittoName = "mosquitto";

    private static readonly Goal NotBelow = new(1, IsOfRatio: true, IsLeast: true);

    // What both wait for, a core that wakes, is no work of either.
    private static readonly Goal WithinATenth = new(0.9, IsOfRatio: true, IsLeast: true);

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    /// <summary>What connecting leaves to be done is over by then.</summary>
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(3);

    private readonly Option<bool> quick = new("--quick")
    {
        Description = "Fewer messages, and not the 1,000 sessions.",
    };

    public override string Name => "devhub";

    public override string Description => "The dev hub's routes, methods, memory and start beside mosquitto.";

    public override string Peer => MosquittoName;

    public override IReadOnlyList<Option> Options => [quick];

    public override async Task<IReadOnlyList<Row>> RunAsync(BenchRun run, CancellationToken cancellationToken)
    {
        using var work = WorkFolder.Make();
        var isQuick = run.Arguments.GetValue(quick);
        try
        {
            return await MeasureAsync(run, isQuick, work, cancellationToken);
        }
        catch (Exception error)
            when (error is ShouldAssertException or HttpRequestException or InvalidOperationException or IOException)
        {
            throw new BenchException(error.Message); // Of the hub, or of its service.
        }
    }

    private static async Task<IReadOnlyList<Row>> MeasureAsync(
        BenchRun run,
        bool isQuick,
        WorkFolder work,
        CancellationToken cancellationToken
    )
    {
        var cores = Cores.Read();
        var routed = new RoutedMeasure(run.Rounds, cores, isQuick ? 2_000 : 20_000, cancellationToken);
        await using var kept = await BenchHub.StartAsync(
            work.Create("durable"),
            cores,
            BenchDeployment.ForPairs(Pairs)
        );
        await using var hub = await BenchHub.StartAsync(
            work.Create("volatile"),
            cores,
            BenchDeployment.ForPairs(Pairs),
            "--volatile-queues"
        );
        await using var broker = Mosquitto.Server is null
            ? null
            : await Broker.StartAsync(work.Create("broker"), hub, cores, inFlight: 1, cancellationToken);
        if (broker is null)
        {
            await run.Progress.WriteLineAsync("ATTENTION: mosquitto is missing: nothing stands beside the dev hub.");
        }
        var ours = new RoutedServer(hub, null);
        var durable = new RoutedServer(kept, null);
        var peer = broker is null ? null : new RoutedServer(hub, broker);
        var name = broker is null ? "" : $" | {MosquittoName}";

        await run.Progress.WriteLineAsync("warm-up");
        await routed.WarmUpAsync(ours, Pairs, Window);
        await routed.WarmUpAsync(durable, Pairs, Window);
        await run.Progress.WriteLineAsync("one pair, one message at a time");
        var single = await routed.RunAsync(ours, peer, pairs: 1, RoutedMeasure.OneUnderWay);
        await run.Progress.WriteLineAsync($"one pair, {Window} of the sender unacknowledged");
        var one = await routed.RunAsync(ours, peer, pairs: 1, Window);
        await run.Progress.WriteLineAsync($"{Pairs} pairs");
        var many = await routed.RunAsync(ours, peer, Pairs, Window);
        await run.Progress.WriteLineAsync($"{Pairs} pairs, on disk");
        var onDisk = await routed.RunAsync(durable, null, Pairs, Window);
        await run.Progress.WriteLineAsync("methods");
        var methods = await MethodsAsync(run.Rounds, hub, cores, isQuick ? 200 : 1_000, cancellationToken);
        await run.Progress.WriteLineAsync("starts");
        var starts = await StartsAsync(run.Rounds, work, cores, cancellationToken);
        var rows = new List<Row>
        {
            Row($"one pair, in memory: rate{name}", "1/s", one, s => s.Rate, WithinATenth),
            Row($"one pair, in memory, one at a time: latency p50{name}", "us", single, s => s.Median),
            Row($"one pair, in memory, one at a time: latency p99{name}", "us", single, s => s.Worst, new(1_000)),
            Row($"{Pairs} pairs, in memory: rate{name}", "1/s", many, s => s.Rate, NotBelow),
            Row($"{Pairs} pairs, in memory: server CPU{name}", "us a message", many, s => s.Processor),
            Row($"{Pairs} pairs, on disk: rate", "1/s", onDisk, s => s.Rate, new(3_000, IsLeast: true)),
            Row($"{Pairs} pairs, on disk: server CPU", "us a message", onDisk, s => s.Processor),
            new("method round trip from HTTPS: p50", "us", [.. methods.Select(m => Statistics.Quantile(m, 0.5))], []),
            new("method round trip from HTTPS: p99", "us", [.. methods.Select(m => Statistics.Quantile(m, 0.99))], []),
            new("start to first connection", "s", starts, [], new(1)),
        };
        if (!isQuick)
        {
            await run.Progress.WriteLineAsync($"{Sessions} sessions");
            rows.Add(await MemoryAsync(run.Rounds, work, cores, cancellationToken));
        }
        return rows;
    }

    private static Row Row(
        string what,
        string unit,
        (List<RoutedSample> Ours, List<RoutedSample> Peer) samples,
        Func<RoutedSample, double> value,
        Goal? goal = null
    ) => new(what, unit, [.. samples.Ours.Select(value)], [.. samples.Peer.Select(value)], goal);

    private static async Task<List<List<double>>> MethodsAsync(
        int rounds,
        BenchHub hub,
        Cores cores,
        int calls,
        CancellationToken cancellationToken
    )
    {
        var module = BenchDeployment.Receiver(0);
        await using var client = RoutedMeasure.StartClient(cores);
        await client.CallAsync("connect", hub.ConnectionOf(module), Limit, cancellationToken);
        await client.CallAsync("serve", null, Limit, cancellationToken);
        var samples = new List<List<double>>();
        for (var round = -1; round < rounds; round++) // The first to warm up.
        {
            var times = new List<double>(calls);
            for (var i = 0; i < calls; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var begin = Stopwatch.GetTimestamp();
                await hub.Service.CallAsync("echo", new JsonObject { ["i"] = i }, module);
                times.Add(Stopwatch.GetElapsedTime(begin).TotalMicroseconds);
            }
            if (round >= 0)
            {
                samples.Add(times);
            }
        }
        return samples;
    }

    private static async Task<List<double>> StartsAsync(
        int rounds,
        WorkFolder work,
        Cores cores,
        CancellationToken cancellationToken
    )
    {
        var folder = work.Create("start");
        await using var client = RoutedMeasure.StartClient(cores); // One for all: its own start is not the hub's.
        var samples = new List<double>();
        for (var round = -1; round < rounds; round++) // The first makes the certificates, and warms up the client.
        {
            var begin = Stopwatch.GetTimestamp();
            await using var hub = await BenchHub.StartAsync(folder, cores, BenchDeployment.ForPairs(1));
            await client.CallAsync("connect", hub.ConnectionOf(BenchDeployment.Sender(0)), Limit, cancellationToken);
            if (round >= 0)
            {
                samples.Add(Stopwatch.GetElapsedTime(begin).TotalSeconds);
            }
        }
        return samples;
    }

    private static async Task<Row> MemoryAsync(
        int rounds,
        WorkFolder work,
        Cores cores,
        CancellationToken cancellationToken
    )
    {
        var samples = new List<double>();
        for (var round = 0; round < rounds; round++)
        {
            await using var hub = await BenchHub.StartAsync(
                work.Create($"sessions{round}"),
                cores,
                BenchDeployment.ForPairs(1)
            );
            var clients = new JsonArray();
            for (var i = 0; i < Sessions; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                clients.Add((JsonNode)await hub.AddDeviceAsync($"leaf-{i}"));
            }
            await using var client = RoutedMeasure.StartClient(cores);
            await Task.Delay(Settle, cancellationToken);
            var before = ProcessSample.Read(hub.ProcessId);
            await client.CallAsync("raw", RoutedServer.Connections(hub, clients), Limit, cancellationToken);
            await Task.Delay(Settle, cancellationToken);
            samples.Add((ProcessSample.Read(hub.ProcessId).ResidentBytes - before.ResidentBytes) / Mebibyte);
        }
        return new($"{Sessions} idle sessions with TLS: the hub's memory for them", "MiB", samples, [], new(150));
    }
}
