using System.Collections.Immutable;
using Microsoft.Extensions.Logging;

namespace EdgeDm.DevHub.Routing;

/// <summary>
/// Sends every message to the ends of the routes that match it, one copy to each, by the best priority of those routes.
/// A message that no route matches is dropped, as edgeHub does. Safe for use by many threads.
/// </summary>
public sealed partial class MessageRouter(MessageStore store, UpstreamLog upstream, ILogger<MessageRouter> logger)
{
    private RouteSet routes = RouteSet.Empty;

    /// <summary>The routes in force. Replaced as a whole; messages already queued stay where they are.</summary>
    public RouteSet Routes
    {
        get => Volatile.Read(ref routes);
        set => Volatile.Write(ref routes, value);
    }

    /// <summary>Routes a message; every end has accepted it when this returns.</summary>
    /// <exception cref="HubException"><see cref="HubError.QuotaExceeded"/>: a queue is full.</exception>
    public async ValueTask RouteAsync(HubMessage message, CancellationToken cancellationToken)
    {
        var set = Routes;
        var chosen = Choose(set, message.Source);
        if (chosen.IsEmpty)
        {
            LogNoRoute(logger, message.Source);
        }
        foreach (var route in chosen)
        {
            if (route.Sink.IsUpstream)
            {
                upstream.Add(message);
            }
            else
            {
                await store.EnqueueAsync(
                    route.Sink,
                    message,
                    route.Priority,
                    route.TimeToLive ?? set.TimeToLive,
                    cancellationToken
                );
            }
        }
    }

    /// <summary>Puts a message straight to an input, past the routes.</summary>
    /// <exception cref="HubException"><see cref="HubError.QuotaExceeded"/>: its queue is full.</exception>
    public ValueTask SendAsync(
        string moduleId,
        string input,
        HubMessage message,
        CancellationToken cancellationToken
    ) => store.EnqueueAsync(new(moduleId, input), message, Route.LowestPriority, Routes.TimeToLive, cancellationToken);

    private static ImmutableArray<Route> Choose(RouteSet set, string source)
    {
        var best = ImmutableArray.CreateBuilder<Route>();
        foreach (var route in set.Routes)
        {
            if (!route.Source.Matches(source))
            {
                continue;
            }
            var same = 0;
            while (same < best.Count && best[same].Sink != route.Sink)
            {
                same++;
            }
            if (same == best.Count)
            {
                best.Add(route);
            }
            else if (route.Priority < best[same].Priority)
            {
                best[same] = route;
            }
        }
        return best.DrainToImmutable();
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "No route for a message from {Source}; it is dropped")]
    private static partial void LogNoRoute(ILogger logger, string source);
}
