using System.Collections.Concurrent;
using System.Text.Json;
using EdgeDm.Contracts;
using EdgeDm.Hosting;
using EdgeDm.ModuleHost;

namespace EdgeDm.DeviceManagement.Health;

/// <summary>
/// Sees whether this gateway works: a session with edgeHub, and answers of the other modules over the very routes that
/// carry the work. HostAccess judges; this only testifies.
/// </summary>
internal sealed class HealthWitness(IModuleHub hub, TimeProvider time, string pingId)
{
    private readonly ConcurrentDictionary<string, long> answered = new(StringComparer.Ordinal);
    private readonly AsyncAutoResetEvent news = new();

    /// <summary>An answer counts this long.</summary>
    public TimeSpan AnswerValidity { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Evidence is posted and pings are sent this often, and at once when something changes.</summary>
    public TimeSpan Period { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Wakes <see cref="NextAsync"/> when the session comes or goes, until disposed.</summary>
    public IDisposable Observe()
    {
        hub.ConnectionChanged += Wake;
        return new Unsubscription(() => hub.ConnectionChanged -= Wake);
    }

    /// <summary>Asks the modules.</summary>
    public void Ping()
    {
        var ping = JsonSerializer.SerializeToUtf8Bytes(new Ping(pingId), ContractsJson.Default.Ping);
        hub.PostVolatile(Routes.Downloads, Schemas.Ping, ping, "ping-downloads");
        hub.PostVolatile(Routes.Observations, Schemas.Ping, ping, "ping-observations");
    }

    /// <summary>Takes an answer; one to an earlier process's ping does not count.</summary>
    public void Receive(InputMessage message)
    {
        var pong =
            JsonSerializer.Deserialize(message.Payload.Span, ContractsJson.Default.Pong)
            ?? throw new BadMessageException("A pong is null.");
        // The hub stamps the sender; a message without the stamp proves nothing.
        var sender = message.Sender.Split('/')[^1];
        if (pong.PingId == pingId && sender.Length > 0)
        {
            var isNews = !IsFresh(sender);
            answered[sender] = time.GetTimestamp();
            if (isNews)
            {
                Wake();
            }
        }
    }

    /// <summary>What can be said now.</summary>
    public HealthEvidence Evidence(string hostInstanceId) =>
        new(hostInstanceId, hub.IsConnected, [.. answered.Keys.Where(IsFresh).Order(StringComparer.Ordinal)]);

    /// <summary>Waits for news, at most one period.</summary>
    public async Task NextAsync(CancellationToken cancellationToken)
    {
        using var period = new CancellationTokenSource(Period, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(period.Token, cancellationToken);
        try
        {
            await news.WaitAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // The period passed without news.
        }
    }

    private bool IsFresh(string module) =>
        answered.TryGetValue(module, out var at) && time.GetElapsedTime(at) <= AnswerValidity;

    private void Wake() => news.Set();

    private sealed class Unsubscription(Action unsubscribe) : IDisposable
    {
        public void Dispose() => unsubscribe();
    }
}
