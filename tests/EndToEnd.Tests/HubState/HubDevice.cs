using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using EdgeDm.Hub;

namespace EdgeDm.EndToEnd.Tests.HubState;

/// <summary>
/// A device that comes again as often as it loses the hub: counts the calls of its method and the messages from the cloud, and holds the
/// hub to what it acknowledged of its session.
/// </summary>
internal sealed class HubDevice : IAsyncDisposable
{
    private static readonly TimeSpan Retry = TimeSpan.FromMilliseconds(50);

    private readonly CancellationTokenSource stopping = new();
    private readonly ConcurrentDictionary<string, int> calls = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, int> messages = new(StringComparer.Ordinal);
    private readonly Task running;
    private volatile IoTHubSession? session;
    private volatile bool isSubscribed;

    public HubDevice(MortalHub hub, string id, string key)
    {
        Options = OptionsOf(hub, id, key);
        running = RunAsync();
    }

    /// <summary>How a device connects.</summary>
    public static HubSessionOptions OptionsOf(MortalHub hub, string id, string key)
    {
        var roots = new X509Certificate2Collection();
        roots.ImportFromPemFile(hub.RootFile);
        return new()
        {
            HubHostName = "127.0.0.1",
            Port = hub.MqttPort,
            DeviceId = id,
            Credential = HubCredential.FromKey(key),
            TrustedRoots = roots,
            OperationTimeout = TimeSpan.FromSeconds(10),
        };
    }

    private HubSessionOptions Options { get; }

    /// <summary>What the hub forgot of what it had acknowledged.</summary>
    public string? Broken { get; private set; }

    /// <summary>Its connection, once it has subscribed; null = it has none.</summary>
    public IoTHubSession? Session => isSubscribed ? session : null;

    /// <summary>How often its method was called with this payload.</summary>
    public int CallsWith(string payload) => calls.GetValueOrDefault(payload);

    /// <summary>How often this message came.</summary>
    public int MessagesLike(string text) => messages.GetValueOrDefault(text);

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await running;
        stopping.Dispose();
    }

    private async Task RunAsync()
    {
        try
        {
            await HubReconnect.RunAsync(
                _ => ValueTask.FromResult(Options),
                ServeAsync,
                _ => new(Retry: true, Retry),
                cancellationToken: stopping.Token
            );
        }
        catch (OperationCanceledException)
        {
            // As asked.
        }
    }

    private async Task ServeAsync(IoTHubSession connected, CancellationToken cancellationToken)
    {
        if (isSubscribed && !connected.SessionPresent)
        {
            Broken = "The hub had acknowledged subscriptions, and forgot the session.";
        }
        await using var cloud = await connected.SubscribeAsync(HubChannel.CloudMessages, cancellationToken);
        await using var requests = await connected.SubscribeAsync(HubChannel.Methods, cancellationToken);
        session = connected;
        isSubscribed = true;
        try
        {
            var messagesEnd = TakeMessagesAsync(cloud, cancellationToken);
            await AnswerAsync(connected, requests, cancellationToken);
            await messagesEnd;
        }
        finally
        {
            session = null;
        }
    }

    private async Task TakeMessagesAsync(HubSubscription<HubMessage> cloud, CancellationToken cancellationToken)
    {
        await foreach (var message in cloud.WithCancellation(cancellationToken))
        {
            messages.AddOrUpdate(message.GetText(), 1, (_, count) => count + 1);
            await message.AckAsync();
        }
    }

    private async Task AnswerAsync(
        IoTHubSession connected,
        HubSubscription<DirectMethodRequest> requests,
        CancellationToken cancellationToken
    )
    {
        await foreach (var request in requests.WithCancellation(cancellationToken))
        {
            calls.AddOrUpdate(Encoding.UTF8.GetString(request.Payload.Span), 1, (_, count) => count + 1);
            await connected.RespondAsync(request, 200, "true"u8.ToArray(), cancellationToken);
        }
    }
}
