using System.Text.Json.Nodes;

namespace EdgeDm.Benchmarks.Session;

/// <summary>Our client and the official one, side by side.</summary>
/// <param name="Ours">A module.</param>
/// <param name="Peer">Another; null where there is no Node.js.</param>
internal sealed record Pair(ClientProcess Ours, ClientProcess? Peer) : IAsyncDisposable
{
    /// <summary>In the text of rows.</summary>
    public const string PeerName = "azure-iot-device";

    private static readonly TimeSpan ConnectLimit = TimeSpan.FromMinutes(1);

    /// <summary>Those that there are, with the module that each is.</summary>
    public IReadOnlyList<(ClientProcess Client, string Module)> Clients =>
        Peer is null ? [(Ours, BenchHub.Ours)] : [(Ours, BenchHub.Ours), (Peer, BenchHub.Peer)];

    /// <summary>Connects them.</summary>
    public async Task ConnectAsync(BenchHub hub, JsonObject? with, CancellationToken cancellationToken)
    {
        foreach (var (client, module) in Clients)
        {
            var connection = hub.ConnectionOf(module);
            foreach (var (name, value) in with ?? [])
            {
                connection[name] = value?.DeepClone();
            }
            await client.CallAsync("connect", connection, ConnectLimit, cancellationToken);
        }
    }

    /// <summary>One sample of each client in each round: of ours, then of the peer, none where it is missing.</summary>
    public async Task<List<T>[]> SampleAsync<T>(int rounds, Func<ClientProcess, string, Task<T>> sample)
    {
        List<T>[] samples =
        [
            [],
            [],
        ];
        for (var round = 0; round < rounds; round++)
        {
            for (var i = 0; i < Clients.Count; i++)
            {
                samples[i].Add(await sample(Clients[i].Client, Clients[i].Module));
            }
        }
        return samples;
    }

    /// <summary>A row of such samples.</summary>
    public static Row Row<T>(string what, string unit, List<T>[] samples, Func<T, double> value, Goal? goal = null) =>
        new(
            samples[1].Count > 0 ? $"{what} | {PeerName}" : what,
            unit,
            [.. samples[0].Select(value)],
            [.. samples[1].Select(value)],
            goal
        );

    public async ValueTask DisposeAsync()
    {
        await Ours.DisposeAsync();
        if (Peer is not null)
        {
            await Peer.DisposeAsync();
        }
    }
}
