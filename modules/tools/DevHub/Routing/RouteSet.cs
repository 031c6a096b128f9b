using System.Collections.Immutable;
using System.Text.Json;

namespace EdgeDm.DevHub.Routing;

/// <summary>The routes of a deployment: all of them good, or none taken.</summary>
/// <param name="Routes">In the deployment's order.</param>
/// <param name="TimeToLive">How long a message waits when its route does not say; null = for ever.</param>
/// <param name="StoreLimit">See <see cref="Queues.MessageStore.StoreLimit"/>; null = the deployment sets no limit.</param>
public sealed record RouteSet(ImmutableArray<Route> Routes, TimeSpan? TimeToLive, long? StoreLimit = null)
{
    /// <summary>edgeHub's when the deployment has no <c>storeAndForwardConfiguration</c>.</summary>
    public static readonly TimeSpan DefaultTimeToLive = TimeSpan.FromHours(2);

    /// <summary>No routes.</summary>
    public static readonly RouteSet Empty = new([], DefaultTimeToLive);

    private const int NewestMinorSchema = 3;

    /// <summary>
    /// Reads the desired properties of <c>$edgeHub</c>, schema 1.0 to 1.3. What has no meaning here (<c>mqttBroker</c>,
    /// <c>integrity</c>) is not looked at.
    /// </summary>
    /// <exception cref="HubException"><see cref="HubError.ArgumentInvalid"/> with edgeHub's text, naming the route.</exception>
    public static RouteSet Parse(JsonElement desired)
    {
        var minor = MinorSchemaOf(desired);
        var (timeToLive, storeLimit) = StoreAndForwardOf(desired);
        if (!desired.TryGetProperty("routes", out var routes) || routes.ValueKind == JsonValueKind.Null)
        {
            return minor == 0 ? new([], timeToLive, storeLimit) : throw Invalid("'routes' is missing");
        }
        if (routes.ValueKind != JsonValueKind.Object)
        {
            throw Invalid("'routes' is not an object");
        }
        return new(
            [
                .. routes
                    .EnumerateObject()
                    .Where(r => minor > 0 || !IsBlank(r.Value))
                    .Select(r => ParseRoute(r.Name, r.Value, minor)),
            ],
            timeToLive,
            storeLimit
        );
    }

    private static int MinorSchemaOf(JsonElement desired)
    {
        var version = desired.TryGetProperty("schemaVersion", out var found) ? found.ToString() : "";
        return
            Version.TryParse(version, out var parsed)
            && parsed.Major == 1
            && parsed.Minor is >= 0 and <= NewestMinorSchema
            ? parsed.Minor
            : throw Invalid($"unsupported SchemaVersion '{version}': 1.0 to 1.{NewestMinorSchema} are known");
    }

    private static (TimeSpan? TimeToLive, long? StoreLimit) StoreAndForwardOf(JsonElement desired)
    {
        if (
            !desired.TryGetProperty("storeAndForwardConfiguration", out var store)
            || store.ValueKind != JsonValueKind.Object
        )
        {
            return (DefaultTimeToLive, null);
        }
        TimeSpan? timeToLive = DefaultTimeToLive;
        if (store.TryGetProperty("timeToLiveSecs", out var found))
        {
            timeToLive =
                found.ValueKind != JsonValueKind.Number || !found.TryGetInt32(out var seconds)
                    ? throw Invalid("storeAndForwardConfiguration.timeToLiveSecs is not a whole number")
                : seconds < 0 ? null
                : TimeSpan.FromSeconds(seconds);
        }
        return (timeToLive, StoreLimitOf(store));
    }

    private static long? StoreLimitOf(JsonElement store)
    {
        if (!store.TryGetProperty("storeLimits", out var limits) || limits.ValueKind == JsonValueKind.Null)
        {
            return null;
        }
        return
            limits.ValueKind == JsonValueKind.Object
            && limits.TryGetProperty("maxSizeBytes", out var found)
            && found.ValueKind == JsonValueKind.Number
            && found.TryGetInt64(out var most)
            && most > 0
            ? most
            : throw Invalid(
                "storeAndForwardConfiguration.storeLimits must be {\"maxSizeBytes\": n} with a whole number above 0"
            );
    }

    private static bool IsBlank(JsonElement value) =>
        value.ValueKind == JsonValueKind.String && string.IsNullOrWhiteSpace(value.GetString());

    private static Route ParseRoute(string name, JsonElement value, int minor)
    {
        try
        {
            if (string.IsNullOrWhiteSpace(name))
            {
                throw new RouteSyntaxException("The route has no name.");
            }
            var detailed = value.ValueKind == JsonValueKind.Object && minor > 0;
            var text = detailed && value.TryGetProperty("route", out var given) ? given : value;
            if (text.ValueKind != JsonValueKind.String)
            {
                throw new RouteSyntaxException(
                    minor == 0
                        ? "The route must be a string."
                        : "The route must be a string, or an object with 'route'."
                );
            }
            var route = RouteParser.Parse(text.GetString()!);
            return new(
                name,
                route.Source,
                route.Condition,
                route.Sink,
                detailed ? PriorityOf(value) : Route.LowestPriority,
                detailed ? RouteTimeToLiveOf(value) : null
            );
        }
        catch (RouteSyntaxException error)
        {
            throw Invalid($"Error parsing route {name} - {error.Message}");
        }
    }

    private static uint PriorityOf(JsonElement route)
    {
        if (!route.TryGetProperty("priority", out var found))
        {
            return Route.LowestPriority;
        }
        return
            found.ValueKind == JsonValueKind.Number
            && found.TryGetUInt32(out var priority)
            && priority is <= Route.LargestNamedPriority or Route.LowestPriority
            ? priority
            : throw new RouteSyntaxException(
                $"'priority' must be a whole number from 0 to {Route.LargestNamedPriority}."
            );
    }

    private static TimeSpan? RouteTimeToLiveOf(JsonElement route)
    {
        if (!route.TryGetProperty("timeToLiveSecs", out var found))
        {
            return null;
        }
        if (found.ValueKind != JsonValueKind.Number || !found.TryGetUInt32(out var seconds))
        {
            throw new RouteSyntaxException("'timeToLiveSecs' must be a whole number, 0 or more.");
        }
        return seconds == 0 ? null : TimeSpan.FromSeconds(seconds);
    }

    private static HubException Invalid(string what) =>
        new(HubError.ArgumentInvalid, $"Error while parsing desired properties - {what}");
}
