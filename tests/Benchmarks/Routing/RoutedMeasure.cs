using System.Text.Json.Nodes;
using EdgeDm.Benchmarks.Session;

namespace EdgeDm.Benchmarks.Routing;

/// <summary>What went through a server.</summary>
/// <param name="Rate">Messages a second, over all pairs.</param>
/// <param name="Median">Microseconds from sending to reception.</param>
/// <param name="Worst">The same of the slowest hundredth.</param>
/// <param name="Processor">Microseconds of the server a message.</param>
internal sealed record RoutedSample(double Rate, double Median, double Worst, double Processor);

/// <summary>Where the pairs meet: the dev hub, or a broker at its address.</summary>
internal sealed record RoutedServer(BenchHub Hub, Broker? Broker)
{
    public TimeSpan Processor => Broker?.Processor ?? Hub.Processor;

    /// <summary>Sender and receiver of each pair, side by side.</summary>
    public JsonObject Connections(int pairs) =>
        Connections(
            Hub,
            [.. Enumerable.Range(0, pairs).SelectMany(n => new JsonNode[] { SenderOf(n), ReceiverOf(n) })],
            Broker?.TlsPort
        );

    /// <summary>Clients of the hub, or of the broker at its address.</summary>
    public static JsonObject Connections(BenchHub hub, JsonArray clients, int? brokersPort = null) =>
        new()
        {
            ["host"] = hub.Address,
            ["port"] = brokersPort ?? BenchHub.Port,
            ["rootFile"] = hub.RootFile,
            ["clients"] = clients,
        };

    /// <summary>What each pair's sender publishes on.</summary>
    public JsonArray Topics(int pairs) =>
        new([.. Enumerable.Range(0, pairs).Select(n => (JsonNode)JsonValue.Create(TopicOf(n)))]);

    private string TopicOf(int pair) =>
        Broker is null
            ? $"devices/gateway/modules/{BenchDeployment.Sender(pair)}/messages/events/%24.on={BenchDeployment.PairOutput}"
            : $"pairs/{BenchDeployment.Receiver(pair)}";

    private JsonObject SenderOf(int pair)
    {
        if (Broker is not null)
        {
            return new() { ["clientId"] = BenchDeployment.Sender(pair) };
        }
        var sender = Hub.PlainConnectionOf(BenchDeployment.Sender(pair));
        sender.Remove("filter"); // It receives nothing.
        return sender;
    }

    private JsonObject ReceiverOf(int pair) =>
        Broker is null
            ? Hub.PlainConnectionOf(BenchDeployment.Receiver(pair))
            : new() { ["clientId"] = BenchDeployment.Receiver(pair), ["filter"] = TopicOf(pair) };
}

/// <summary>Sends through pairs of senders and receivers, ours and the peer in turn.</summary>
internal sealed class RoutedMeasure(int rounds, Cores cores, int messages, CancellationToken cancellationToken)
{
    /// <summary>In place of a window: the next message when the receiver has this one.</summary>
    public const int OneUnderWay = 0;

    private const int Bytes = 128;
    private const int WarmUp = 100_000;

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    public static ClientProcess StartClient(Cores cores) =>
        ClientProcess.Start("pairs", [.. Cores.On(cores.Client), Built.Program("tests/Benchmarks.SessionClient")]);

    public async Task<(List<RoutedSample> Ours, List<RoutedSample> Peer)> RunAsync(
        RoutedServer ours,
        RoutedServer? peer,
        int pairs,
        int window
    )
    {
        List<RoutedSample> mine = [],
            others = [];
        for (var round = 0; round < rounds; round++)
        {
            mine.Add(await SampleAsync(ours, pairs, window));
            if (peer is not null)
            {
                others.Add(await SampleAsync(peer, pairs, window));
            }
        }
        return (mine, others);
    }

    /// <summary>Sends what a just-in-time compiler needs to settle.</summary>
    public async Task WarmUpAsync(RoutedServer server, int pairs, int window)
    {
        for (var sent = 0; sent < WarmUp; sent += messages)
        {
            await SampleAsync(server, pairs, window);
        }
    }

    private async Task<RoutedSample> SampleAsync(RoutedServer server, int pairs, int window)
    {
        await using var client = StartClient(cores);
        await client.CallAsync("raw", server.Connections(pairs), Limit, cancellationToken);
        var count = messages / pairs;
        await RouteAsync(count / 4); // The client's own code, compiled.
        var before = server.Processor;
        var result = await RouteAsync(count);
        var processor = server.Processor - before;
        var all = count * pairs;
        return new(
            all / (double)result["seconds"]!,
            (double)result["p50"]!,
            (double)result["p99"]!,
            processor.TotalMicroseconds / all
        );

        async Task<JsonNode> RouteAsync(int each) =>
            (
                await client.CallAsync(
                    "routed",
                    new()
                    {
                        ["topics"] = server.Topics(pairs),
                        ["count"] = each,
                        ["window"] = window,
                        ["bytes"] = Bytes,
                    },
                    Limit,
                    cancellationToken
                )
            )!;
    }
}
