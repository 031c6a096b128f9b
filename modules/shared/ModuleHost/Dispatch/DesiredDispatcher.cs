using System.Text.Json.Nodes;
using EdgeDm.Hosting;
using EdgeDm.Hub;
using Microsoft.Extensions.Logging;

namespace EdgeDm.ModuleHost;

/// <summary>
/// Makes whole desired documents of what the hub tells, and hands them to the handler one at a time. The handler runs beside the
/// connections: applying a document may take longer than one lasts.
/// </summary>
internal sealed partial class DesiredDispatcher(HubModuleOptions options)
{
    private readonly ILogger logger = options.LoggerFactory.CreateLogger<DesiredDispatcher>();
    private readonly Lock gate = new();
    private readonly Queue<DesiredDocument> waiting = new();
    private readonly AsyncAutoResetEvent added = new();
    private Func<DesiredDocument, CancellationToken, ValueTask>? handler;

    /// <summary>Registers the handler, once.</summary>
    public void Set(Func<DesiredDocument, CancellationToken, ValueTask> desiredHandler) =>
        handler = handler is null
            ? desiredHandler
            : throw new InvalidOperationException("There is a handler of desired properties already.");

    /// <summary>Follows the twin until the connection ends.</summary>
    /// <param name="session">The connection.</param>
    /// <param name="learnt">Gets each whole twin.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task FollowAsync(
        IoTHubSession session,
        Action<TwinSnapshot> learnt,
        CancellationToken cancellationToken
    )
    {
        var document = new DesiredDocument(-1, []);
        await foreach (var change in session.WatchTwinAsync(cancellationToken))
        {
            if (change.Full is { } full)
            {
                learnt(full);
                // A hub that lost versions and asks for the same one again brings nothing new within this connection.
                var isNew = full.DesiredVersion != document.Version;
                document = new(full.DesiredVersion, WithoutHubParts(JsonNode.Parse(full.Desired.GetRawText())));
                if (isNew)
                {
                    Add(document, replacesAll: true);
                }
                continue;
            }
            // A copy: the handler may still hold the last one.
            var properties = (JsonObject)document.Properties.DeepClone();
            MergePatch.Apply(properties, WithoutHubParts(JsonNode.Parse(change.Update!.Patch.GetRawText())));
            document = new(change.Version, properties);
            Add(document, replacesAll: false);
        }
    }

    /// <summary>Calls the handler until the module stops.</summary>
    public async Task HandleAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            DesiredDocument? next;
            lock (gate)
            {
                waiting.TryDequeue(out next);
            }
            if (next is null)
            {
                await added.WaitAsync(cancellationToken);
            }
            else if (handler is not null)
            {
                await CallAsync(handler, next, cancellationToken);
            }
        }
    }

    private async Task CallAsync(
        Func<DesiredDocument, CancellationToken, ValueTask> call,
        DesiredDocument document,
        CancellationToken cancellationToken
    )
    {
        var delay = options.HandlerRetry;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await call(document, cancellationToken);
                return;
            }
            catch (Exception error) when (!cancellationToken.IsCancellationRequested)
            {
                LogHandlerFailed(logger, error, document.Version, attempt, options.MaxDesiredAttempts);
                // A full disk passes: the document stays until it could be kept, or a newer one, as whole as this, has come.
                if (error is IOException ? HasNewer() : attempt >= options.MaxDesiredAttempts)
                {
                    return; // The next change or connection brings a whole document again.
                }
            }
            await Task.Delay(delay, options.TimeProvider, cancellationToken);
            delay = delay * 2 < options.LongestRetry ? delay * 2 : options.LongestRetry;
        }
    }

    private bool HasNewer()
    {
        lock (gate)
        {
            return waiting.Count > 0;
        }
    }

    private void Add(DesiredDocument document, bool replacesAll)
    {
        lock (gate)
        {
            if (replacesAll)
            {
                waiting.Clear();
            }
            else if (waiting.Count >= options.MaxWaitingDesired)
            {
                waiting.Dequeue();
            }
            waiting.Enqueue(document);
        }
        added.Set();
    }

    private static JsonObject WithoutHubParts(JsonNode? node)
    {
        var properties = node as JsonObject ?? [];
        foreach (var name in properties.Select(p => p.Key).Where(name => name.StartsWith('$')).ToArray())
        {
            properties.Remove(name);
        }
        return properties;
    }

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "The handler of desired properties failed on version {Version}, attempt {Attempt} of {Attempts}"
    )]
    private static partial void LogHandlerFailed(
        ILogger logger,
        Exception error,
        long version,
        int attempt,
        int attempts
    );
}
