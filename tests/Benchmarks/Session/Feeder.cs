using System.Text.Json.Nodes;

namespace EdgeDm.Benchmarks.Session;

/// <summary>Puts messages into the hub for modules to receive. Runs on the server's core, and not while anyone is measured.</summary>
internal sealed class Feeder : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    private readonly ClientProcess client;

    private Feeder(ClientProcess client) => this.client = client;

    /// <summary>Starts it, connected.</summary>
    public static async Task<Feeder> StartAsync(BenchPlace place, CancellationToken cancellationToken)
    {
        var feeder = new Feeder(place.StartOurs(place.Cores.Server));
        try
        {
            await feeder.client.CallAsync("connect", place.Hub.ConnectionOf(BenchHub.Feeder), Limit, cancellationToken);
            return feeder;
        }
        catch
        {
            await feeder.DisposeAsync();
            throw;
        }
    }

    /// <summary>Returns when so many messages wait in the hub for a module that is not subscribed.</summary>
    public async Task FillAsync(string module, int count, CancellationToken cancellationToken)
    {
        var feed = new Shape(count, 64, 128).ToJson();
        feed["output"] = module;
        await client.CallAsync("send", feed, Limit, cancellationToken);
    }

    /// <summary>Has a module receive them, and returns what it tells.</summary>
    public static async Task<JsonNode> EmptyAsync(
        ClientProcess module,
        int count,
        CancellationToken cancellationToken
    ) => (await module.CallAsync("receive", new() { ["count"] = count }, Limit, cancellationToken))!;

    public ValueTask DisposeAsync() => client.DisposeAsync();
}
