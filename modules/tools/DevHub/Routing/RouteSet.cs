using System.Collections.Immutable;
using System.Text.Json;

namespace EdgeDm.DevHub.Routing;

/// <summary>The routes of a deployment: all of them good, or none taken.</summary>
/// <param name="Routes">In the deployment's order.</param>
/// <param name="TimeToLive">How long a message waits when its route does not say; null = for ever.</param>
public sealed record RouteSet(ImmutableArray<Route> Routes, TimeSpan? TimeToLive)
{
    /// <summary>edgeHub's when the deployment has no <c>storeAndForwardConfiguration</c>.</summary>
    public static readonly TimeSpan DefaultTimeToLive = TimeSpan.FromHours(2);

    /// <summary>No routes.</summary>
    public static readonly RouteSet Empty = new([], DefaultTimeToLive);

    private const int NewestMinorSchema = 3;

    /// <summary>Reads the desired properties of <c>$edgeHub</c>, schema 1.0 to 1.3.</summary>
    /// <exception cref="HubException"><see cref="HubError.ArgumentInvalid"/> with edgeHub's text, naming the route.</exception>
    public static RouteSet Parse(JsonElement desired)
    {
        var minor = MinorSchemaOf(desired);
        var timeToLive = TimeToLiveOf(desired);
        if (!desired.TryGetProperty("routes", out var routes) || routes.ValueKind == JsonValueKind.Null)
        {
            return minor == 0 ? new([], timeToLive) : throw Invalid("'routes' is missing");
        }
        if (routes.ValueKind != JsonValueKind.Object)
        {
            throw Invalid("'routes' is not an object");
        }
        return new(
            [.. routes.EnumerateObject().Where(r => !IsBlank(r.Value)).Select(r => ParseRoute(r.Name, r.Value, minor))],
            timeToLive
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

    private static TimeSpan? TimeToLiveOf(JsonElement desired)
    {
        if (
            !desired.TryGetProperty("storeAndForwardConfiguration", out var store)
            || store.ValueKind != JsonValueKind.Object
            || !store.TryGetProperty("timeToLiveSecs", out var found)
        )
        {
            return DefaultTimeToLive;
        }
        if (found.ValueKind != JsonValueKind.Number || !found.TryGetInt32(out var seconds))
        {
            throw Invalid("storeAndForwardConfiguration.timeToLiveSecs is not a whole number");
        }
        return seconds < 0 ? null : TimeSpan.FromSeconds(seconds);
    }

    private static bool IsBlank(JsonElement value) =>
        value.ValueKind == JsonValueKind.String && string.IsNullOrWhiteSpace(value.GetString());

    private static Route ParseRoute(string name, JsonElement value, int minor)
    {
        try
        {
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
            var (source, sink) = RouteParser.Parse(text.GetString()!);
            return new(
                name,
                source,
                sink,
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
            && priority <= Route.LargestNamedPriority
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
