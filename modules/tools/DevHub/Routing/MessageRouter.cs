using System.Collections.Immutable;
using EdgeDm.DevHub.Queues;
using EdgeDm.DevHub.Routing.Conditions;
using Microsoft.Extensions.Logging;

namespace EdgeDm.DevHub.Routing;

/// <summary>
/// Sends every message to the ends of the routes that match it, one copy to each, by the best priority of those routes.
/// A message that no route matches is dropped, as edgeHub does. Safe for use by many threads.
/// </summary>
/// <param name="deviceId">The gateway, whose modules the routes lead to.</param>
/// <param name="store">Where messages wait for them.</param>
/// <param name="upstream">Where messages to the cloud end.</param>
/// <param name="logger">The log.</param>
public sealed partial class MessageRouter(
    string deviceId,
    MessageStore store,
    UpstreamLog upstream,
    ILogger<MessageRouter> logger
)
{
    private RouteSet routes = RouteSet.Empty;

    /// <summary>The routes in force, with the store's limit. Replaced as a whole; messages already queued stay where they are.</summary>
    public RouteSet Routes
    {
        get => Volatile.Read(ref routes);
        set
        {
            store.StoreLimit = value.StoreLimit;
            Volatile.Write(ref routes, value);
        }
    }

    /// <summary>Told of each message and each route that it takes (null = none wants it), on its sender's thread; set once, before the hub serves.</summary>
    public Action<HubMessage, Route?>? Routed { get; set; }

    /// <summary>Routes a message. Completes when every end has accepted it.</summary>
    /// <exception cref="HubException"><see cref="HubError.IotHubQuotaExceeded"/>: a queue is full.</exception>
    public ValueTask RouteAsync(HubMessage message, CancellationToken cancellationToken)
    {
        var set = Routes;
        var chosen = Choose(set, message);
        if (chosen.IsEmpty)
        {
            LogNoRoute(logger, message.Source);
            Routed?.Invoke(message, null);
        }
        var accepted = ValueTask.CompletedTask;
        foreach (var route in chosen)
        {
            Routed?.Invoke(message, route);
            if (route.Sink.IsUpstream)
            {
                upstream.Add(message);
                continue;
            }
            var queue = QueueOf(route.Sink.ModuleId!, route.Sink.Input!);
            var timeToLive = route.TimeToLive ?? set.TimeToLive;
            accepted = Both(
                accepted,
                store.EnqueueAsync(queue, message, route.Priority, timeToLive, cancellationToken)
            );
        }
        return accepted;
    }

    /// <summary>Puts a message straight to an input, past the routes.</summary>
    /// <exception cref="HubException"><see cref="HubError.IotHubQuotaExceeded"/>: its queue is full.</exception>
    public ValueTask SendAsync(
        string moduleId,
        string input,
        HubMessage message,
        CancellationToken cancellationToken
    ) =>
        store.EnqueueAsync(
            QueueOf(moduleId, input),
            message,
            Route.LowestPriority,
            Routes.TimeToLive,
            cancellationToken
        );

    /// <summary>Puts a message straight into the cloud, past the routes.</summary>
    public void SendUpstream(HubMessage message)
    {
        Routed?.Invoke(message, Route.Past);
        upstream.Add(message);
    }

    private QueueName QueueOf(string moduleId, string input) => new(new(deviceId, moduleId), input);

    // They are kept on disk together.
    private static ValueTask Both(ValueTask one, ValueTask other) =>
        one.IsCompletedSuccessfully ? other
        : other.IsCompletedSuccessfully ? one
        : new(Task.WhenAll(one.AsTask(), other.AsTask()));

    /// <summary>The best route to every end that the message takes.</summary>
    internal static ImmutableArray<Route> Choose(RouteSet set, HubMessage message)
    {
        var best = ImmutableArray<Route>.Empty;
        var view = new MessageView(message);
        try
        {
            foreach (var route in set.Routes)
            {
                if (!route.Source.Matches(message.Source))
                {
                    continue;
                }
                var same = 0;
                while (same < best.Length && best[same].Sink != route.Sink)
                {
                    same++;
                }
                // Conditions come last: they may have to parse the body.
                if (same < best.Length && best[same].Priority <= route.Priority || !Holds(route.Condition, ref view))
                {
                    continue;
                }
                best = same == best.Length ? best.Add(route) : best.SetItem(same, route);
            }
        }
        finally
        {
            view.Dispose();
        }
        return best;
    }

    private static bool Holds(RouteCondition? condition, ref MessageView message) =>
        condition is null || condition.Evaluate(ref message) == true;

    [LoggerMessage(Level = LogLevel.Debug, Message = "No route for a message from {Source}; it is dropped")]
    private static partial void LogNoRoute(ILogger logger, string source);
}
