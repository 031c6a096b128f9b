using System.Text;
using EdgeDm.DevHub.Routing.Conditions;

namespace EdgeDm.DevHub.Routing;

/// <summary>What a route's text says.</summary>
/// <param name="Source">Which messages.</param>
/// <param name="Condition">Which of them; null = all.</param>
/// <param name="Sink">Where to.</param>
public sealed record ParsedRoute(RouteSource Source, RouteCondition? Condition, RouteEndpoint Sink);

/// <summary>Reads <c>[SELECT *] FROM source [WHERE condition] INTO sink</c> as edgeHub's grammar does.</summary>
public static class RouteParser
{
    private const string Upstream = "$upstream";
    private const string Endpoint = "BrokeredEndpoint";
    private const int SinkParts = 4;

    /// <summary>Reads a route and compiles its condition.</summary>
    /// <param name="text">The route.</param>
    /// <param name="limits">Null = <see cref="RouteLimits.Default"/>.</param>
    /// <exception cref="RouteSyntaxException">It is no route, or is beyond a limit.</exception>
    public static ParsedRoute Parse(string text, RouteLimits? limits = null)
    {
        limits ??= RouteLimits.Default;
        if (text.Length > limits.LongestText)
        {
            throw new RouteSyntaxException(
                $"The route has {text.Length} characters; at most {limits.LongestText} are allowed. Part it into several routes to the same sink."
            );
        }
        var tokens = new RouteLexer(text);
        if (tokens.TryTake(RouteToken.Select))
        {
            tokens.Take(RouteToken.Star);
        }
        tokens.Take(RouteToken.From);
        var source = ParseSource(tokens);
        var condition = tokens.TryTake(RouteToken.Where) ? ParseCondition(tokens, text, source, limits) : null;
        tokens.Take(RouteToken.Into);
        var sink = ParseSink(tokens);
        if (tokens.Kind == RouteToken.Where)
        {
            throw new RouteSyntaxException($"WHERE at position {tokens.Position} must stand before INTO.");
        }
        tokens.Take(RouteToken.End);
        return new(source, condition, sink);
    }

    private static RouteSource ParseSource(RouteLexer tokens)
    {
        var pattern = new StringBuilder();
        do
        {
            tokens.Take(RouteToken.Slash);
            pattern.Append('/');
            pattern.Append(
                tokens.Kind == RouteToken.Star ? tokens.Take(RouteToken.Star) : tokens.Take(RouteToken.Name)
            );
        } while (tokens.Kind == RouteToken.Slash);
        return new(pattern.ToString());
    }

    private static RouteCondition ParseCondition(RouteLexer tokens, string text, RouteSource source, RouteLimits limits)
    {
        var start = tokens.Position - 1;
        var parser = new ConditionParser(tokens, source, limits);
        var condition = parser.Parse();
        return tokens.Kind == RouteToken.Into
            ? new(text[start..tokens.LastEnd], condition, parser.Names)
            : throw new RouteSyntaxException(
                $"Expected an operator or INTO at position {tokens.Position}, found {tokens.Found}.{OperandHints.ForOperator(tokens)}"
            );
    }

    private static RouteEndpoint ParseSink(RouteLexer tokens)
    {
        var position = tokens.Position;
        if (tokens.Kind == RouteToken.SystemName)
        {
            var name = tokens.Take(RouteToken.SystemName);
            return name.Equals(Upstream, StringComparison.OrdinalIgnoreCase)
                ? RouteEndpoint.Upstream
                : throw UnknownSink(name, position);
        }
        if (tokens.Kind != RouteToken.Name)
        {
            throw new RouteSyntaxException(
                $"Expected a sink at position {position}, {Upstream} or {Endpoint}(\"/modules/<module>/inputs/<input>\"), found {tokens.Found}."
            );
        }
        var function = tokens.Take(RouteToken.Name);
        if (!function.Equals(Endpoint, StringComparison.OrdinalIgnoreCase))
        {
            throw UnknownSink(function, position);
        }
        tokens.Take(RouteToken.Open);
        position = tokens.Position;
        var address = tokens.Take(RouteToken.Text);
        tokens.Take(RouteToken.Close);
        return ParseAddress(address[1..^1].Trim(), position);
    }

    // edgeHub drops one slash at either end, counts the parts and uses the second and the fourth. It knows no escapes here.
    private static RouteEndpoint ParseAddress(string address, int position)
    {
        var path = address.AsSpan();
        path = path is ['/', ..] ? path[1..] : path;
        path = path is [.., '/'] ? path[..^1] : path;
        var parts = path.ToString().Split('/');
        return parts.Length == SinkParts && RouteEndpoint.IsValidName(parts[1]) && RouteEndpoint.IsValidName(parts[3])
            ? new(parts[1], parts[3])
            : throw new RouteSyntaxException(
                $"The endpoint \"{address}\" at position {position} must be \"/modules/<module>/inputs/<input>\"."
            );
    }

    private static RouteSyntaxException UnknownSink(string name, int position) =>
        new(
            $"The sink '{name}' at position {position} is unknown; there are {Upstream} and {Endpoint}(\"/modules/<module>/inputs/<input>\")."
                + Spelling.DidYouMean(name, [Upstream, Endpoint])
        );
}
